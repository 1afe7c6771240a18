import { expect, test } from 'vitest';
import type { Failure } from '../../http/errors.ts';
import type { Carrier, ClientConnection } from '../../http1/index.ts';
import { answer, ManualClock, scriptedOrigin, until } from '../../testkit/index.ts';
import { Pending } from '../admission.ts';
import { Resolver } from '../resolver.ts';
import type { Waiter, Wish } from './contract.ts';
import { Http1Pool } from './http1-pool.ts';

/** One connection, for one request at a time. */
const ONE = { host: '127.0.0.1', port: 80, tls: null, connections: 1, idle: 4000, pipelining: 1 };

class Someone implements Waiter {
  wish: Wish | null = null;
  connection: ClientConnection | null = null;
  failure: Failure | null = null;
  connected(carrier: Carrier): void {
    this.connection = carrier as ClientConnection;
  }
  failed(failure: Failure): void {
    this.failure = failure;
  }
}

test('a pool that is destroyed tells whoever waits, and whoever comes later', async () => {
  await using origin = await scriptedOrigin(() => {});
  const clock = new ManualClock();
  const settings = { ...ONE, port: origin.port };
  const pool = new Http1Pool(settings, clock, new Resolver(clock), new Pending(10));
  const [served, waiting, late] = [new Someone(), new Someone(), new Someone()];
  pool.acquire(served, 'any', 1000);
  pool.acquire(waiting, 'any', 1000);
  await until(() => served.connection !== null, 'a connection');
  expect([waiting.connection, waiting.failure]).toEqual([null, null]);
  pool.destroy();
  expect(waiting.failure?.code).toBe('TG_DRAINING');
  pool.acquire(late, 'any', 1000);
  expect(late.failure?.code).toBe('TG_DRAINING');
  expect([pool.load, pool.size]).toEqual([0, 0]);
  await origin.connections[0]!.closed();
  expect(origin.connections).toHaveLength(1);
});

test('whoever waits for a fresh connection gets the place of one that is free', async () => {
  await using origin = await scriptedOrigin(answer(200, [], 'ok'));
  const clock = new ManualClock();
  const settings = { ...ONE, port: origin.port };
  const pool = new Http1Pool(settings, clock, new Resolver(clock), new Pending(10));
  const [served, waiting] = [new Someone(), new Someone()];
  pool.acquire(served, 'any', 1000);
  await until(() => served.connection !== null, 'a connection');
  pool.acquire(waiting, 'none', 1000);
  pool.released(served.connection!);
  await until(() => waiting.connection !== null, 'a fresh connection');
  expect(waiting.connection).not.toBe(served.connection);
  await origin.connections[0]!.closed();
  expect(pool.counts()).toEqual({ open: 1, idle: 0, inUse: 1, waiting: 0 });
  pool.destroy();
});

test('whoever waits for a fresh connection is not passed by those who came later', async () => {
  await using origin = await scriptedOrigin(answer(200, [], 'ok'));
  const clock = new ManualClock();
  const settings = { ...ONE, port: origin.port };
  const pool = new Http1Pool(settings, clock, new Resolver(clock), new Pending(10));
  const [served, waiting, later] = [new Someone(), new Someone(), new Someone()];
  pool.acquire(served, 'any', 1000);
  await until(() => served.connection !== null, 'a connection');
  pool.acquire(waiting, 'none', 1000);
  pool.acquire(later, 'any', 1000);
  pool.released(served.connection!);
  await until(() => waiting.connection !== null, 'a fresh connection');
  expect(waiting.connection).not.toBe(served.connection);
  expect(later.connection).toBe(null);
  pool.released(waiting.connection!);
  expect(later.connection).toBe(waiting.connection);
  pool.destroy();
});

test("where a connection can't be made, all who counted on it try at once", () => {
  const clock = new ManualClock();
  const settings = { ...ONE, host: 'shop.test', connections: 10, pipelining: 4 };
  const resolver = new Resolver(clock, () => {});
  const pool = new Http1Pool(settings, clock, resolver, new Pending(10));
  const all = [new Someone(), new Someone(), new Someone(), new Someone()];
  for (const one of all) pool.acquire(one, 'ahead', 1000);
  clock.advance(1000);
  expect(all.map(({ failure }) => failure !== null)).toEqual([true, false, false, false]);
  clock.advance(1000);
  expect(all.every(({ failure }) => failure !== null)).toBe(true);
  expect([pool.load, pool.size]).toEqual([0, 0]);
});

test('however many wait for a name that is known not to resolve, each is told', () => {
  const clock = new ManualClock();
  const settings = { ...ONE, host: 'shop.test' };
  let fail = () => {};
  const resolver = new Resolver(clock, (_, done) => {
    fail = () => done(new Error('ENOTFOUND'), [], 1000);
  });
  const pool = new Http1Pool(settings, clock, resolver, new Pending(10_000));
  const all = Array.from({ length: 5000 }, () => new Someone());
  for (const one of all) pool.acquire(one, 'any', 5000);
  fail();
  expect(all.every(({ failure }) => failure?.code === 'TG_UPSTREAM_DNS')).toBe(true);
  expect([pool.load, pool.size]).toEqual([0, 0]);
});

test('of connections made beside each other the first is taken, and the others end', async () => {
  await using origin = await scriptedOrigin(answer(200, [], 'ok'));
  const clock = new ManualClock();
  const settings = { ...ONE, host: 'shop.test', port: origin.port };
  const resolver = new Resolver(clock, (_name, done) => done(null, ['127.0.0.1', '127.0.0.1'], 60_000));
  const pool = new Http1Pool(settings, clock, resolver, new Pending(10));
  const served = new Someone();
  pool.acquire(served, 'any', 1000);
  clock.advance(250);
  const [first, second] = [await origin.connectionAt(0), await origin.connectionAt(1)];
  await until(() => served.connection !== null, 'a connection');
  await Promise.race([first.closed(), second.closed()]);
  expect(pool.counts()).toEqual({ open: 1, idle: 0, inUse: 1, waiting: 0 });
  pool.destroy();
});
