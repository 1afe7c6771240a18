import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { answer, type OriginExchange, until } from '../../src/testkit/index.ts';
import { request, type Stage, stage } from './stage.ts';

const OK = 'HTTP/1.1 200 OK\r\n';

describe('connections to a service', () => {
  let on: Stage;
  beforeEach(async () => {
    on = await stage();
  });
  afterEach(() => on.close());

  async function ask(target: string, method = 'GET'): Promise<string> {
    const client = await on.client();
    await client.send(request(`${method} ${target} HTTP/1.1`));
    const response = await client.response(method);
    client.close();
    return `${response.status} ${response.body}`;
  }

  it('are used again (RFC 9112 §9.3)', async () => {
    for (let i = 0; i < 5; i++) expect(await ask(`/${i}`)).toBe('200 ok');
    expect(on.origin.connections).toHaveLength(1);
  });

  it.each([
    ['Connection: close', `${OK}Connection: close\r\nContent-Length: 2\r\n\r\nok`],
    ['HTTP/1.0', 'HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok'],
  ])('are not used again after %s (RFC 9112 §9.3)', async (_, bytes) => {
    on.origin.answerWith(bytes);
    await ask('/1');
    await ask('/2');
    expect(on.origin.connections).toHaveLength(2);
  });

  const EVIL = 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil';

  it.each([
    ['a whole answer behind the answer', answer(200, [], 'ok') + EVIL, 'GET'],
    ['a body behind an answer to HEAD', `${OK}Content-Length: ${EVIL.length}\r\n\r\n${EVIL}`, 'HEAD'],
    ['a body behind 204', `HTTP/1.1 204 No\r\n\r\n${EVIL}`, 'GET'],
    ['a body behind 304', `HTTP/1.1 304 Not\r\nContent-Length: ${EVIL.length}\r\n\r\n${EVIL}`, 'GET'],
    ['more than its length', `${OK}Content-Length: 2\r\n\r\nok${EVIL}`, 'GET'],
    ['bytes behind the last chunk', `${OK}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n${EVIL}`, 'GET'],
    ['an empty line', `${answer(200, [], 'ok')}\r\n`, 'GET'],
  ])(
    'with %s are thrown away: nobody gets what nobody asked for (RFC 9112 §9.2)',
    async (_, bytes, method) => {
      on.origin.answerWith([bytes, answer(200, [], 'right')]);
      await ask('/first', method);
      await on.origin.requests[0]!.connection.closed();
      expect(await ask('/second')).toBe('200 right');
      expect(on.origin.requests.map((got) => got.target)).toEqual(['/first', '/second']);
      expect(on.origin.connections).toHaveLength(2);
    },
  );

  it('that send something while idle are thrown away', async () => {
    await ask('/first');
    await on.origin.connections[0]!.send(EVIL);
    await on.origin.connections[0]!.closed();
    on.origin.answerWith(answer(200, [], 'right'));
    expect(await ask('/second')).toBe('200 right');
  });

  it('are given up when the service closes them while idle', async () => {
    await ask('/first');
    on.origin.connections[0]!.end();
    await on.origin.connections[0]!.closed();
    expect(await ask('/second')).toBe('200 ok');
  });

  it('that close under an idempotent request lose nothing: it is asked once more, on a fresh one', async () => {
    const closeOnce = (exchange: OriginExchange) => exchange.connection.end();
    on.origin.answerWith([answer(200, [], 'first'), closeOnce, answer(200, [], 'again')]);
    expect(await ask('/first')).toBe('200 first');
    expect(await ask('/second')).toBe('200 again');
    expect(on.origin.requests.map((got) => got.target)).toEqual(['/first', '/second', '/second']);
  });

  it('that close under an unsafe request: it is not sent twice (RFC 9110 §9.2.2)', async () => {
    const closeOnce = (exchange: OriginExchange) => exchange.connection.end();
    on.origin.answerWith([answer(200, [], 'first'), closeOnce, answer(200, [], 'again')]);
    await ask('/first');
    expect(await ask('/second', 'POST')).toMatch(/^502/);
    expect(on.origin.requests.filter((got) => got.method === 'POST')).toHaveLength(1);
  });

  it('are not used again when the service answered before it had read the body', async () => {
    on.origin.answerWith((exchange) => exchange.send(answer(413, [], 'no')));
    const client = await on.client();
    await client.send(request('POST /up HTTP/1.1', ['Host: a', 'Content-Length: 1000000'], 'x'.repeat(100)));
    expect((await client.response()).status).toBe(413);
    await on.origin.requests[0]!.connection.closed();
    on.origin.answerWith(answer(200, [], 'ok'));
    expect(await ask('/after')).toBe('200 ok');
    expect(on.origin.connections).toHaveLength(2);
  });

  it('are closed when they have been idle for long', async () => {
    const own = await stage({ service: { pool: { idle: '100ms' } } });
    try {
      const client = await own.client();
      await client.send(request('GET / HTTP/1.1'));
      await client.response();
      await own.origin.connections[0]!.closed();
    } finally {
      await own.close();
    }
  });

  it("are kept a second less than the service's Keep-Alive says, in whichever answer it says so", async () => {
    const own = await stage({ service: { pool: { idle: '60s' } } });
    try {
      const client = await own.client();
      await client.send(request('GET /silent HTTP/1.1'));
      await client.response();
      own.origin.answerWith(answer(200, [['Keep-Alive', 'max=100, timeout=1']], 'ok'));
      await client.send(request('GET /says HTTP/1.1'));
      await client.response();
      expect(own.origin.connections).toHaveLength(1);
      await own.origin.connections[0]!.closed();
    } finally {
      await own.close();
    }
  });

  it('stay within their bound: more requests wait their turn', async () => {
    const own = await stage({ service: { pool: { connections: 2 } } });
    try {
      const clients = await Promise.all(Array.from({ length: 6 }, () => own.client()));
      for (const client of clients) await client.send(request('GET / HTTP/1.1'));
      for (const client of clients) expect((await client.response()).status).toBe(200);
      expect(own.origin.connections.length).toBeLessThanOrEqual(2);
      await until(() => own.origin.requests.length === 6, 'all six requests');
    } finally {
      await own.close();
    }
  });
});
