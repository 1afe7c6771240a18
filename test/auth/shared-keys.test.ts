/** Nodes that share a Redis make their keys from one secret: what one signs another's key set proves. */
import { createHash } from 'node:crypto';
import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from 'jose';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import {
  answer,
  headerValue,
  type RedisServer,
  redisServer,
  type ScriptedOrigin,
  scriptedOrigin,
  startTestGateway,
  type TestGateway,
} from '../../src/testkit/index.ts';

const hash = `sha256:${createHash('sha256').update('k1').digest('hex')}`;

let redis: RedisServer;
let service: ScriptedOrigin;
const nodes: TestGateway[] = [];
beforeAll(async () => {
  redis = await redisServer();
  service = await scriptedOrigin(answer(200, [], 'ok'));
});
afterAll(async () => {
  await redis.close();
  await service.close();
});
beforeEach(async () => {
  await redis.start();
  await redis.command('FLUSHALL');
});
afterEach(async () => {
  await Promise.all(nodes.splice(0).map((node) => node.close()));
});

async function node(cache: object = {}): Promise<TestGateway> {
  const side = (path: string) => ({ service: 'shop', path, weight: 1 });
  const started = await startTestGateway({
    services: { shop: { url: service.url } },
    auth: { keys: { apiKey: { keys: [{ hash, subject: 'bob' }] } } },
    routes: {
      signed: { match: '/signed', to: 'shop', auth: { with: 'keys', forwardAs: 'jwt' } },
      split: { match: '/split', to: ['/a', '/b', '/c', '/d'].map(side), sticky: { cookie: 'side' } },
    },
    cache: { redis: { url: redis.url, ...cache } },
  });
  nodes.push(started);
  return started;
}

const ask = (one: TestGateway, path: string, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(`http://127.0.0.1:${one.port}${path}`, { headers });

async function signedBy(one: TestGateway): Promise<string> {
  expect((await ask(one, '/signed', { 'x-api-key': 'k1' })).status).toBe(200);
  return headerValue(service.requests.at(-1)!, 'authorization')!.replace(/^Bearer /, '');
}

async function proves(one: TestGateway, token: string): Promise<boolean> {
  const set = (await (await ask(one, '/.well-known/jwks.json')).json()) as JSONWebKeySet;
  return await jwtVerify(token, createLocalJWKSet(set)).then(
    () => true,
    () => false,
  );
}

it('a token of one node is proved by the key set of another, from the first request on', async () => {
  const one = await node();
  const two = await node();
  expect(await proves(two, await signedBy(one))).toBe(true);
  expect(await proves(one, await signedBy(two))).toBe(true);
});

it('a node that comes back signs with the key it had', async () => {
  const one = await node();
  const token = await signedBy(one);
  await one.close();
  expect(await proves(await node(), token)).toBe(true);
});

it('nodes go on with their keys when Redis has lost all it knew, and with it away', async () => {
  const one = await node();
  const two = await node();
  await redis.command('FLUSHALL');
  expect(await proves(two, await signedBy(one))).toBe(true);
  await redis.kill();
  expect(await proves(two, await signedBy(one))).toBe(true);
});

it('with encrypt the secret does not stand in Redis, and nodes share it all the same', async () => {
  const encrypt = { key: 'ab'.repeat(32) };
  const one = await node({ encrypt });
  const two = await node({ encrypt });
  expect(await proves(two, await signedBy(one))).toBe(true);
  // A node without the key can't read it, and keeps its own.
  expect(await proves(await node(), await signedBy(one))).toBe(false);
});

it("a client's cookie holds it on its side at every node", async () => {
  const one = await node();
  const two = await node();
  const first = await ask(one, '/split');
  const cookie = first.headers.get('set-cookie')!.split(';', 1)[0]!;
  const side = service.requests.at(-1)!.target;
  for (let i = 0; i < 12; i++) {
    const again = await ask(i % 2 === 0 ? two : one, '/split', { cookie });
    expect(again.headers.get('set-cookie')).toBeNull();
    expect(service.requests.at(-1)!.target).toBe(side);
  }
});
