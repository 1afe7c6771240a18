import { afterEach, expect, test } from 'vitest';
import { type Body, openBody } from '../../http/body.ts';
import type { Failure } from '../../http/errors.ts';
import { type Carrier, Framing, type ResponseHandler } from '../../http1/index.ts';
import {
  dataFrame,
  type FrameRequest,
  type FrameService,
  type FrameServiceOptions,
  frameService,
  freePort,
  headFrame,
  MAX_CONCURRENT_STREAMS,
  ManualClock,
  until,
} from '../../testkit/index.ts';
import { Pending } from '../admission.ts';
import { type Lookup, Resolver } from '../resolver.ts';
import type { Reuse, Waiter, Wish } from './contract.ts';
import { Http2Pool } from './http2-pool.ts';

/** Asks for a place, and sends a GET once it has one. */
class Someone implements Waiter, ResponseHandler {
  wish: Wish | null = null;
  carrier: Carrier | null = null;
  failure: Failure | null = null;
  status = 0;
  connected(carrier: Carrier): void {
    this.carrier = carrier;
    const head = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
    const none = { body: null, upgrade: null, firstByte: 60_000, idle: 60_000 };
    carrier.send({ method: 'GET', head, framing: Framing.none, ...none }, this);
  }
  failed(failure: Failure): void {
    this.failure = failure;
  }
  sent(): number {
    return Number.POSITIVE_INFINITY;
  }
  informed(): void {}
  responded({ status }: { status: number }, body: Body): void {
    openBody(body, { write: () => true, end: () => {}, fail: () => {} });
    this.status = status;
  }
  upgraded(): void {}
  overtaken(): void {}
}

const pools: Http2Pool[] = [];
const services: FrameService[] = [];
afterEach(async () => {
  for (const pool of pools.splice(0)) pool.destroy();
  for (const service of services.splice(0)) await service.close();
});

async function serve(script: (request: FrameRequest) => void = () => {}, options: FrameServiceOptions = {}) {
  const service = await frameService(script, options);
  services.push(service);
  return service;
}

interface Settings {
  connections?: number;
  idle?: number;
  maxPending?: number;
  host?: string;
  lookup?: Lookup;
}

function poolTo(port: number, settings: Settings = {}) {
  const { connections = 10, idle = 4000, maxPending = 100, host = '127.0.0.1', lookup } = settings;
  const clock = new ManualClock();
  const pending = new Pending(maxPending);
  const pool = new Http2Pool(
    { host, port, tls: null, connections, idle },
    clock,
    new Resolver(clock, lookup),
    pending,
  );
  pools.push(pool);
  const ask = (reuse: Reuse = 'any') => {
    const someone = new Someone();
    pool.acquire(someone, reuse, 1000);
    return someone;
  };
  return { pool, clock, pending, ask };
}

const ok = ({ connection, stream }: FrameRequest) =>
  connection.send(headFrame(stream, [[':status', '200']]), dataFrame(stream, 'ok', true));

test('counts requests as its load, whatever connection carries them', async () => {
  const service = await serve(undefined, { settings: { [MAX_CONCURRENT_STREAMS]: 2 } });
  const { pool, pending, ask } = poolTo(service.port, { connections: 2 });
  const all = Array.from({ length: 5 }, () => ask());
  expect(pool.load).toBe(5);
  await until(() => service.requests.length === 4, 'four');
  expect(pool.counts()).toEqual({ open: 2, idle: 0, inUse: 2, waiting: 1 });
  expect([pool.load, pending.count]).toEqual([5, 1]);
  pool.leave(all.find(({ carrier }) => carrier === null)!);
  expect([pool.load, pending.count]).toEqual([4, 0]);
  for (const one of all) one.carrier?.cancel(one);
  await until(() => pool.load === 0, 'all to be gone');
  expect(pool.counts()).toEqual({ open: 2, idle: 2, inUse: 0, waiting: 0 });
});

