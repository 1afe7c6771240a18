/** Metrics of a gateway as it is run, with two workers: each is scraped after the traffic that moves it. */
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { METRICS } from '../../src/telemetry/index.ts';
import { answer, processTree, type ScriptedOrigin, scriptedOrigin, until } from '../../src/testkit/index.ts';
import { type AdminNode, adminNode } from '../admin/node.ts';
import { type Family, readMetrics } from './metrics-reader.ts';

const hash = `sha256:${createHash('sha256').update('bob').digest('hex')}`;

let service: ScriptedOrigin;
let node: AdminNode;
let scraped: Map<string, Family>;

async function scrape(accept = ''): Promise<{ text: string; type: string }> {
  const response = await fetch(`http://127.0.0.1:${node.admin}/metrics`, { headers: { accept } });
  return { text: await response.text(), type: response.headers.get('content-type')! };
}

/** The sum of all samples whose labels are these, of all workers. */
function value(name: string, labels: Record<string, string> = {}): number | undefined {
  const found = [...scraped.values()]
    .flatMap(({ samples }) => samples)
    .filter((sample) => sample.name === name)
    .filter((sample) => Object.entries(labels).every(([key, wanted]) => sample.labels[key] === wanted));
  return found.length === 0 ? undefined : found.reduce((sum, sample) => sum + sample.value, 0);
}

const ask = async (path: string, init: RequestInit = {}) => {
  const response = await fetch(`http://127.0.0.1:${node.port}${path}`, init);
  await response.arrayBuffer();
  return response.status;
};

beforeAll(async () => {
  service = await scriptedOrigin(answer(200, [], 'hello'));
  node = await adminNode({
    workers: 2,
    services: { shop: { url: service.url }, down: { url: 'http://127.0.0.1:9', retries: { attempts: 1 } } },
    auth: {
      keys: { apiKey: { keys: [{ hash, subject: 'bob' }] } },
      asked: { forward: { url: `${service.url}/{request.query.tenant}` } },
    },
    changes: { push: { http: { token: 'secret' }, tables: { 'public.a': ['a:{row.id}'] } } },
    routes: {
      shop: { match: '/shop/*', to: 'shop' },
      kept: { match: '/kept', to: 'shop', cache: { ttl: '60s', vary: 'request.host' } },
      down: { match: '/down', to: 'down' },
      guarded: { match: '/guarded', to: 'shop', auth: { with: 'keys' } },
      asked: { match: '/asked', to: 'shop', auth: { with: 'asked' } },
      limited: { match: '/limited', respond: {}, limit: { rate: '2/h', burst: 2, per: '"all"' } },
      trial: { match: '/trial', respond: {}, limit: { rate: '2/h', burst: 2, per: '"all"', report: true } },
    },
  });
  for (let i = 0; i < 20; i++) await ask('/shop/x');
  await ask('/shop/y', { method: 'POST', body: 'four' });
  await ask('/shop/z', { method: 'PROPFIND' });
  for (let i = 0; i < 10; i++) await ask('/kept');
  await ask('/down');
  await ask('/nowhere');
  await ask('/guarded');
  await ask('/guarded', { headers: { 'x-api-key': 'bob' } });
  await ask('/guarded', { headers: { 'x-api-key': 'eve' } });
  await ask('/asked');
  for (let i = 0; i < 8; i++) await ask('/limited');
  for (let i = 0; i < 8; i++) await ask('/trial');
  process.kill(node.gateway.pid, 'SIGHUP');
  await node.gateway.line(/the config was reloaded/);
  scraped = readMetrics((await scrape()).text, 'prometheus');
}, 60_000);
afterAll(async () => {
  await node[Symbol.asyncDispose]();
  await service.close();
});

