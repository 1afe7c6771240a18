import { createHash } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  answer,
  Gate,
  ManualClock,
  type OriginExchange,
  type RawClient,
  rawClient,
  turn,
  until,
} from '../../src/testkit/index.ts';
import type { Timer } from '../../src/util/clock.ts';
import { type AuthServer, authServer } from './auth-server.ts';
import { type Stage, type StageOptions, stage } from './stage.ts';

let on: Stage;
let server: AuthServer;

beforeEach(async () => {
  server = await authServer();
});
afterEach(async () => {
  server.gate?.open();
  await on?.close();
  await server.origin.close();
});

const start = async (introspection: object = {}, options: StageOptions = {}) => {
  on = await stage({
    auth: {
      main: {
        introspection: {
          endpoint: `${server.origin.url}/introspect`,
          clientId: 'a',
          clientSecret: 'b',
          cache: '1h',
          ...introspection,
        },
      },
    },
    route: { auth: { with: 'main', permissions: 'orders:read' } },
    fenced: true,
    ...options,
  });
};
const ask = async (token = 'opaque') => (await on.ask('GET /x', `Authorization: Bearer ${token}`)).status;
const purge = (...tags: string[]) => {
  const fences = on.fences!;
  fences.apply(fences.sequence + 1, { tags, prefixes: [], all: false, soft: false });
};
const hashOf = (token: string) => createHash('sha256').update(token).digest('hex');

describe('a decision that is kept', () => {
  it.each([
    ['its subject', 'subject:alice'],
    ['its token', `token:${hashOf('opaque')}`],
    ['a tag that the provider names', 'permissions:alice'],
  ])('ends with a purge of %s, on the next request', async (_, tag) => {
    await start({ tags: ['permissions:{claims.sub}'] });
    expect(await ask()).toBe(200);
    server.say = () => ({ active: true, sub: 'alice', scope: '' });
    expect(await ask()).toBe(200);
    purge('subject:bob', 'other');
    expect(await ask()).toBe(200);
    purge(tag);
    expect(await ask()).toBe(403);
    expect(server.asked.length).toBe(2);
  });

  it('ends with a purge of its subject, in whichever case the auth server spells a UUID', async () => {
    const spelled = 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11';
    server.say = () => ({ active: true, sub: spelled, scope: 'orders:read' });
    await start();
    expect(await ask()).toBe(200);
    server.say = () => ({ active: false });
    // As every purge is spelled by the time it is applied.
    purge(`subject:${spelled.toLowerCase()}`);
    expect(await ask()).toBe(401);
  });

  it('is not kept at all where one of its tags cannot be told', async () => {
    await start({ tags: ['tenant:{claims.tenant}'] });
    await ask();
    await ask();
    expect(server.asked.length).toBe(2);
  });

  it('that refuses ends with a purge of its token', async () => {
    await start();
    server.say = () => ({ active: false });
    expect(await ask()).toBe(401);
    server.say = () => ({ active: true, scope: 'orders:read' });
    purge(`token:${hashOf('opaque')}`);
    expect(await ask()).toBe(200);
  });
});

describe('a revocation while the auth server is being asked', () => {
  it('is never overtaken by the old answer: neither for those who came after it, nor in what is kept', async () => {
    await start();
    server.gate = new Gate();
    const before = ask();
    await until(() => server.asked.length === 1, 'the auth server is asked');
    // The old answer is on its way; now the permission is taken away.
    const old = server.gate;
    server.gate = null;
    const said = server.say;
    server.say = (token) =>
      server.asked.length > 1 ? { active: true, sub: 'alice', scope: '' } : said(token);
    purge('subject:alice');
    const after = ask();
    // The second joins the first, whose question is still open.
    for (let i = 0; i < 5; i++) await turn();
    old.open();
    const statuses = await Promise.all([before, after]);
    expect(statuses[1]).toBe(403);
    expect(await ask()).toBe(403);
  });
});

