/** The series of a gateway as it is run, with two workers. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { answer, type ScriptedOrigin, scriptedOrigin, until } from '../../src/testkit/index.ts';
import { type AdminNode, adminNode } from '../admin/node.ts';

let service: ScriptedOrigin;
let node: AdminNode;

interface Counts {
  requests: number;
  hits: number;
  refused: number;
  errors: number;
}

interface Sample extends Counts {
  p50: number | null;
  p99: number | null;
  hitShare: number | null;
  routes: Record<string, Counts>;
  edges: { route: string; service: string; requests: number; errors: number }[];
  listeners: { listener: string; route: string; requests: number }[];
}

interface SeriesAnswer extends Record<'requests' | 'errors' | 'refused', number[]> {
  step: number;
  until: string;
  p50: (number | null)[];
  p99: (number | null)[];
  hitShare: (number | null)[];
}

const samples: Sample[] = [];
const blocks: string[] = [];
const reading = new AbortController();

const get = async <T>(path: string) =>
  (await (await fetch(`http://127.0.0.1:${node.admin}${path}`)).json()) as T;
const ask = async (path: string) => {
  await (await fetch(`http://127.0.0.1:${node.port}${path}`)).arrayBuffer();
};
const sum = (list: readonly number[]) => list.reduce((all, one) => all + one, 0);

async function readEvents(): Promise<void> {
  const response = await fetch(`http://127.0.0.1:${node.admin}/v1/events`, { signal: reading.signal });
  let text = '';
  for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    const whole = text.split('\n\n');
    text = whole.pop()!;
    for (const block of whole.filter((one) => one.includes('event: sample'))) {
      blocks.push(block);
      samples.push(JSON.parse(/^data: (.*)$/m.exec(block)![1]!) as Sample);
    }
  }
}

beforeAll(async () => {
  service = await scriptedOrigin(answer(200, [], 'hello'));
  node = await adminNode({
    workers: 2,
    services: { shop: { url: service.url }, down: { url: 'http://127.0.0.1:9', retries: 'none' } },
    auth: { keys: { apiKey: { keys: [{ hash: `sha256:${'0'.repeat(64)}`, subject: 'bob' }] } } },
    routes: {
      shop: { match: '/shop', to: 'shop' },
      kept: { match: '/kept', to: 'shop', cache: { ttl: '60s', vary: 'request.host' } },
      down: { match: '/down', to: 'down' },
      guarded: { match: '/guarded', to: 'shop', auth: { with: 'keys' } },
      // A 403 that the config answers is no refusal of the gateway.
      fixed: { match: '/fixed', respond: { status: 403 } },
    },
  });
  readEvents().catch(() => {});
  await until(() => samples.length > 0, 'a first sample');
  for (let i = 0; i < 10; i++) await ask('/shop');
  for (let i = 0; i < 10; i++) await ask('/kept');
  await ask('/down');
  await ask('/guarded');
  await ask('/fixed');
  await ask('/nowhere');
  await until(() => sum(samples.map(({ requests }) => requests)) >= 24, 'all requests in samples');
}, 60_000);
afterAll(async () => {
  reading.abort();
  await node[Symbol.asyncDispose]();
  await service.close();
});

it('GET /v1/series tells the seconds of all workers together', async () => {
  const series = await get<SeriesAnswer>('/v1/series');
  expect(series.step).toBe(1);
  expect(Math.abs(Date.now() - Date.parse(series.until))).toBeLessThan(5_000);
  const { length } = series.requests;
  for (const name of ['p50', 'p99', 'hitShare', 'errors', 'refused'] as const)
    expect(series[name]).toHaveLength(length);
  expect(length).toBeLessThanOrEqual(600);
  expect([sum(series.requests), sum(series.errors), sum(series.refused)]).toEqual([24, 1, 1]);
  const times = series.p99.filter((time) => time !== null);
  expect(times.length).toBeGreaterThan(0);
  expect(Math.max(...times)).toBeLessThan(60);
  expect(series.hitShare.some((share) => share !== null && share > 0)).toBe(true);
});

it('samples tell each second by route, service and listener, without a number', () => {
  const ofRoute = (name: string, of: keyof Counts) =>
    sum(samples.map(({ routes }) => routes[name]?.[of] ?? 0));
  expect(
    ['shop', 'kept', 'down', 'guarded', 'fixed', '(none)'].map((name) => ofRoute(name, 'requests')),
  ).toEqual([10, 10, 1, 1, 1, 1]);
  expect([ofRoute('down', 'errors'), ofRoute('guarded', 'refused'), ofRoute('fixed', 'refused')]).toEqual([
    1, 1, 0,
  ]);
  // Each worker has a memory of its own.
  expect(ofRoute('kept', 'hits')).toBeGreaterThanOrEqual(8);
  const edges = samples.flatMap((sample) => sample.edges);
  const edge = (route: string, of: 'requests' | 'errors') =>
    sum(edges.filter((one) => one.route === route).map((one) => one[of]));
  expect([edge('shop', 'requests'), edge('shop', 'errors')]).toEqual([10, 0]);
  expect(edge('kept', 'requests')).toBe(10 - ofRoute('kept', 'hits'));
  expect([edge('guarded', 'requests'), edge('fixed', 'requests')]).toEqual([0, 0]);
  expect(edges.find(({ route }) => route === 'shop')!.service).toBe('shop');
  const entered = samples.flatMap((sample) => sample.listeners);
  expect(sum(entered.map(({ requests }) => requests))).toBe(24);
  expect(new Set(entered.map(({ listener }) => listener))).toEqual(new Set(['main']));
  for (const block of blocks) expect(block).not.toMatch(/^id:/m);
});

it('a quiet second has a sample without routes', async () => {
  const before = samples.length;
  await until(() => samples.length > before, 'one more');
  expect(samples.at(-1)).toMatchObject({ requests: 0, p50: null, hitShare: null, routes: {}, edges: [] });
});

it('GET /v1/routes tells times and what the cache made of requests, since the start', async () => {
  interface Told {
    name: string;
    p50: number | null;
    p99: number | null;
    cache: Record<string, number>;
  }
  const { routes } = await get<{ routes: Told[] }>('/v1/routes');
  const kept = routes.find(({ name }) => name === 'kept')!;
  expect(kept.p50).toBeGreaterThan(0);
  expect(kept.p99).toBeGreaterThanOrEqual(kept.p50!);
  expect(sum(Object.values(kept.cache))).toBe(10);
  expect(kept.cache.hit).toBeGreaterThanOrEqual(8);
  expect(routes.find(({ name }) => name === 'shop')!.cache).toEqual({});
});