describe('after traffic of known kinds', () => {
  it.each([
    ['tidegate_requests_total', { route: 'shop', method: 'GET', code: '2xx', cache: 'none' }, 20],
    ['tidegate_requests_total', { route: 'shop', method: 'POST' }, 1],
    ['tidegate_requests_total', { route: 'shop', method: 'other' }, 1],
    ['tidegate_requests_total', { route: 'kept' }, 10],
    ['tidegate_requests_total', { route: 'down', code: '5xx' }, 1],
    ['tidegate_requests_total', { route: '(none)', code: '4xx' }, 1],
    ['tidegate_requests_total', { route: 'guarded', code: '4xx' }, 2],
    ['tidegate_requests_in_flight', { route: 'shop' }, 0],
    ['tidegate_request_duration_seconds_count', { route: 'shop' }, 22],
    ['tidegate_request_duration_seconds_bucket', { route: 'shop', le: '+Inf' }, 22],
    ['tidegate_request_first_byte_seconds_count', { route: 'shop' }, 22],
    // Four asked to be let in, of whom three were not.
    ['tidegate_request_phase_seconds_count', { phase: 'auth' }, 4],
    ['tidegate_request_body_bytes_total', { route: 'shop' }, 4],
    ['tidegate_response_body_bytes_total', { route: 'shop' }, 22 * 5],
    ['tidegate_auth_decisions_total', { provider: 'keys', outcome: 'allowed' }, 1],
    ['tidegate_auth_decisions_total', { provider: 'keys', outcome: 'refused' }, 1],
    // It gave no tenant to ask about, which says nothing of the server.
    ['tidegate_auth_decisions_total', { provider: 'asked', outcome: 'refused' }, 1],
    ['tidegate_upstream_failures_total', { service: 'down' }, 2],
    ['tidegate_upstream_retries_total', { service: 'down' }, 1],
    ['tidegate_upstream_target_up', { service: 'shop' }, 1],
    ['tidegate_upstream_active_requests', { service: 'shop' }, 0],
    ['tidegate_upstream_pending_requests', { service: 'shop' }, 0],
    ['tidegate_upstream_breaker_open', { service: 'shop' }, 0],
    ['tidegate_change_source_streaming', { source: 'push', kind: 'http' }, 1],
    ['tidegate_change_source_events_total', { source: 'push' }, 0],
    ['tidegate_change_source_skipped_total', { source: 'push' }, 0],
    ['tidegate_config_reloads_total', { result: 'ok' }, 1],
    ['tidegate_config_reloads_total', { result: 'refused' }, 0],
    ['tidegate_workers', {}, 2],
    ['tidegate_cache_limit_bytes', {}, 2 * 64 * 1024 * 1024],
  ])('%s %j is %d', (name, labels, wanted) => {
    expect(value(name, labels as unknown as Record<string, string>)).toBe(wanted);
  });

  it('what a cache and limits of two workers did adds up', () => {
    const hits = value('tidegate_requests_total', { route: 'kept', cache: 'hit' })!;
    expect(hits).toBeGreaterThanOrEqual(8);
    expect(value('tidegate_cache_hits_total')).toBe(hits);
    expect(hits + value('tidegate_requests_total', { route: 'kept', cache: 'miss' })!).toBe(10);
    expect(value('tidegate_request_phase_seconds_count', { phase: 'cache' })).toBe(hits);
    expect(value('tidegate_request_phase_seconds_count', { phase: 'upstream' })).toBe(22 + 1 + 1 + 10 - hits);
    const refused = value('tidegate_requests_total', { route: 'limited', code: '4xx' })!;
    expect(refused).toBeGreaterThan(0);
    expect(value('tidegate_limited_total', { route: 'limited' })).toBe(refused);
    expect(value('tidegate_reported_total', { route: 'trial' })).toBeGreaterThan(0);
    expect(value('tidegate_requests_total', { route: 'trial', code: '2xx' })).toBe(8);
  });

  it('histograms are cumulative, and their sums are times', () => {
    const buckets = scraped
      .get('tidegate_request_duration_seconds')!
      .samples.filter(({ name, labels }) => name.endsWith('_bucket') && labels.route === 'shop')
      .map((sample) => sample.value);
    expect(buckets).toEqual([...buckets].sort((a, b) => a - b));
    const sum = value('tidegate_request_duration_seconds_sum', { route: 'shop' })!;
    expect(sum).toBeGreaterThan(0);
    expect(sum).toBeLessThan(60);
  });

  it('workers tell how they are', () => {
    for (const name of ['heap_bytes', 'resident_bytes', 'event_loop_delay_seconds', 'connections'])
      expect(
        scraped
          .get(`tidegate_worker_${name}`)!
          .samples.map(({ labels }) => labels.worker)
          .sort(),
      ).toEqual(['1', '2']);
    expect(value('tidegate_worker_resident_bytes')).toBeGreaterThan(2 * 30 * 1024 * 1024);
    expect(value('tidegate_start_time_seconds')).toBeGreaterThan(Date.now() / 1000 - 120);
    expect(value('tidegate_build_info')).toBe(1);
  });
});

