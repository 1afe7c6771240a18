import { afterEach, describe, expect, it } from 'vitest';
import type { Gateway } from '../../src/gateway/index.ts';
import {
  answer,
  ManualClock,
  type OriginConnection,
  type RawClient,
  type RawResponse,
  type ReceivedRequest,
  rawClient,
  type Script,
  type ScriptedOrigin,
  scriptedOrigin,
  until,
} from '../../src/testkit/index.ts';
import { systemClock } from '../../src/util/clock.ts';
import { bareGateway } from '../bare-gateway.ts';
import { request } from './stage.ts';

const HOLD = () => {};
const ALL = { all: { match: '/*', to: 'shop' } };

describe('requests sent ahead on one connection to a service (pipelining)', () => {
  let on: { origin: ScriptedOrigin; gateway: Gateway; clients: RawClient[] };
  let clock: ManualClock | null = null;
  afterEach(async () => {
    for (const client of on.clients) client.close();
    await on.gateway.drain(0);
    await on.origin.close();
    clock = null;
  });

  async function start(
    { others = [], ...settings }: { others?: string[] } & Record<string, unknown> = {},
    script: Script = HOLD,
    routes: object = ALL,
  ): Promise<void> {
    const origin = await scriptedOrigin(script);
    const where = others.length > 0 ? { targets: [origin.url, ...others] } : { url: origin.url };
    const shop = { ...where, pipelining: 4, pool: { connections: 1 }, ...settings };
    const { gateway } = await bareGateway({ services: { shop }, routes }, { clock: clock ?? systemClock });
    on = { origin, gateway, clients: [] };
  }

  async function connected(): Promise<RawClient> {
    const client = await rawClient({ port: on.gateway.port('main') });
    on.clients.push(client);
    return client;
  }

  /** Sends a request on a connection of its own, once the one before it has come to the service. */
  async function ask(target: string, method = 'GET', more: string[] = [], body = ''): Promise<RawClient> {
    const client = await connected();
    await client.send(request(`${method} ${target} HTTP/1.1`, ['Host: a', ...more], body));
    return client;
  }

  /** The same, and waits until the service has it. */
  async function asked(target: string, method = 'GET'): Promise<RawClient> {
    const client = await ask(target, method);
    await arrived(target);
    return client;
  }

  async function arrived(target: string, times = 1): Promise<void> {
    await until(() => at(target).length === times, `${target} at the service`);
  }

  function at(target: string): ReceivedRequest[] {
    return on.origin.requests.filter((got) => got.target === target);
  }

  async function told(client: RawClient, method = 'GET'): Promise<string> {
    const { status, body } = await client.response(method);
    return `${status} ${body}`;
  }

  const service = () => on.gateway.describe()[0]!;
  const targets = () => on.origin.requests.map((got) => got.target);
  const first = () => on.origin.connections[0]!;
  const ok = (text: string) => answer(200, [], text);

  it('are all with the service before the first is answered, and each gets its own answer', async () => {
    await start();
    const clients = [await asked('/1'), await asked('/2'), await asked('/3')];
    await first().send(ok('one') + ok('two') + ok('three'));
    expect(await Promise.all(clients.map((client) => told(client)))).toEqual([
      '200 one',
      '200 two',
      '200 three',
    ]);
    expect(on.origin.connections).toHaveLength(1);
    expect(targets()).toEqual(['/1', '/2', '/3']);
  });

  it('get their answers however these are cut into packets', async () => {
    await start();
    const clients = [await asked('/1'), await asked('/2'), await asked('/3')];
    const chunked = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\ntwo\r\n0\r\n\r\n';
    await first().drip(ok('one') + chunked + ok('three'));
    expect(await Promise.all(clients.map((client) => told(client)))).toEqual([
      '200 one',
      '200 two',
      '200 three',
    ]);
  });

  it('are never more than the number says: the next waits', async () => {
    await start({ pipelining: 2 });
    const clients = [await asked('/1'), await asked('/2'), await ask('/3')];
    await until(() => service().pending === 1, 'one that waits');
    expect(targets()).toEqual(['/1', '/2']);
    await first().send(ok('one'));
    await arrived('/3');
    await first().send(ok('two') + ok('three'));
    expect(await Promise.all(clients.map((client) => told(client)))).toEqual([
      '200 one',
      '200 two',
      '200 three',
    ]);
  });

  it('are none by default', async () => {
    await start({ pipelining: 1 });
    const one = await asked('/1');
    const two = await ask('/2');
    await until(() => service().pending === 1, 'one that waits');
    expect(targets()).toEqual(['/1']);
    await first().send(ok('one'));
    expect(await told(one)).toBe('200 one');
    await arrived('/2');
    await first().send(ok('two'));
    expect(await told(two)).toBe('200 two');
  });

  it('share a connection that is still being made', async () => {
    await start({ pool: { connections: 10 } }, ok('ok'));
    const client = await connected();
    const clients = await Promise.all([connected(), connected(), connected()]);
    await Promise.all([client, ...clients].map((one, i) => one.send(request(`GET /${i} HTTP/1.1`))));
    for (const one of [client, ...clients]) expect(await told(one)).toBe('200 ok');
    expect(on.origin.connections.length).toBeLessThan(4);
  });

  it('of HEAD have no body, whatever length is named', async () => {
    await start();
    const clients = [await asked('/1', 'HEAD'), await asked('/2')];
    await first().send(`HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n${ok('two')}`);
    expect(await told(clients[0]!, 'HEAD')).toBe('200 ');
    expect(await told(clients[1]!)).toBe('200 two');
  });

  it('get the interim answers that stand before their own (RFC 9110 §15.2)', async () => {
    await start();
    const clients = [await asked('/1'), await asked('/2')];
    await first().send(`${ok('one')}HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n${ok('two')}`);
    expect(await told(clients[0]!)).toBe('200 one');
    expect((await clients[1]!.head()).status).toBe(103);
    expect(await told(clients[1]!)).toBe('200 two');
  });

  it.each([
    ['POST', 'POST', [], ''],
    ['POST with content', 'POST', ['Content-Length: 2'], 'hi'],
    ['DELETE', 'DELETE', [], ''],
    ['GET with content', 'GET', ['Content-Length: 2'], 'hi'],
    ['an upgrade', 'GET', ['Connection: Upgrade', 'Upgrade: websocket'], ''],
  ])('never are %s: not behind a GET, and no GET behind it', async (_, method, headers, body) => {
    await start();
    const get = await asked('/get');
    const other = await ask('/other', method, headers, body);
    await until(() => service().pending === 1, 'one that waits');
    const last = await ask('/last');
    await until(() => service().pending === 2, 'the last to wait too');
    expect(targets()).toEqual(['/get']);
    await first().send(ok('get'));
    expect(await told(get)).toBe('200 get');
    await arrived('/other');
    expect(targets()).toEqual(['/get', '/other']);
    await first().send(ok('other'));
    expect(await told(other)).toBe('200 other');
    await arrived('/last');
    await first().send(ok('last'));
    expect(await told(last)).toBe('200 last');
  });

  it('that lose their client in the middle disturb nobody: the answer is thrown away', async () => {
    await start();
    const [one, two, three] = [await asked('/1'), await asked('/2'), await asked('/3')];
    two.close();
    await until(() => service().active === 2, 'the client to be gone');
    await first().send(ok('one') + ok('two') + ok('three'));
    expect(await told(one)).toBe('200 one');
    expect(await told(three)).toBe('200 three');
    expect(targets()).toEqual(['/1', '/2', '/3']);
  });

  it('that lose their client in front disturb nobody, before the answer or within it', async () => {
    await start();
    const [one, two, three] = [await asked('/1'), await asked('/2'), await asked('/3')];
    one.close();
    await until(() => service().active === 2, 'the client to be gone');
    await first().send(`${ok('one')}HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nt`);
    await two.bytes(20);
    two.close();
    await until(() => service().active === 1, 'the client to be gone');
    await first().send(`wo${ok('three')}`);
    expect(await told(three)).toBe('200 three');
    expect(targets()).toEqual(['/1', '/2', '/3']);
  });

  it('that all lose their clients end the connection at once', async () => {
    await start();
    for (const client of [await asked('/1'), await asked('/2')]) client.close();
    await first().closed();
    expect(targets()).toEqual(['/1', '/2']);
  });

  it('are not read on for an answer over 64 KiB that nobody wants: those behind are asked elsewhere', async () => {
    await start();
    const [one, two] = [await asked('/1'), await asked('/2')];
    one.close();
    await until(() => service().active === 1, 'the client to be gone');
    on.origin.answerWith(ok('two'));
    await first().send('HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\nx');
    await first().closed();
    expect(await told(two)).toBe('200 two');
  });

  const breaks: [string, (connection: OriginConnection) => unknown][] = [
    ['a reset', (connection) => connection.reset()],
    ['a FIN', (connection) => connection.end()],
  ];

  it.each(breaks)('that %s leaves without an answer are each asked once more, none twice', async (_, cut) => {
    await start({ retries: { attempts: 0 } });
    const clients = [await asked('/1'), await asked('/2'), await asked('/3'), await asked('/4')];
    await first().send(ok('one'));
    expect(await told(clients[0]!)).toBe('200 one');
    on.origin.answerWith((exchange) => exchange.send(ok(`again ${exchange.request.target}`)));
    cut(first());
    expect(await told(clients[1]!)).toBe('200 again /2');
    expect(await told(clients[2]!)).toBe('200 again /3');
    expect(await told(clients[3]!)).toBe('200 again /4');
    expect(targets().toSorted()).toEqual(['/1', '/2', '/2', '/3', '/3', '/4', '/4']);
  });

  it.each(breaks)('that break again by %s are not asked a third time', async (_, cut) => {
    await start({ retries: { attempts: 0 } });
    const clients = [await asked('/1'), await asked('/2'), await asked('/3')];
    on.origin.answerWith((exchange) => void cut(exchange.connection));
    cut(first());
    for (const client of clients) expect(await told(client)).toMatch(/^502 /);
    expect(targets().toSorted()).toEqual(['/1', '/1', '/2', '/2', '/3', '/3']);
  });

  it('are not asked again where a byte of the answer has come: only those behind are', async () => {
    await start({ retries: { attempts: 0 } });
    const clients = [await asked('/1'), await asked('/2')];
    await first().send('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf');
    await clients[0]!.bytes(20);
    on.origin.answerWith(ok('again'));
    first().reset();
    await expect(told(clients[0]!)).rejects.toThrow();
    expect(await told(clients[1]!)).toBe('200 again');
    expect(targets()).toEqual(['/1', '/2', '/2']);
  });

  it.each([
    ['Connection: close', 'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 3\r\n\r\none'],
    ['HTTP/1.0', 'HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\none'],
    ['Transfer-Encoding that breaks', ''],
  ])('behind an answer with %s are asked on a fresh connection (RFC 9112 §9.6)', async (_, bytes) => {
    await start();
    const clients = [await asked('/1'), await asked('/2'), await asked('/3')];
    on.origin.answerWith((exchange) => exchange.send(ok(`again ${exchange.request.target}`)));
    const broken = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nno size\r\n';
    await first().send((bytes === '' ? broken : bytes) + ok('not theirs'));
    await clients[0]!.bytes(10);
    expect(await told(clients[1]!)).toBe('200 again /2');
    expect(await told(clients[2]!)).toBe('200 again /3');
    expect(targets().toSorted()).toEqual(['/1', '/2', '/2', '/3', '/3']);
  });

  it('that come whole with the FIN behind them all reach their clients', async () => {
    await start();
    const clients = [await asked('/1'), await asked('/2')];
    await first().send(ok('one') + ok('two'));
    first().end();
    expect(await told(clients[0]!)).toBe('200 one');
    expect(await told(clients[1]!)).toBe('200 two');
    expect(targets()).toEqual(['/1', '/2']);
  });

  it('do not wait behind an event stream', async () => {
    await start();
    const [one, two] = [await asked('/1'), await asked('/2')];
    on.origin.answerWith(ok('two'));
    const stream = 'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n';
    await first().send(`${stream}8\r\ndata: 1\n\r\n`);
    expect(await told(two)).toBe('200 two');
    await one.bytes(20);
    expect(on.origin.connections).toHaveLength(2);
  });

  it('do not wait behind an answer that its client does not take', async () => {
    clock = new ManualClock();
    await start({ pool: { connections: 2 } });
    const [one, two] = [await asked('/1'), await asked('/2')];
    one.pause();
    on.origin.answerWith(ok('two'));
    await first().send(`HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n`);
    let sent = 0;
    const sending = (async () => {
      const connection = first();
      for (; sent < 1000; sent++) await connection.send('x'.repeat(64 * 1024));
    })();
    let [still, last] = [0, -1];
    await until(() => {
      still = sent === last ? still + 1 : 0;
      last = sent;
      return still > 20;
    }, 'the answer to stand still');
    clock.advance(1001);
    expect(await told(two)).toBe('200 two');
    one.close();
    await first().closed();
    await sending.catch(() => {});
  });

  it('go to another target where there is one, once their connection broke', async () => {
    clock = new ManualClock();
    await using other = await scriptedOrigin(HOLD);
    const pool = { connections: 2 };
    const retries = { attempts: 0 };
    await start({ others: [other.url], balance: 'roundRobin', pipelining: 2, pool, retries });
    const clients: RawClient[] = [];
    for (let i = 0; i < 4; i++) {
      clients.push(await ask(`/${i}`));
      await until(() => on.origin.requests.length + other.requests.length === i + 1, 'the request');
    }
    expect([on.origin.connections.length, other.connections.length]).toEqual([1, 1]);
    const moved = targets();
    expect(moved).toHaveLength(2);
    other.answerWith(ok('other'));
    first().reset();
    for (const target of moved) expect(await told(clients[Number(target.slice(1))]!)).toBe('200 other');
    expect(targets()).toEqual(moved);
    expect(other.requests.map((got) => got.target).toSorted()).toEqual(['/0', '/1', '/2', '/3']);
  });

  it('that are late are 504 at their own time, and the rest goes on', async () => {
    clock = new ManualClock();
    const routes = {
      slow: { match: '/slow', to: 'shop', timeout: '60s' },
      all: { match: '/*', to: 'shop', timeout: '5s' },
    };
    await start({}, HOLD, routes);
    const [slow, quick, last] = [await asked('/slow'), await asked('/quick'), await asked('/slow?2')];
    clock.advance(5001);
    expect(await told(quick)).toMatch(/^504 /);
    await first().send(ok('slow') + ok('quick') + ok('last'));
    expect(await told(slow)).toBe('200 slow');
    expect(await told(last)).toBe('200 last');
  });

  it('that wait behind one that is late are asked elsewhere', async () => {
    clock = new ManualClock();
    const routes = {
      quick: { match: '/quick', to: 'shop', timeout: '5s' },
      all: { match: '/*', to: 'shop', timeout: '60s' },
    };
    await start({}, HOLD, routes);
    const [quick, behind] = [await asked('/quick'), await asked('/behind')];
    on.origin.answerWith(ok('behind'));
    clock.advance(5001);
    expect(await told(quick)).toMatch(/^504 /);
    expect(await told(behind)).toBe('200 behind');
  });

  it('count among the requests that the service has under way', async () => {
    await start({ breaker: { maxRequests: 2, maxPending: 0 } });
    const clients = [await asked('/1'), await asked('/2')];
    expect(service().active).toBe(2);
    expect(await told(await ask('/3'))).toMatch(/^503 /);
    await first().send(ok('one') + ok('two'));
    for (const client of clients) expect(await told(client)).toMatch(/^200 /);
    await until(() => service().active === 0, 'nothing under way');
  });

  it('are written together where they come together, and the connection is used again after all', async () => {
    await start({}, ok('ok'));
    for (let round = 0; round < 3; round++) {
      const clients = await Promise.all([connected(), connected(), connected()]);
      await Promise.all(clients.map((client) => client.send(request('GET / HTTP/1.1'))));
      const answers: RawResponse[] = await Promise.all(clients.map((client) => client.response()));
      expect(answers.map(({ body }) => body.toString())).toEqual(['ok', 'ok', 'ok']);
    }
    expect(on.origin.connections).toHaveLength(1);
    expect(on.origin.requests).toHaveLength(9);
  });
});
