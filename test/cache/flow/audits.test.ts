/** `audit`: after a hit the origin is asked, too, and what it says is compared with what was answered. */
import { afterEach, describe, expect, it } from 'vitest';
import type { Logger } from '../../../src/telemetry/index.ts';
import {
  answer,
  headerValue,
  ManualClock,
  noRedis,
  processLab,
  type RawResponse,
  rawClient,
  redisServer,
  type Script,
  type ScriptedOrigin,
  scriptedOrigin,
  startTestGateway,
  type TestGateway,
  tempFolder,
  until,
} from '../../../src/testkit/index.ts';
import { seededRandom } from '../../../src/testkit/seeded-random.ts';
import type { Timer } from '../../../src/util/clock.ts';
import { startWholeNode } from './whole-node.ts';

/** How long a change may be on its way until a difference counts. */
const CHANGES_COME = 5_000;
const MOST_AT_ONCE = 20;

/** Counts the differences for which a change is waited. */
class DoubtClock extends ManualClock {
  doubts = 0;

  override after(ms: number, run: () => void): Timer {
    if (ms === CHANGES_COME) this.doubts++;
    return super.after(ms, run);
  }
}

let origin: ScriptedOrigin;
let gateway: TestGateway;
let clock: DoubtClock;
let lines: Record<string, unknown>[];

afterEach(async () => {
  await gateway?.close();
  await origin?.close();
});

const noted = (message: string, fields: object = {}) => void lines.push({ message, ...fields });
const log: Logger = { info() {}, warn: noted, error: noted, with: () => log };
const mismatches = () => lines.filter(({ message }) => String(message).startsWith('a stored answer'));

async function setUp(script: Script | Script[], cache: object = {}): Promise<void> {
  lines = [];
  clock = new DoubtClock();
  origin = await scriptedOrigin(script);
  gateway = await startTestGateway(
    {
      services: { shop: { url: origin.url } },
      routes: {
        all: { match: '/*', to: 'shop', cache: { ttl: '10m', audit: '100%', ...cache } },
      },
    },
    { clock, log, random: seededRandom(7) },
  );
}

async function ask(method = 'GET', ...headers: string[]): Promise<RawResponse> {
  const client = await rawClient({ port: gateway.port });
  try {
    await client.send(`${[`${method} /a?b=1 HTTP/1.1`, 'Host: shop.test', ...headers].join('\r\n')}\r\n\r\n`);
    return await client.response(method);
  } finally {
    client.close();
  }
}

const asked = (count: number) => until(() => origin.requests.length >= count, `${count} requests`);
/** Once an audit waits for a change that may be on its way. */
const inDoubt = (count: number) => until(() => clock.doubts >= count, 'a difference in doubt');
const json = (value: object, ...headers: [string, string][]) =>
  answer(200, [['Content-Type', 'application/json'], ...headers], JSON.stringify(value));

const halfAnAnswer: Script = async ({ connection }) => {
  await connection.send('HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{');
  connection.socket.destroy();
};

describe('a hit that is audited', () => {
  it('is answered from what is kept, and told where its origin says something else', async () => {
    await setUp([json({ price: 12 }), json({ price: 13 })], { tags: ['product:{request.query.b}'] });
    await ask();
    clock.advance(42_000);
    const hit = await ask('GET', 'If-None-Match: "x"', 'Cache-Control: max-stale');
    expect([hit.body.toString(), headerValue(hit, 'cache-status')]).toEqual([
      '{"price":12}',
      'tidegate; hit; ttl=558',
    ]);
    await asked(2);
    const audit = origin.requests[1]!.raw.toString('latin1');
    expect(audit).toMatch(/^GET \/a\?b=1 HTTP/);
    expect(audit).not.toMatch(/if-none-match|cache-control/i);
    await inDoubt(1);
    expect(mismatches()).toEqual([]);
    clock.advance(CHANGES_COME);
    expect(mismatches()).toMatchObject([
      { route: 'all', path: '/a', age: 42, tags: ['product:1'], at: 'body.price', kept: '12', origin: '13' },
    ]);
    expect((await ask()).body.toString()).toBe('{"price":12}');
  });

  it.each(['HEAD', 'GET'])('is not told where the origin says the same (%s)', async (method) => {
    await setUp([json({ price: 12, at: 1 }), json({ at: 2, price: 12 }), json({ at: 3 })], {
      auditIgnore: 'at',
    });
    await ask();
    await ask(method);
    await asked(2);
    expect(origin.requests[1]!.raw.toString('latin1')).toMatch(/^GET /);
    // The next one is told: so this one is over.
    await ask();
    await inDoubt(1);
    clock.advance(CHANGES_COME);
    expect(mismatches()).toMatchObject([{ at: 'body.price' }]);
    expect(clock.doubts).toBe(1);
  });

  it('is not told where a change reaches the entry that was on its way', async () => {
    await setUp([json({ price: 12 }), json({ price: 13 }), answer(204), json({ price: 13 })]);
    await ask();
    await ask();
    await asked(2);
    await inDoubt(1);
    expect((await ask('POST', 'Content-Length: 0')).status).toBe(204);
    clock.advance(CHANGES_COME);
    expect(mismatches()).toEqual([]);
  });

  it.each([
    ['an error', answer(503)],
    ['too many requests', answer(429)],
    ['half an answer', halfAnAnswer],
  ])('says nothing where the origin answers with %s', async (_what, script) => {
    await setUp([json({ price: 12 }), script as Script, json({ price: 13 })]);
    await ask();
    await ask();
    await asked(2);
    await ask();
    await asked(3);
    await inDoubt(1);
    clock.advance(CHANGES_COME);
    // That of the third request alone.
    expect(mismatches()).toHaveLength(1);
  });

  it('tells no values of an answer that is one user’s own', async () => {
    await setUp([json({ iban: 'DE1' }), json({ iban: 'DE2' })], { vary: 'request.headers["x-user"]' });
    await ask('GET', 'X-User: ada');
    await ask('GET', 'X-User: ada');
    await asked(2);
    await inDoubt(1);
    clock.advance(CHANGES_COME);
    expect(mismatches()).toMatchObject([{ at: 'body.iban' }]);
    expect(JSON.stringify(lines)).not.toContain('DE');
  });

  it('is one of a bounded number, and none is left when the gateway ends', async () => {
    let n = 0;
    await setUp(({ connection }) => connection.send(json({ n: n++ })));
    await ask();
    for (let i = 0; i < MOST_AT_ONCE + 5; i++) await ask();
    await asked(1 + MOST_AT_ONCE);
    await ask();
    expect(origin.requests).toHaveLength(1 + MOST_AT_ONCE);
    await inDoubt(MOST_AT_ONCE);
    await gateway.close();
    clock.advance(CHANGES_COME);
    expect(mismatches()).toEqual([]);
  });
});