describe('the forms', () => {
  it('OpenMetrics is given to whoever asks for it, and says the same', async () => {
    const { text, type } = await scrape('application/openmetrics-text; version=1.0.0');
    expect(type).toBe('application/openmetrics-text; version=1.0.0; charset=utf-8');
    const open = readMetrics(text, 'openmetrics');
    expect(open.get('tidegate_requests')!.type).toBe('counter');
    expect(open.get('tidegate_build')!.type).toBe('info');
    const old = await scrape('text/plain');
    expect(old.type).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(readMetrics(old.text, 'prometheus').size).toBe(open.size);
  });

  it('only what the table names is written, and all of it but what this config has not', () => {
    const names = new Set(Object.values(METRICS).map(({ name }) => name));
    for (const name of scraped.keys()) expect(names).toContain(name);
    expect(scraped.size).toBe(names.size);
  });

  it('who is not on the admin address is told nothing', async () => {
    const response = await fetch(`http://127.0.0.1:${node.admin}/metrics`, {
      headers: { origin: 'http://evil.test' },
    });
    expect(response.status).toBe(403);
  });
});

it('counts of a worker that is killed while it is asked for them count once', async () => {
  const before = value('tidegate_requests_total', { route: 'shop' })!;
  const worker = processTree(node.gateway.pid).at(-1)!;
  process.kill(worker, 'SIGSTOP');
  const scraping = scrape();
  // By the time this is answered, the scrape waits for the worker.
  await fetch(`http://127.0.0.1:${node.admin}/healthz`);
  process.kill(worker, 'SIGKILL');
  scraped = readMetrics((await scraping).text, 'prometheus');
  expect(value('tidegate_requests_total', { route: 'shop' })).toBe(before);
  await node.gateway.line(/the new worker serves/);
});

it('the start of the node is one moment, whenever it is asked for', async () => {
  const before = value('tidegate_start_time_seconds');
  for (let i = 0; i < 5; i++) {
    scraped = readMetrics((await scrape()).text, 'prometheus');
    expect(value('tidegate_start_time_seconds')).toBe(before);
  }
});

it('counts of a worker that is killed, or does not answer, are not lost', async () => {
  const names = [
    'tidegate_requests_total',
    'tidegate_upstream_requests_total',
    'tidegate_upstream_failures_total',
    'tidegate_upstream_retries_total',
    'tidegate_cache_hits_total',
    'tidegate_cache_misses_total',
    'tidegate_auth_decisions_total',
  ];
  const values = () => Object.fromEntries(names.map((name) => [name, value(name)]));
  scraped = readMetrics((await scrape()).text, 'prometheus');
  const before = values();
  const stopped = processTree(node.gateway.pid).at(-1)!;
  process.kill(stopped, 'SIGSTOP');
  scraped = readMetrics((await scrape()).text, 'prometheus');
  process.kill(stopped, 'SIGCONT');
  expect(values()).toEqual(before);
  expect(value('tidegate_workers')).toBe(2);
  for (let n = 1; n <= 2; n++) {
    const replaced = node.logged('the new worker serves').length;
    process.kill(processTree(node.gateway.pid).at(-1)!, 'SIGKILL');
    await until(() => node.logged('the new worker serves').length > replaced, 'another worker');
    scraped = readMetrics((await scrape()).text, 'prometheus');
    expect(values()).toEqual(before);
  }
});
