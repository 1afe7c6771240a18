import { globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { loadConfig, renderIssues } from '../src/config/index.ts';
import { freePort, httpOrigin, startTestGateway } from '../src/testkit/index.ts';

const folder = join(import.meta.dirname, '../examples');
const files = globSync('*.yaml', { cwd: folder }).sort();

interface Example {
  services: Record<string, { url?: string; targets?: string[] }>;
}

/** What an origin says of a request: which service it is, and what reached it. */
interface Seen {
  service: string;
  method: string;
  url: string;
  headers: Record<string, string>;
}

const open: AsyncDisposable[] = [];
const exercised = new Set<string>();

/** An example in front of origins that answer with what they got. Targets named `dead` refuse connections. */
async function started(file: string, dead: readonly string[] = []) {
  exercised.add(file);
  const { listen: _, ...example } = parse(readFileSync(join(folder, file), 'utf8')) as Example & {
    listen: unknown;
  };
  for (const [name, service] of Object.entries(example.services)) {
    const place = async (written: string) => {
      if (dead.includes(written)) return `http://127.0.0.1:${await freePort()}`;
      const origin = await httpOrigin(({ method, url, headers }, response) => {
        response.setHeader('x-powered-by', 'origin');
        response.end(JSON.stringify({ service: name, method, url, headers }));
      });
      open.push(origin);
      return origin.url;
    };
    if (service.url !== undefined) service.url = await place(service.url);
    if (service.targets !== undefined) service.targets = await Promise.all(service.targets.map(place));
  }
  const gateway = await startTestGateway(example);
  open.push(gateway);
  const ask = (path: string, init: RequestInit = {}) =>
    fetch(`http://127.0.0.1:${gateway.port}${path}`, { redirect: 'manual', ...init });
  return {
    ask,
    seen: async (path: string, init?: RequestInit) => (await (await ask(path, init)).json()) as Seen,
  };
}

describe('the examples', () => {
  afterEach(async () => {
    for (const each of open.splice(0).reverse()) await each[Symbol.asyncDispose]();
  });

  it.each(files)('%s loads without an error or a warning', async (file) => {
    const { issues, source } = await loadConfig(join(folder, file), { env: {} });
    expect(renderIssues(issues, source, { colour: false })).toBe('');
  });

  it('routing.yaml sends each path to its service, and answers some itself', async () => {
    const { ask, seen } = await started('routing.yaml');
    expect(await seen('/catalogue/lamps?page=2')).toMatchObject({
      service: 'catalogue',
      url: '/lamps?page=2',
    });
    expect(await seen('/p/LAMP-1')).toMatchObject({ service: 'catalogue', url: '/products/LAMP-1' });
    expect((await ask('/p/lamp-1')).status).toBe(404);
    expect((await ask('/p/LAMP-1', { method: 'DELETE' })).status).toBe(405);
    expect(await seen('/ordering/1')).toMatchObject({ service: 'ordering', url: '/ordering/1' });
    expect(await seen('/ordering/1', { headers: { 'x-beta': 'on' } })).toMatchObject({
      service: 'orderingNext',
    });
    const moved = await ask('/shop/lamps?page=2');
    expect([moved.status, moved.headers.get('location')]).toEqual([
      301,
      expect.stringMatching(/\/catalogue\/lamps\?page=2$/),
    ]);
    expect(await (await ask('/hello/ada')).json()).toEqual({ hello: 'ada' });
  });

  it('resilience.yaml answers every request while one of its targets is down', async () => {
    const { ask } = await started('resilience.yaml', ['http://127.0.0.1:4003']);
    const statuses: number[] = [];
    for (let request = 0; request < 6; request++) statuses.push((await ask('/orders/1')).status);
    expect(statuses).toEqual([200, 200, 200, 200, 200, 200]);
  });

  it('resilience.yaml does not try a report twice', async () => {
    const { ask } = await started('resilience.yaml', ['http://127.0.0.1:4003']);
    const statuses = [(await ask('/reports/1')).status, (await ask('/reports/1')).status];
    expect(statuses.sort()).toEqual([200, 502]);
  });

  it('canary.yaml keeps a client on its side', async () => {
    const { ask } = await started('canary.yaml');
    const first = await ask('/');
    const { service } = (await first.json()) as Seen;
    const cookie = (first.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
    expect(cookie).toMatch(/^side=/);
    for (let request = 0; request < 20; request++) {
      expect(((await (await ask('/', { headers: { cookie } })).json()) as Seen).service).toBe(service);
    }
  });

  it('headers.yaml sets, removes and cleans on both ways', async () => {
    const { ask } = await started('headers.yaml');
    const response = await ask('/t/acme/lamps?page=2&debug=1', {
      headers: { 'x-tenant': 'other', 'x-debug': 'yes' },
    });
    const { url, headers } = (await response.json()) as Seen;
    expect(url).toBe('/lamps?page=2');
    expect(headers['x-tenant']).toBe('acme');
    expect(headers).not.toHaveProperty('x-debug');
    expect(response.headers.get('x-frame-options')).toBe('DENY');
    expect(response.headers.get('x-powered-by')).toBeNull();
    const large = await ask('/t/acme/lamps', { method: 'POST', body: 'x'.repeat(65 * 1024) });
    expect(large.status).toBe(413);
  });

  it('are each exercised here', () => {
    expect([...exercised].sort()).toEqual(files.map((file) => basename(file)));
  });
});
