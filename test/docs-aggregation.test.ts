/** Each aggregate that the page shows is run: its plan and its answer must be those that stand there. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { type HttpOrigin, httpOrigin, startTestGateway, tempFolder } from '../src/testkit/index.ts';
import { tidegate } from './cli/tidegate.ts';

interface Section {
  title: string;
  config: string;
  line: string;
  plan: string;
  answer: unknown;
}

const page = readFileSync(join(import.meta.dirname, '../docs/aggregation.md'), 'utf8');

const sections: Section[] = page
  .split(/^## /m)
  .map((text) => ({
    title: text.split('\n', 1)[0]!,
    config: /^```yaml\n([\s\S]*?)^```$/m.exec(text)?.[1] ?? '',
    line: /^`((?:GET|POST) \S+)`$/m.exec(text)?.[1] ?? '',
    plan: /^```text\n([\s\S]*?)^```$/m.exec(text)?.[1] ?? '',
    answer: JSON.parse(/^```json\n([\s\S]*?)^```$/m.exec(text)?.[1] ?? 'null'),
  }))
  .filter(({ line }) => line !== '');

/** What the services of the page answer, by method and target; text is sent as it stands. */
const ANSWERS: Record<string, unknown> = {
  'GET /products/LAMP-001':
    '{ "sku": "LAMP-001", "name": "Desk lamp", "price": 49.90, "related": ["LAMP-002"] }',
  'GET /products/LAMP-002': { sku: 'LAMP-002', name: 'Floor lamp', price: 99 },
  'GET /stock/LAMP-001': { count: 3 },
  'GET /reviews?sku=LAMP-001': [{ stars: 5, text: 'bright' }],
  'GET /orders/7': { id: 7, customer: 'c1', lines: [{ sku: 'A' }, { sku: 'B' }, { sku: 'A' }] },
  'GET /customers/c1': { name: 'Ada', tier: 'gold' },
  'GET /tiers/gold': { percent: 10 },
  'GET /products/A': { name: 'Desk lamp' },
  'GET /products/B': { name: 'Shade' },
  'GET /today': { orders: 12 },
  'GET /open?limit=3': { open: [4711] },
  'GET /orders?page=1': [
    { id: 7, customer: 1 },
    { id: 8, customer: 2 },
    { id: 9, customer: 1 },
  ],
  'GET /customers?ids=1%2C2': { customers: [{ id: 1, name: 'Ada' }] },
  'POST /reservations': { id: 'r1' },
  'POST /payments': { id: 'p1' },
};
const ORDER = JSON.stringify({ sku: 'LAMP-001', count: 1, amount: 49.9 });

describe('the page on aggregates', () => {
  const folder = tempFolder();
  const origins: HttpOrigin[] = [];
  let failing = '';
  let asked: string[] = [];
  afterAll(async () => {
    folder.close();
    for (const origin of origins) await origin.close();
  });

  async function start(config: string) {
    const origin = await httpOrigin((request, response) => {
      const line = `${request.method} ${request.url}`;
      asked.push(line);
      const answer = ANSWERS[line];
      response.statusCode = answer === undefined || line === failing ? 404 : 200;
      response.setHeader('content-type', 'application/json');
      request
        .resume()
        .once('end', () => response.end(typeof answer === 'string' ? answer : JSON.stringify(answer ?? {})));
    });
    origins.push(origin);
    const definition = parse(config) as { services: Record<string, { url: string }> };
    for (const service of Object.values(definition.services)) service.url = origin.url;
    asked = [];
    return await startTestGateway(definition);
  }

  const ask = (port: number, line: string) => {
    const [method = '', path = ''] = line.split(' ');
    const body = method === 'POST' ? { body: ORDER } : {};
    return fetch(`http://127.0.0.1:${port}${path}`, { method, ...body });
  };

  it('shows five', () => expect(sections.length).toBe(5));

  it.each(sections)('$title: the answer is the one that is shown', async ({ config, line, answer }) => {
    const gateway = await start(config);
    const response = await ask(gateway.port, line);
    expect(response.status).toBe(line.startsWith('POST') ? 201 : 200);
    expect(await response.json()).toEqual(answer);
    await gateway.close();
  });

  it.each(sections)('$title: the plan is the one that explain prints', async ({ config, line, plan }) => {
    folder.write('tidegate.yaml', config);
    const { stdout, code } = await tidegate(folder.path, ['explain', 'tidegate.yaml', ...line.split(' ')]);
    expect(code).toBe(0);
    expect(stdout).toContain(plan);
  });

  it('is right about what is asked once, passed on, left out and undone', async () => {
    const [product, order, dashboard, , checkout] = sections as [Section, Section, Section, Section, Section];
    let gateway = await start(product.config);
    expect(await (await ask(gateway.port, product.line)).text()).toContain('"price": 49.90');
    await gateway.close();

    gateway = await start(order.config);
    await ask(gateway.port, order.line);
    expect(asked.filter((line) => line.startsWith('GET /products/')).sort()).toEqual([
      'GET /products/A',
      'GET /products/B',
    ]);
    expect((await ask(gateway.port, 'GET /pages/order/8')).status).toBe(404);
    await gateway.close();

    gateway = await start(dashboard.config);
    const partial = await ask(gateway.port, dashboard.line);
    expect(partial.headers.get('tidegate-partial')).toBe('weather');
    expect(partial.headers.get('server-timing')).toContain('sales;dur=');
    await gateway.close();

    failing = 'POST /payments';
    gateway = await start(checkout.config);
    const failed = await ask(gateway.port, checkout.line);
    expect(failed.status).toBe(502);
    expect(await failed.json()).toMatchObject({
      call: 'payment',
      kind: 'status',
      notCompensated: ['reservation'],
    });
    ANSWERS['DELETE /reservations/r1'] = {};
    const undone = await ask(gateway.port, checkout.line);
    expect(await undone.json()).toMatchObject({
      call: 'payment',
      kind: 'status',
      compensated: ['reservation'],
    });
    await gateway.close();
  });
});