test('makes one connection for all who wait for the first, and as many as it takes once that says less', async () => {
  const service = await serve(ok, { settings: { [MAX_CONCURRENT_STREAMS]: 1 } });
  const { pending, ask } = poolTo(service.port, { connections: 4 });
  const all = Array.from({ length: 20 }, () => ask());
  await until(() => all.every(({ status }) => status === 200), 'all');
  expect(service.connections).toHaveLength(4);
  expect(pending.count).toBe(0);
});

test('tells all who wait for a connection that cannot be made, once', async () => {
  const { pool, ask } = poolTo(await freePort());
  const all = Array.from({ length: 5 }, () => ask());
  await until(() => all.every(({ failure }) => failure?.code === 'TG_UPSTREAM_REFUSED'), 'all to be told');
  expect([pool.load, pool.counts().open]).toEqual([0, 0]);
});

test('tries the next address of a name, and tells of a name that is not known', async () => {
  const service = await serve(ok);
  const both: Lookup = (_, done) => done(null, ['127.0.0.2', '127.0.0.1'], 1000);
  const { ask } = poolTo(service.port, { host: 'shop.test', lookup: both });
  const first = ask();
  await until(() => first.status === 200, 'the answer');
  const none: Lookup = (_, done) => done(new Error('unknown'), [], 0);
  const lost = poolTo(service.port, { host: 'shop.test', lookup: none }).ask();
  expect(lost.failure?.code).toBe('TG_UPSTREAM_DNS');
});

test('gives who wants a fresh connection one that is made after, and no other', async () => {
  const service = await serve(ok);
  const { ask } = poolTo(service.port);
  const first = ask();
  await until(() => first.status === 200, 'the first');
  const [second, third] = [ask('none'), ask('none')];
  await until(() => second.status === 200 && third.status === 200, 'both');
  expect(service.connections).toHaveLength(2);
  expect(service.requests.map(({ connection }) => service.connections.indexOf(connection))).toEqual([
    0, 1, 1,
  ]);
});

test('makes room for a fresh connection by closing an idle one', async () => {
  const service = await serve(ok);
  const { pool, clock, ask } = poolTo(service.port, { connections: 1, idle: 60_000 });
  const first = ask();
  await until(() => first.status === 200, 'the first');
  clock.advance(2000);
  const second = ask('recent');
  await until(() => second.status === 200, 'the second');
  await until(() => service.connections[0]!.closed, 'the first connection to go');
  await until(() => pool.counts().open === 1, 'it to be forgotten');
});

test('that is retired keeps nothing, lets what is under way end, and may be used again', async () => {
  const service = await serve();
  const { pool, ask } = poolTo(service.port);
  const first = ask();
  await until(() => service.requests.length === 1, 'the first');
  pool.retire();
  expect(service.connections[0]!.closed).toBe(false);
  ok(service.requests[0]!);
  await until(() => first.status === 200, 'its answer');
  await until(() => service.connections[0]!.closed, 'its end');
  pool.revive();
  ask();
  await until(() => service.requests.length === 2, 'the next');
  expect(pool.counts()).toMatchObject({ open: 1, inUse: 1 });
});

test('that is destroyed tells whoever waits, and whoever comes later', async () => {
  const service = await serve(undefined, { settings: { [MAX_CONCURRENT_STREAMS]: 1 } });
  const { pool, pending, ask } = poolTo(service.port, { connections: 1 });
  const served = ask();
  await until(() => service.requests.length === 1, 'a request');
  const waiting = ask();
  pool.destroy();
  expect(waiting.failure?.code).toBe('TG_DRAINING');
  expect(ask().failure?.code).toBe('TG_DRAINING');
  await until(() => served.failure !== null, 'what was under way to end');
  await until(() => service.connections[0]!.closed, 'the connection to close');
  expect([pool.load, pending.count]).toEqual([0, 0]);
});

test('that is destroyed while it connects leaves no connection behind', async () => {
  const service = await serve();
  const { pool, ask } = poolTo(service.port);
  const one = ask();
  pool.destroy();
  expect(one.failure?.code).toBe('TG_DRAINING');
  await until(() => service.connections.every(({ closed }) => closed), 'the connection to close');
});