describe('what goes on for long', () => {
  async function echo(exchange: OriginExchange): Promise<void> {
    const reader = exchange.takeOver();
    await exchange.send('HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\n');
    for (let bytes = await reader.some(); bytes.length > 0; bytes = await reader.some())
      await exchange.send(bytes);
    exchange.connection.end();
  }

  const stream = (type: string) => async (exchange: OriginExchange) => {
    await exchange.send(
      `HTTP/1.1 200 OK\r\nContent-Type: ${type}\r\nTransfer-Encoding: chunked\r\n\r\n5\r\ndata \r\n`,
    );
  };

  const open = async (...lines: string[]): Promise<RawClient> => {
    const client = await rawClient({ port: on.gateway.port });
    await client.send(
      `${['GET /x HTTP/1.1', 'Host: shop.test', 'Authorization: Bearer opaque', ...lines].join('\r\n')}\r\n\r\n`,
    );
    return client;
  };
  const UPGRADE = ['Connection: Upgrade', 'Upgrade: echo'];

  it('a tunnel closes when its subject is purged', async () => {
    await start({}, { script: echo });
    const client = await open(...UPGRADE);
    expect((await client.response()).status).toBe(101);
    await client.send('hello');
    expect((await client.bytes(5)).toString()).toBe('hello');
    purge('subject:bob');
    on.clock.advance(1000);
    await client.send('still');
    expect((await client.bytes(5)).toString()).toBe('still');
    purge('subject:alice');
    on.clock.advance(1000);
    await client.closed();
  });

  /** As Node's own, which waits for 25 days at most. */
  class ShortClock extends ManualClock {
    override after(ms: number, run: () => void): Timer {
      return super.after(Math.min(ms, 10_000), run);
    }
  }

  it.each([
    ['', new ManualClock()],
    [', and not when a clock can wait no longer', new ShortClock()],
  ])('a tunnel closes when its credential runs out%s', async (_, clock) => {
    await start({}, { script: echo, clock });
    server.say = () => ({
      active: true,
      sub: 'alice',
      scope: 'orders:read',
      exp: Math.floor(on.clock.wall() / 1000) + 30,
    });
    const client = await open(...UPGRADE);
    expect((await client.response()).status).toBe(101);
    on.clock.advance(10_000);
    on.clock.advance(19_000);
    await client.send('still');
    expect((await client.bytes(5)).toString()).toBe('still');
    on.clock.advance(1_000);
    await client.closed();
  });

  it.each([
    ['an event stream', 'text/event-stream'],
    ['a call of gRPC', 'application/grpc+proto'],
  ])('%s is cut, visibly, when its token is purged', async (_, type) => {
    await start({}, { script: stream(type) });
    const client = await open();
    const text = async () => (await client.bytes(40)).toString();
    expect(await text()).toContain('HTTP/1.1 200');
    purge(`token:${hashOf('opaque')}`);
    on.clock.advance(1000);
    const rest = await client.rest();
    expect(rest.toString()).not.toContain('\r\n0\r\n');
  });

  it('a stream is cut, too, that stands in for another answer (onStatus)', async () => {
    const begin = stream('text/event-stream');
    const script = (exchange: OriginExchange) =>
      exchange.request.target === '/live' ? begin(exchange) : exchange.send(answer(503, [], 'down'));
    const onStatus = { '503': { to: { service: 'shop', path: '/live' } } };
    await start({}, { script, defaults: { onStatus } });
    const client = await open();
    expect((await client.bytes(40)).toString()).toContain('HTTP/1.1 200');
    purge(`token:${hashOf('opaque')}`);
    on.clock.advance(1000);
    expect((await client.rest()).toString()).not.toContain('\r\n0\r\n');
  });

  it('a stream is cut, too, whose token was purged while its service had not answered yet', async () => {
    const late = Promise.withResolvers<void>();
    let asked = 0;
    const begin = stream('text/event-stream');
    const script = async (exchange: OriginExchange) => {
      if (++asked === 2) await late.promise;
      await begin(exchange);
    };
    await start({}, { script });
    const [first, second] = [await open(), await open()];
    await first.bytes(40);
    await until(() => asked === 2, 'both to be asked for');
    purge('subject:alice');
    on.clock.advance(1000);
    await first.rest();
    late.resolve();
    expect((await second.bytes(40)).toString()).toContain('HTTP/1.1 200');
    on.clock.advance(1000);
    expect((await second.rest()).toString()).not.toContain('\r\n0\r\n');
  });

  it('an ordinary answer ends as it would', async () => {
    await start({}, { script: answer(200, [], 'ok') });
    expect(await ask()).toBe(200);
    purge('subject:alice');
    on.clock.advance(5000);
    expect(await ask()).toBe(200);
  });
});
