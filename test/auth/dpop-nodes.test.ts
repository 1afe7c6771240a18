/** A proof of possession counts once (RFC 9449 §11.1): at whichever worker it is shown, and at whichever node. */
import { hash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { calculateJwkThumbprint, exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';
import { afterEach, beforeEach, expect, it } from 'vitest';
import {
  type HttpOrigin,
  httpOrigin,
  noRedis,
  type ProcessLab,
  processLab,
  redisServer,
  type TempFolder,
  tempFolder,
  until,
} from '../../src/testkit/index.ts';
import { ask } from '../workers/fixture/lab.ts';
import { type Node, startNode } from './nodes.ts';

let lab: ProcessLab;
let folder: TempFolder;
let service: HttpOrigin;
let token: string;
let client: { key: Awaited<ReturnType<typeof generateKeyPair>>['privateKey']; jwk: JWK };
let names = 0;

beforeEach(async () => {
  lab = processLab();
  folder = tempFolder();
  service = await httpOrigin((_, response) => void response.end('ok'));
  const issuer = await generateKeyPair('ES256');
  const keys = [{ ...(await exportJWK(issuer.publicKey)), kid: 'k1', alg: 'ES256' }];
  writeFileSync(join(folder.path, 'keys.json'), JSON.stringify({ keys }));
  const { privateKey: key, publicKey } = await generateKeyPair('ES256');
  client = { key, jwk: await exportJWK(publicKey) };
  token = await new SignJWT({ sub: 'alice', cnf: { jkt: await calculateJwkThumbprint(client.jwk) } })
    .setProtectedHeader({ alg: 'ES256', kid: 'k1', typ: 'at+jwt' })
    .setIssuer('any')
    .setExpirationTime('5m')
    .sign(issuer.privateKey);
});
afterEach(async () => {
  await lab.close();
  await service.close();
  folder.close();
});

const node = (more: object): Promise<Node> =>
  startNode(lab, folder.path, {
    services: { shop: { url: service.url } },
    auth: { jwt: { jwt: { jwks: 'keys.json', issuer: 'any' } } },
    routes: { all: { match: '/*', to: 'shop', auth: { with: 'jwt' } } },
    ...more,
  });

const proof = (): Promise<string> =>
  new SignJWT({
    jti: `proof-${names++}`,
    htm: 'GET',
    htu: 'http://shop.test/orders',
    ath: hash('sha256', token, 'base64url'),
  })
    .setIssuedAt()
    .setProtectedHeader({ typ: 'dpop+jwt', alg: 'ES256', jwk: client.jwk })
    .sign(client.key);

/** Each on a connection of its own, so that any worker may get it. */
const show = async ({ port }: Node, dpop: string): Promise<number> => {
  const headers = { host: 'shop.test', authorization: `DPoP ${token}`, dpop };
  return (await ask(port, { path: '/orders', headers })).status;
};
const sorted = (statuses: readonly number[]) => [...statuses].sort((a, b) => a - b);
const onceOf = (count: number) => [200, ...Array<number>(count - 1).fill(401)];

it('a proof that one worker took is refused by all others of the node, in whatever order they are shown', async () => {
  const one = await node({ workers: 3 });
  for (let round = 0; round < 5; round++) {
    const shown = await proof();
    const first = await show(one, shown);
    const later: number[] = [];
    for (let i = 0; i < 12; i++) later.push(await show(one, shown));
    expect([first, ...later]).toEqual(onceOf(13));
  }
  for (let round = 0; round < 5; round++) {
    const shown = await proof();
    const all = await Promise.all(Array.from({ length: 12 }, () => show(one, shown)));
    expect(sorted(all)).toEqual(onceOf(12));
  }
}, 60_000);

it('a worker that takes the place of a dead one knows what that has seen', async () => {
  const one = await node({ workers: 1 });
  const shown = await proof();
  expect(await show(one, shown)).toBe(200);
  const [worker] = one.process.tree().filter((pid) => pid !== one.process.pid);
  process.kill(worker!, 'SIGKILL');
  await until(
    async () => (await show(one, await proof()).catch(() => 0)) === 200,
    'another worker to answer',
  );
  expect(await show(one, shown)).toBe(401);
}, 60_000);

it.skipIf(noRedis())(
  'with Redis it is refused by other nodes too; with Redis away by all of the same node',
  async () => {
    await using redis = await redisServer();
    const cache = { redis: { url: redis.url, commandTimeout: '1s' } };
    const nodes = [await node({ workers: 2, cache }), await node({ workers: 2, cache })];
    const connected = async () => {
      const shown = await proof();
      return (await show(nodes[0]!, shown)) === 200 && (await show(nodes[1]!, shown)) === 401;
    };
    await until(connected, 'the nodes to be in touch');
    for (let round = 0; round < 5; round++) {
      const shown = await proof();
      const all = await Promise.all(Array.from({ length: 12 }, (_, i) => show(nodes[i % 2]!, shown)));
      expect(sorted(all)).toEqual(onceOf(12));
    }
    const keys = ((await redis.command('KEYS', '{tidegate}:o:*')) as Buffer[]).map(String);
    expect(keys.length).toBeGreaterThan(0);
    for (const key of keys) expect(Number(await redis.command('PTTL', key))).toBeGreaterThan(0);
    await redis.kill();
    const shown = await proof();
    const all = [];
    for (let i = 0; i < 12; i++) all.push(await show(nodes[0]!, shown));
    expect(all).toEqual(onceOf(12));
  },
  60_000,
);
