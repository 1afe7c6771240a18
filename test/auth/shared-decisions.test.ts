/** Nodes that keep the decisions of their auth servers together, in a real Redis. */
import { createHash } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  Gate,
  type Gate as Held,
  type HttpOrigin,
  httpOrigin,
  noRedis,
  type ProcessLab,
  processLab,
  type RedisServer,
  redisServer,
  type TempFolder,
  tempFolder,
  until,
} from '../../src/testkit/index.ts';
import { ask } from '../workers/fixture/lab.ts';
import { type AuthServer, authServer } from './auth-server.ts';
import { type Node, startNode } from './nodes.ts';

const PLAIN = { cache: { accept: '1h', redis: true } };

describe.skipIf(noRedis())('two nodes of two workers that keep decisions in Redis', () => {
  let lab: ProcessLab;
  let folder: TempFolder;
  let redis: RedisServer;
  let server: AuthServer;
  let service: HttpOrigin;
  let one: Node;
  let two: Node;
  let told: Record<string, unknown> = {};

  const configOf = (introspection: object, cache: object = {}) => ({
    workers: 2,
    cache: { redis: { url: redis.url, commandTimeout: '1s', ...cache } },
    services: { shop: { url: service.url } },
    auth: {
      main: {
        introspection: {
          endpoint: `${server.origin.url}/introspect`,
          clientId: 'gateway',
          clientSecret: 'not-in-redis',
          ...introspection,
        },
      },
    },
    routes: {
      all: { match: '/*', to: 'shop', auth: { with: 'main', allow: '"orders:read" in auth.permissions' } },
      big: {
        match: '/big',
        to: 'shop',
        auth: { with: 'main', allow: 'auth.claims.account == 9007199254740993' },
      },
    },
  });

  beforeAll(async () => {
    lab = processLab();
    folder = tempFolder();
    redis = await redisServer();
    server = await authServer();
    service = await httpOrigin(({ headers }, response) => {
      told = headers;
      response.end('ok');
    });
    one = await startNode(lab, folder.path, configOf(PLAIN));
    two = await startNode(lab, folder.path, configOf(PLAIN));
    await follow(one, two);
  }, 60_000);
  afterAll(async () => {
    await lab.close();
    await server.origin.close();
    await service.close();
    await redis.close();
    folder.close();
  });
  afterEach(() => {
    server.say = () => ({ active: true, sub: 'alice', scope: 'orders:read' });
    server.gate = null;
  });

  const get = async (node: Node, token: string, path = '/x'): Promise<number> => {
    const headers = { authorization: `Bearer ${token}` };
    return (await ask(node.port, { path, headers })).status;
  };
  const askedAbout = (token: string) => server.asked.filter(({ form }) => form.get('token') === token).length;
  /** Asks one node, once; Redis is written to in the background. */
  const known = async (token: string, node = one) => {
    const before = (await contents()).keys;
    expect(await get(node, token)).toBe(200);
    await until(async () => (await contents()).keys > before, 'it stands in Redis');
    expect(askedAbout(token)).toBe(1);
  };
  /** Workers use what they remember once they follow the log of purges. */
  const follow = async (...nodes: Node[]) => {
    const token = `follow-${nodes.map(({ port }) => port)}-${server.asked.length}`;
    await until(async () => {
      const before = askedAbout(token);
      for (let i = 0; i < 24; i++) await get(nodes[i % nodes.length]!, token);
      return askedAbout(token) === before;
    }, 'all workers to remember');
  };
  const contents = async (): Promise<{ keys: number; text: string }> => {
    const keys = ((await redis.command('KEYS', '{tidegate}:e:*')) as Buffer[]).map(String);
    const values = await Promise.all(keys.map((key) => redis.command('HGETALL', key)));
    const text = [...keys, ...values.flat().map((value) => Buffer.from(value as Buffer).toString('latin1'))];
    return { keys: keys.length, text: text.join('\n') };
  };

  it('what one worker of one node has asked no other asks again', async () => {
    await known('first');
    for (let i = 0; i < 30; i++) expect(await get(i % 2 === 0 ? one : two, 'first')).toBe(200);
    expect(askedAbout('first')).toBe(1);
    expect(told).toMatchObject({ 'x-auth-subject': 'alice', 'x-auth-permissions': 'orders:read' });
  });

  it('claims come over exactly, numbers of any size too', async () => {
    server.say = () => '{"active":true,"sub":"bob","scope":"orders:read","account":9007199254740993}';
    await known('exact');
    for (let i = 0; i < 10; i++) expect(await get(two, 'exact', '/big')).toBe(200);
    expect(askedAbout('exact')).toBe(1);
  });

  it.for(['subject:carol', `token:${createHash('sha256').update('revoked').digest('hex')}`])(
    'a purge of %s at one node revokes at the other, for all its workers',
    async (tags) => {
      server.say = () => ({ active: true, sub: 'carol', scope: 'orders:read' });
      const token = tags.startsWith('token:') ? 'revoked' : 'carols';
      await known(token);
      server.say = () => ({ active: false });
      await one.purge(tags);
      expect(await get(one, token)).toBe(401);
      await until(async () => (await get(two, token)) === 401, 'the other node to refuse');
      for (let i = 0; i < 20; i++) expect(await get(i % 2 === 0 ? one : two, token)).toBe(401);
    },
  );

  it('a decision that was overtaken by a purge is not believed by anybody', async () => {
    const gate: Held = new Gate();
    server.gate = gate;
    server.say = () => ({ active: true, sub: 'dave', scope: 'orders:read' });
    const early = get(one, 'overtaken');
    await until(() => askedAbout('overtaken') === 1, 'the auth server to be asked');
    // The other node has numbered it, so that Redis knows when the answer comes.
    await two.purge('subject:dave');
    gate.open();
    expect(await early).toBe(200);
    server.say = () => ({ active: false });
    await until(async () => (await get(one, 'overtaken')) === 401, 'the node that asked to refuse');
    expect(await get(two, 'overtaken')).toBe(401);
  });

  it('refused tokens take no room in Redis, and a token stands there in no form but a hash of its hash', async () => {
    await known('secret-token');
    const before = (await contents()).keys;
    server.say = () => ({ active: false });
    for (let i = 0; i < 20; i++) expect(await get(one, `bad-${i}`)).toBe(401);
    const { keys, text } = await contents();
    expect(keys).toBe(before);
    expect(text).toContain('alice');
    for (const secret of ['secret-token', 'not-in-redis', 'gateway']) expect(text).not.toContain(secret);
  });

  it('what a node decides by another config is its own', async () => {
    await known('mapped');
    const other = { ...PLAIN, permissions: '{claims.roles}' };
    const three = await startNode(lab, folder.path, configOf(other));
    expect(await get(three, 'mapped')).toBe(403);
    expect(await get(two, 'mapped')).toBe(200);
    await three.process.kill();
  }, 30_000);

  it('with encrypt nothing of an identity can be read in Redis, and nodes share it all the same', async () => {
    await redis.command('FLUSHALL');
    const encrypt = { encrypt: { key: 'ab'.repeat(32) } };
    server.say = () => ({ active: true, sub: 'erin-the-hidden', scope: 'orders:read' });
    const [three, four] = [
      await startNode(lab, folder.path, configOf(PLAIN, encrypt)),
      await startNode(lab, folder.path, configOf(PLAIN, encrypt)),
    ];
    await follow(three, four);
    await known('sealed', three);
    for (let i = 0; i < 10; i++) expect(await get(four, 'sealed')).toBe(200);
    expect(askedAbout('sealed')).toBe(1);
    expect((await contents()).text).not.toContain('erin-the-hidden');
    await three.process.kill();
    await four.process.kill();
  }, 30_000);

  it('with Redis away each worker asks for itself, and nobody waits or is refused', async () => {
    await redis.kill();
    for (let i = 0; i < 10; i++) expect(await get(i % 2 === 0 ? one : two, 'alone')).toBe(200);
    expect(askedAbout('alone')).toBeGreaterThan(1);
    await redis.start();
    await until(async () => {
      const token = `back-${server.asked.length}`;
      await get(one, token);
      await get(two, token);
      return (await get(two, token)) === 200 && askedAbout(token) === 1;
    }, 'they share again');
  }, 30_000);
});
