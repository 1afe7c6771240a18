/** Limits that nodes share, in a real Redis. */
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { KeyBudget } from '../../src/limit/counts.ts';
import type { Verdict } from '../../src/limit/gcra.ts';
import { LimitCounts } from '../../src/limit/limit-counts.ts';
import { SharedCounts } from '../../src/limit/shared-counts.ts';
import { connectRedis } from '../../src/redis/index.ts';
import { silentLogger } from '../../src/telemetry/index.ts';
import {
  type RedisServer,
  redisServer,
  startTestGateway,
  type TestGateway,
  until,
} from '../../src/testkit/index.ts';
import { systemClock } from '../../src/util/clock.ts';
import { systemRandom } from '../../src/util/random.ts';
import { configFor } from '../cache/redis/stage.ts';

let redis: RedisServer;
const nodes: SharedCounts[] = [];
const gateways: TestGateway[] = [];
beforeAll(async () => {
  redis = await redisServer();
});
afterAll(() => redis.close());
beforeEach(async () => {
  await redis.start();
  await redis.command('FLUSHALL');
});
afterEach(async () => {
  await Promise.all([...nodes.splice(0), ...gateways.splice(0)].map((one) => one.close()));
});

async function node(): Promise<SharedCounts> {
  const parts = { clock: systemClock, random: systemRandom, log: silentLogger };
  const link = connectRedis(configFor(redis.port, { commandTimeout: 3000 }), parts);
  await until(() => link.connected, 'the link to Redis');
  const made = new SharedCounts(link, 'tidegate', systemClock);
  nodes.push(made);
  return made;
}

const second = { count: 100, per: 1000, burst: 100 };

async function trips(): Promise<number> {
  const stats = String(await redis.command('INFO', 'commandstats'));
  return Number(/cmdstat_fcall:calls=(\d+)/.exec(stats)?.[1] ?? 0);
}

it('two nodes admit together what the limit says, at a fraction of a trip a request', async () => {
  const both = [await node(), await node()];
  await both[0]!.take('warm', second);
  await redis.command('CONFIG', 'RESETSTAT');
  const began = performance.now();
  let asked = 0;
  let admitted = 0;
  while (performance.now() - began < 3000) {
    await Promise.all(
      both.map(async (one) => {
        for (let i = 0; i < 5; i++) {
          asked++;
          if ((await one.take('k', second))!.allowed) admitted++;
        }
      }),
    );
    await new Promise((resolve) => setTimeout(resolve, 8));
  }
  const seconds = (performance.now() - began) / 1000;
  // A burst, and then the rate; what each of the two has taken ahead may be left over.
  expect(admitted).toBeLessThanOrEqual(100 + Math.ceil(100 * seconds));
  expect(admitted).toBeGreaterThanOrEqual(100 + 100 * seconds - 2 * 10 - 5);
  expect((await trips()) / asked).toBeLessThan(0.1);
}, 20_000);

it('many who come at once are admitted no more than the burst holds', async () => {
  const both = [await node(), await node()];
  const slow = { count: 1, per: 60_000, burst: 20 };
  const verdicts = await Promise.all(Array.from({ length: 200 }, (_, i) => both[i % 2]!.take('k', slow)));
  const admitted = verdicts.filter((verdict) => verdict!.allowed).length;
  expect(admitted).toBeLessThanOrEqual(20);
  expect(admitted).toBeGreaterThanOrEqual(15);
});

it('a refusal says how long to wait, and is not asked about again', async () => {
  const one = await node();
  const rare = { count: 5, per: 900_000, burst: 1 };
  expect((await one.take('k', rare))!.allowed).toBe(true);
  const refused = (await one.take('k', rare))!;
  expect(refused.allowed).toBe(false);
  expect(refused.wait).toBeGreaterThan(179_000);
  await redis.command('CONFIG', 'RESETSTAT');
  for (let i = 0; i < 100; i++) expect((await one.take('k', rare))!.allowed).toBe(false);
  expect(await trips()).toBe(0);
});

it('what is left is told as it stands in Redis, not as it was taken ahead', async () => {
  const one = await node();
  const slow = { count: 10, per: 3_600_000, burst: 10 };
  const left: number[] = [];
  for (let i = 0; i < 10; i++) left.push(((await one.take('k', slow)) as Verdict).remaining);
  expect(left).toEqual([9, 8, 7, 6, 5, 4, 3, 2, 1, 0]);
  expect(((await one.take('k', slow)) as Verdict).allowed).toBe(false);
});

it('a key that is seldom asked for takes nothing ahead: many workers leave each other their requests', async () => {
  const workers = await Promise.all(Array.from({ length: 8 }, node));
  const slow = { count: 40, per: 3_600_000, burst: 40 };
  for (const round of [1, 2, 3, 4, 5]) {
    const verdicts = [];
    for (const one of workers) verdicts.push((await one.take('k', slow))!.allowed);
    expect(verdicts, `round ${round}`).toEqual(Array(8).fill(true));
  }
});

it('what nodes have counted together holds on while Redis is away', async () => {
  const link = await node();
  const counts = new LimitCounts('a', systemClock, 1, new KeyBudget(), () => link);
  const slow = { count: 4, per: 3_600_000, burst: 4 };
  for (let i = 0; i < 3; i++) expect((await counts.take('k', slow)).allowed).toBe(true);
  await redis.kill();
  await until(() => !link.connected, 'the loss of the link');
  expect((await counts.take('k', slow)).allowed).toBe(true);
  expect((await counts.take('k', slow)).allowed).toBe(false);
  expect((await counts.take('other', slow)).allowed).toBe(true);
});

async function gateway(): Promise<TestGateway> {
  const started = await startTestGateway({
    cache: { redis: redis.url },
    routes: { all: { match: '/*', respond: {}, limit: { rate: '3/h', burst: 3, per: '"all"' } } },
  });
  gateways.push(started);
  return started;
}
const ask = async (one: TestGateway) => (await fetch(`http://127.0.0.1:${one.port}/`)).status;

it('gateways on one Redis share a limit, and go on with limits of their own while it is away', async () => {
  const one = await gateway();
  const two = await gateway();
  // Until the link stands each goes by its own counts.
  await until(
    async () => (await redis.command('CLIENT', 'LIST').then(String)).split('\n').length > 6,
    'all links',
  );
  await new Promise((resolve) => setImmediate(resolve));
  const statuses: number[] = [];
  for (let i = 0; i < 4; i++) statuses.push(await ask(one), await ask(two));
  expect(statuses.filter((status) => status === 200)).toHaveLength(3);
  await redis.kill();
  const away: number[] = [];
  for (let i = 0; i < 5; i++) away.push(await ask(one));
  expect(away.every((status) => status === 200 || status === 429)).toBe(true);
});