it('comparing is switched on and off without emptying the cache', async () => {
  await setUp(json({ price: 12 }));
  await ask();
  await gateway.reload({
    services: { shop: { url: origin.url } },
    routes: { all: { match: '/*', to: 'shop', cache: { ttl: '10m' } } },
  });
  expect(headerValue(await ask(), 'cache-status')).toMatch(/; hit/);
  expect(origin.requests).toHaveLength(1);
});

it.skipIf(noRedis())(
  'what is found in Redis is audited, too',
  async () => {
    await using redis = await redisServer();
    lines = [];
    let price = 12;
    origin = await scriptedOrigin(({ connection }) => connection.send(json({ price: price++ })));
    gateway = await startTestGateway(
      {
        cache: { memory: 0, redis: redis.url },
        services: { shop: { url: origin.url } },
        routes: { all: { match: '/*', to: 'shop', cache: { ttl: '10m', audit: '100%' } } },
      },
      { log },
    );
    const hit = async () => /; hit/.test(headerValue(await ask(), 'cache-status')!);
    await until(hit, 'a hit');
    await until(() => mismatches().length > 0, 'a mismatch', 3 * CHANGES_COME);
    expect(mismatches()[0]).toMatchObject({ route: 'all', at: 'body.price' });
    await gateway.close();
  },
  30_000,
);

it('a share of the hits is audited', async () => {
  await setUp(({ connection }) => connection.send(json({ price: 12 })), { audit: '25%' });
  await ask();
  const hits = 200;
  for (let i = 0; i < hits; i++) await ask();
  const audits = origin.requests.length - 1;
  expect(audits).toBeGreaterThan(hits * 0.12);
  expect(audits).toBeLessThan(hits * 0.4);
});

it('a node counts audits and mismatches by route', async () => {
  using folder = tempFolder();
  await using lab = processLab();
  let n = 0;
  origin = await scriptedOrigin(({ connection, request }) =>
    connection.send(json({ n: request.target === '/same' ? 0 : n++ })),
  );
  const node = await startWholeNode(lab, folder.path, {
    services: { shop: { url: origin.url } },
    routes: { all: { match: '/*', to: 'shop', cache: { ttl: '10m', audit: '100%' } } },
  });
  const get = async (port: number, path: string) => (await fetch(`http://127.0.0.1:${port}${path}`)).text();
  // An audit that ends while the worker is not sure to hear of all changes says nothing: so there are more.
  const told = async () => {
    for (const path of ['/same', '/other']) await get(node.port, path);
    const [route] = JSON.parse(await get(node.admin, '/v1/routes')).routes;
    return route.mismatched > 0 && route.audited > route.mismatched;
  };
  await until(told, 'a mismatch, and a match', 20_000);
  const metrics = await get(node.admin, '/metrics');
  expect(metrics).toMatch(/tidegate_cache_audits_total\{route="all"\} [1-9]/);
  expect(metrics).toMatch(/tidegate_cache_audit_mismatches_total\{route="all"\} [1-9]/);
  await node.process.line(/a stored answer is not what its origin says.*body\.n/);
}, 40_000);
