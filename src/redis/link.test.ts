import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createLogger } from '../telemetry/index.ts';
import { certificates, noRedis, type RedisServer, redisServer, tempFolder, until } from '../testkit/index.ts';
import { systemClock } from '../util/clock.ts';
import { systemRandom } from '../util/random.ts';
import { addressOf, connectRedis, type RedisConfig, type RedisLink } from './index.ts';

const TIMEOUT = 100;
const LIBRARY = {
  name: 'linktest',
  code: `#!lua name=linktest
redis.register_function('linktest_echo', function(keys, args) return {keys[1], args[1]} end)`,
};

function config(port: number, more: Partial<RedisConfig> = {}, login = {}): RedisConfig {
  const endpoint = { host: '127.0.0.1', port, username: null, password: null, database: 0, ...login };
  return { kind: 'single', endpoints: [endpoint], name: null, commandTimeout: TIMEOUT, tls: null, ...more };
}

describe.skipIf(noRedis())('a link to Redis', () => {
  let server: RedisServer;
  const links: RedisLink[] = [];
  const lines: string[] = [];
  beforeAll(async () => {
    server = await redisServer();
  });
  afterEach(async () => {
    for (const link of links.splice(0)) await link.close();
    lines.length = 0;
  });
  afterAll(async () => await server?.close());

  function open(to: RedisConfig): RedisLink {
    const log = createLogger({
      format: 'json',
      writer: { write: (line: string) => void lines.push(line) } as never,
    });
    const link = connectRedis(to, { clock: systemClock, random: systemRandom, log });
    links.push(link);
    return link;
  }

  async function connected(to: RedisConfig): Promise<RedisLink> {
    const link = open(to);
    await until(() => link.connected, 'a connection');
    return link;
  }

  it('answers in bytes, and loads a library where it is missing', async () => {
    const link = await connected(config(server.port));
    const bytes = Buffer.from([0, 255, 13, 10, 128]);
    await link.send('set', 'k', bytes);
    expect(await link.send('get', 'k')).toEqual(bytes);
    expect(await link.send('get', 'nothing')).toBeNull();
    expect(await link.call(LIBRARY, 'echo', ['a'], [bytes])).toEqual([Buffer.from('a'), bytes]);
    await server.command('FUNCTION', 'FLUSH');
    expect(await link.call(LIBRARY, 'echo', ['a'], ['b'])).toEqual([Buffer.from('a'), Buffer.from('b')]);
    // Many who find it missing at once.
    await server.command('FUNCTION', 'FLUSH');
    await Promise.all(Array.from({ length: 20 }, () => link.call(LIBRARY, 'echo', ['a'], ['b'])));
  });

  it('tells what Redis refused from what Redis did not answer', async () => {
    const link = await connected(config(server.port));
    await expect(link.send('incr')).rejects.toMatchObject({ code: 'REDIS_REFUSAL' });
    await expect(link.call({ ...LIBRARY, code: 'no library' }, 'gone', [], [])).rejects.toMatchObject({
      code: 'REDIS_REFUSAL',
    });
    expect(link.connected).toBe(true);
    await link.close();
    await expect(link.send('ping')).rejects.toMatchObject({ code: 'REDIS_AWAY' });
  });

  it('uses the user, password and database of the URL, and shows none of them', async () => {
    await server.command('ACL', 'SETUSER', 'shop', 'on', '>open sesame', '~*', '&*', '+@all');
    const link = await connected(
      config(server.port, {}, { username: 'shop', password: 'open sesame', database: 3 }),
    );
    expect(String(await link.send('acl', 'whoami'))).toBe('shop');
    await link.send('set', 'in', 'three');
    expect(await server.command('GET', 'in')).toBeNull();
    const refused = open(config(server.port, {}, { username: 'shop', password: 'wrong secret' }));
    await until(() => lines.length > 0, 'a line');
    expect(lines[0]).toMatch(/Redis is away.*WRONGPASS/);
    expect(lines.join('')).not.toMatch(/wrong secret|sesame/);
    expect(refused.state()).toMatchObject({ connected: false, reason: expect.stringContaining('WRONGPASS') });
    expect(addressOf(config(1, {}, { username: 'u', password: 'p' }))).toBe('127.0.0.1:1');
  });

  it('speaks TLS with a name, a CA and a client certificate, and refuses another CA', async () => {
    using folder = tempFolder();
    const authority = await certificates();
    const pair = await authority.leaf(['redis.test']);
    const client = await authority.leaf(['gateway.test'], { use: 'client' });
    const tlsServer = await redisServer({
      'tls-port': '0',
      'tls-cert-file': folder.write('cert.pem', pair.cert),
      'tls-key-file': folder.write('key.pem', pair.key),
      'tls-ca-cert-file': folder.write('ca.pem', authority.ca),
    }).catch((error: Error) => error);
    if (tlsServer instanceof Error) {
      console.log('This redis-server is built without TLS: the test of TLS is skipped.');
      return;
    }
    try {
      const tlsPort = await freeTlsPort(tlsServer);
      const tls = {
        ca: authority.ca,
        cert: client.cert,
        key: client.key,
        serverName: 'redis.test',
        verify: true,
      };
      const link = await connected(config(tlsPort, { tls }));
      expect(String(await link.send('ping'))).toBe('PONG');
      const other = await certificates();
      const wary = open(config(tlsPort, { tls: { ...tls, ca: other.ca } }));
      await until(() => wary.state().reason !== 'not connected yet', 'a reason');
      expect(wary.connected).toBe(false);
      const strange = open(config(tlsPort, { tls: { ...tls, serverName: 'elsewhere.test' } }));
      await until(() => strange.state().reason !== 'not connected yet', 'a reason');
      expect(strange.connected).toBe(false);
    } finally {
      await tlsServer.close();
    }
  });

  it('fails at once where nothing listens, within the timeout where nothing answers, with one line', async () => {
    const dead: Server = createServer();
    const sockets = new Set<Socket>();
    dead.on('connection', (socket) => sockets.add(socket));
    await new Promise<void>((resolve) => dead.listen(0, '127.0.0.1', resolve));
    const { port } = dead.address() as { port: number };
    const silent = open(config(port));
    const began = performance.now();
    await expect(silent.send('ping')).rejects.toMatchObject({ code: 'REDIS_AWAY' });
    expect(performance.now() - began).toBeLessThan(TIMEOUT);
    // It gives up on a server that doesn't greet, and tries again.
    await until(() => sockets.size > 1, 'another attempt', 10_000);
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => dead.close(resolve));
    await until(() => silent.state().reason?.includes('ECONNREFUSED'), 'a refused attempt', 10_000);
    for (let i = 0; i < 1000; i++) await silent.send('ping').catch(() => {});
    expect(lines).toHaveLength(1);
  });

  it.each(['$-1', ':1', '+OK'])(
    'ends a connection on which a reply comes that nobody has asked for: %s',
    async (reply) => {
      const clients: Socket[] = [];
      const between = createServer((client) => {
        clients.push(client);
        const behind = connect(server.port, '127.0.0.1');
        client.on('close', () => behind.destroy()).pipe(behind);
        behind.on('error', () => client.destroy()).pipe(client);
      });
      await new Promise<void>((resolve) => between.listen(0, '127.0.0.1', resolve));
      const link = await connected(config((between.address() as AddressInfo).port));
      clients[0]!.write(`${reply}\r\n`);
      await until(() => !link.connected, 'the connection to be given up');
      expect(link.state().reason).toContain('nobody had asked for');
      await until(() => link.connected, 'another connection');
      expect(await link.send('ping')).toEqual(Buffer.from('PONG'));
      await link.close();
      await new Promise((resolve) => between.close(resolve));
    },
  );

  it('lets a frozen server cost the calls under way one timeout, and the next ones nothing', async () => {
    const own = await redisServer();
    try {
      const link = await connected(config(own.port));
      own.freeze();
      const began = performance.now();
      const calls = Array.from({ length: 200 }, () => link.send('get', 'k'));
      for (const call of await Promise.allSettled(calls)) expect(call.status).toBe('rejected');
      expect(performance.now() - began).toBeGreaterThan(TIMEOUT - 5);
      expect(performance.now() - began).toBeLessThan(TIMEOUT + 200);
      const then = performance.now();
      await expect(link.send('get', 'k')).rejects.toMatchObject({ code: 'REDIS_AWAY' });
      expect(performance.now() - then).toBeLessThan(TIMEOUT);
      own.thaw();
      await until(() => link.connected, 'it to be back');
      expect(await link.send('get', 'k')).toBeNull();
    } finally {
      await own.close();
    }
  });

  it('is back soon after a restart, by itself', async () => {
    const own = await redisServer();
    try {
      const link = await connected(config(own.port));
      await own.kill();
      await until(() => !link.connected, 'it to be away');
      await own.start();
      const began = performance.now();
      await until(() => link.connected, 'it to be back');
      expect(performance.now() - began).toBeLessThan(2000);
    } finally {
      await own.close();
    }
  });

  it('holds no process and no socket after it was closed, in whatever state it was', async () => {
    const first = await connected(config(server.port));
    const second = open(config(server.port));
    const third = open(config(1));
    const blocked = first.another({ timeout: 5000 });
    await until(() => blocked.connected, 'another connection');
    const waiting = blocked.send('blpop', 'nothing', 0);
    await Promise.all([first.close(), second.close(), third.close(), blocked.close()]);
    await expect(waiting).rejects.toMatchObject({ code: 'REDIS_AWAY' });
    await until(async () => {
      const clients = String(await server.command('CLIENT', 'LIST'));
      return !clients.includes('name=tidegate');
    }, 'no connection');
  });
});

/** Redis takes no port 0 for TLS, and tells none: one is set while it runs. */
async function freeTlsPort(server: RedisServer): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const { port } = probe.address() as { port: number };
  await new Promise((resolve) => probe.close(resolve));
  await server.command('CONFIG', 'SET', 'tls-port', port);
  await until(
    () =>
      new Promise<boolean>((resolve) => {
        const socket = connect(port, '127.0.0.1', () => resolve(true));
        socket.on('error', () => resolve(false));
        socket.on('connect', () => socket.destroy());
      }),
    'TLS to listen',
  );
  return port;
}
