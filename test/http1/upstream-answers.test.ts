import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { answer, headerValue, headerValues, type RawResponse } from '../../src/testkit/index.ts';
import { names, request, type Stage, stage } from './stage.ts';

const OK = 'HTTP/1.1 200 OK\r\n';

describe('what a client gets of an answer', () => {
  let on: Stage;
  beforeAll(async () => {
    on = await stage();
  });
  afterAll(() => on.close());

  async function through(
    bytes: string,
    method = 'GET',
    ending: 'keep' | 'fin' = 'keep',
  ): Promise<RawResponse> {
    on.origin.answerWith(async (exchange) => {
      await exchange.send(bytes);
      if (ending === 'fin') exchange.connection.end();
    });
    const client = await on.client();
    await client.send(request(`${method} / HTTP/1.1`, ['Host: a', 'TE: trailers', 'Connection: TE']));
    const response = await client.response(method);
    // Whatever the framing was, the connection must be in order for the next request.
    on.origin.answerWith(answer(200, [], 'next'));
    await client.send(request('GET /next HTTP/1.1'));
    expect((await client.response()).body.toString()).toBe('next');
    client.close();
    return response;
  }

  it('a body by its length (RFC 9112 §6.2)', async () => {
    const response = await through(`${OK}Content-Length: 5\r\n\r\nhello`);
    expect([response.framing, response.body.toString()]).toEqual(['length', 'hello']);
  });

  it('an empty body (RFC 9112 §6.2)', async () => {
    expect((await through(`${OK}Content-Length: 0\r\n\r\n`)).body.length).toBe(0);
  });

  it('a body in chunks, extensions left out (RFC 9112 §7.1)', async () => {
    const response = await through(
      `${OK}Transfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n6\r\n world\r\n0\r\n\r\n`,
    );
    expect(response.body.toString()).toBe('hello world');
    expect(response.raw.toString('latin1')).not.toContain('a=b');
  });

  it('trailers behind the chunks (RFC 9112 §7.1.2)', async () => {
    const bytes = `${OK}Trailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX-Sum: 1\r\nSet-Cookie: a=b\r\n\r\n`;
    expect((await through(bytes)).trailers).toEqual([['X-Sum', '1']]);
  });

  it('a body that ends with the connection, in chunks (RFC 9112 §6.3)', async () => {
    const response = await through(`${OK}X-A: b\r\n\r\nuntil the end`, 'GET', 'fin');
    expect([response.framing, response.body.toString()]).toEqual(['chunked', 'until the end']);
  });

  it('a body from an HTTP/1.0 service (RFC 9112 §9.3)', async () => {
    const response = await through('HTTP/1.0 200 OK\r\n\r\nold', 'GET', 'fin');
    expect([response.version, response.body.toString()]).toEqual(['1.1', 'old']);
  });

  it('a body by its length from an HTTP/1.0 service that closes', async () => {
    expect(
      (await through('HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nold', 'GET', 'fin')).body.toString(),
    ).toBe('old');
  });

  it.each([
    ['with a length', `${OK}Content-Length: 5\r\n\r\n`, '5'],
    ['in chunks', `${OK}Transfer-Encoding: chunked\r\n\r\n`, undefined],
    ['without framing', `${OK}\r\n`, undefined],
  ])('HEAD %s: no body (RFC 9110 §9.3.2)', async (_, bytes, length) => {
    const response = await through(bytes, 'HEAD', _ === 'without framing' ? 'fin' : 'keep');
    expect(response.body.length).toBe(0);
    if (length !== undefined) expect(headerValue(response, 'content-length')).toBe(length);
  });

  it.each(['', 'Content-Length: 0\r\n', 'Content-Length: 5\r\n', 'Transfer-Encoding: chunked\r\n'])(
    '204 with %j: no body, no length (RFC 9110 §8.6)',
    async (framing) => {
      const response = await through(`HTTP/1.1 204 No Content\r\n${framing}\r\n`);
      expect(names(response)).not.toContain('content-length');
      expect(names(response)).not.toContain('transfer-encoding');
    },
  );

  it('304 with a length: no body, the length kept (RFC 9110 §15.4.5)', async () => {
    const response = await through('HTTP/1.1 304 Not Modified\r\nETag: "a"\r\nContent-Length: 5\r\n\r\n');
    expect([headerValue(response, 'etag'), response.body.length]).toEqual(['"a"', 0]);
  });

  it.each([
    ['103', 'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n', [103]],
    ['two of 103', 'HTTP/1.1 103 E\r\nLink: a\r\n\r\nHTTP/1.1 103 E\r\nLink: b\r\n\r\n', [103, 103]],
    ['102', 'HTTP/1.1 102 Processing\r\n\r\n', [102]],
    ['sixteen of 103', 'HTTP/1.1 103 E\r\n\r\n'.repeat(16), Array(16).fill(103)],
  ])('interim answers as they came: %s (RFC 9110 §15.2)', async (_, interim, statuses) => {
    const response = await through(interim + answer(200, [], 'ok'));
    expect(response.interim.map((head) => head.status)).toEqual(statuses);
    expect(response.body.toString()).toBe('ok');
  });

  it("an interim answer's headers, hop-by-hop ones left out", async () => {
    const response = await through(
      `HTTP/1.1 103 E\r\nLink: </a>\r\nConnection: x\r\nKeep-Alive: 1\r\n\r\n${answer(200)}`,
    );
    const hints = response.interim[0]!.headers.filter(([name]) => !/^(date|x-request-id|via)$/i.test(name));
    expect(hints).toEqual([['Link', '</a>']]);
  });

  it.each([
    ['an empty reason', 'HTTP/1.1 200 \r\n'],
    ['no reason and no space', 'HTTP/1.1 200\r\n'],
    ['a reason in another script', 'HTTP/1.1 200 \xe9\xff\r\n'],
    ['an unknown status', 'HTTP/1.1 299 Odd\r\n'],
  ])('an answer with %s (RFC 9112 §4)', async (_, line) => {
    const response = await through(`${line}Content-Length: 2\r\n\r\nok`);
    expect(response.status).toBe(_ === 'an unknown status' ? 299 : 200);
  });

  it('headers in their order and spelling, Set-Cookie one by one (RFC 6265 §3)', async () => {
    const response = await through(
      `${OK}Set-Cookie: a=1\r\nX-Odd_Name: caf\xe9\r\nset-cookie: b=2, c\r\nContent-Length: 0\r\n\r\n`,
    );
    expect(headerValues(response, 'set-cookie')).toEqual(['a=1', 'b=2, c']);
    expect(response.headers).toContainEqual(['X-Odd_Name', 'caf\xe9']);
  });

  it('no hop-by-hop headers, and none that Connection names (RFC 9110 §7.6.1)', async () => {
    const hop =
      'Connection: X-One, keep-alive\r\nX-One: 1\r\nKeep-Alive: timeout=5\r\nProxy-Connection: a\r\nUpgrade: h2c\r\n';
    const response = await through(`${OK}${hop}X-Two: 2\r\nContent-Length: 0\r\n\r\n`);
    for (const gone of ['x-one', 'keep-alive', 'proxy-connection', 'upgrade'])
      expect(names(response)).not.toContain(gone);
    expect(headerValue(response, 'x-two')).toBe('2');
  });

  it('no TE, and no Trailer where none can follow (RFC 9110 §7.6.1, §6.6.2)', async () => {
    const sized = await through(`${OK}TE: trailers\r\nTrailer: X-Sum\r\nContent-Length: 2\r\n\r\nok`);
    expect(names(sized)).not.toContain('te');
    expect(names(sized)).not.toContain('trailer');
    const chunked = await through(`${OK}Trailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`);
    expect(headerValue(chunked, 'trailer')).toBe('X-Sum');
  });

  it('the protocols that a 426 asks for (RFC 9110 §15.5.22)', async () => {
    const response = await through(
      'HTTP/1.1 426 Upgrade Required\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nContent-Length: 2\r\n\r\nno',
    );
    expect([headerValue(response, 'upgrade'), headerValue(response, 'connection')]).toEqual([
      'websocket',
      'Upgrade',
    ]);
  });

  it.each([
    [413, 'Content Too Large'],
    [422, 'Unprocessable Content'],
  ])('%i with the phrase of RFC 9110: %s', async (status, phrase) => {
    const response = await through(`HTTP/1.1 ${status} Other\r\nContent-Length: 0\r\n\r\n`);
    expect(response.raw.toString('latin1')).toContain(`HTTP/1.1 ${status} ${phrase}\r\n`);
  });

  it('a length that Connection named all the same (RFC 9110 §7.6.1)', async () => {
    const response = await through(
      `${OK}Connection: Content-Length, Transfer-Encoding\r\nContent-Length: 2\r\n\r\nok`,
    );
    expect(response.body.toString()).toBe('ok');
  });

  it('a Date where the service sent none (RFC 9110 §6.6.1)', async () => {
    expect(headerValue(await through(`${OK}Content-Length: 0\r\n\r\n`), 'date')).toMatch(/GMT$/);
  });

  it('one Date where the service sent one', async () => {
    const date = 'Tue, 15 Nov 1994 08:12:31 GMT';
    expect(headerValues(await through(`${OK}Date: ${date}\r\nContent-Length: 0\r\n\r\n`), 'date')).toEqual([
      date,
    ]);
  });

  it('a head of 60 KiB', async () => {
    const response = await through(`${OK}X-Long: ${'a'.repeat(60 * 1024)}\r\nContent-Length: 2\r\n\r\nok`);
    expect(headerValue(response, 'x-long')).toHaveLength(60 * 1024);
  });

  it('a large body whole, in either framing', async () => {
    const body = 'x'.repeat(3_000_000);
    expect((await through(answer(200, [], body))).body.length).toBe(body.length);
    const chunk = `10000\r\n${'y'.repeat(65536)}\r\n`;
    expect(
      (await through(`${OK}Transfer-Encoding: chunked\r\n\r\n${chunk.repeat(20)}0\r\n\r\n`)).body.length,
    ).toBe(65536 * 20);
  });
});
