import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { answer, type OriginExchange, type RawResponse, turn } from '../../src/testkit/index.ts';
import { post, request, type Stage, stage } from './stage.ts';

/** A packet may end anywhere: the same bytes mean the same, however they are cut. */

const echo = async (exchange: OriginExchange) => {
  const body = await exchange.body();
  const { method, target, headers, trailers } = exchange.request;
  const kept = headers.filter(([name]) => !/^(x-request-id|traceparent)$/i.test(name));
  const seen = JSON.stringify({ method, target, kept, trailers, body: body.toString('latin1') });
  await exchange.send(
    method === 'HEAD' ? 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n' : answer(200, [], seen),
  );
};

const REQUESTS: [name: string, bytes: string][] = [
  ['a GET', request('GET /a?b=c HTTP/1.1', ['Host: a', 'Accept: */*'])],
  ['an empty line first', `\r\n${request('GET / HTTP/1.1', ['Host: a'])}`],
  ['many headers', request('GET / HTTP/1.1', ['Host: a', 'X-A:1', 'X-B: \t2 ', 'X-C:', 'x-a: 3'])],
  ['an absolute target', request('GET http://b.test/x HTTP/1.1', ['Host: a'])],
  ['a body by its length', post(['Content-Length: 5'], 'hello')],
  ['an empty body', post(['Content-Length: 0'], '')],
  ['a body that looks like a head', post(['Content-Length: 22'], 'GET / HTTP/1.1\r\n\r\n\r\n\r\n')],
  ['chunks', post(['Transfer-Encoding: chunked'], '5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n')],
  [
    'chunks with extensions and trailers',
    post(['Transfer-Encoding: chunked'], '2;a="b;\\"c"\r\nhi\r\n0;x\r\nX-T: 1\r\nX-U: 2\r\n\r\n'),
  ],
  ['two pipelined', request('GET /1 HTTP/1.1', ['Host: a']) + request('GET /2 HTTP/1.1', ['Host: a'])],
  [
    'a body, then another request',
    post(['Content-Length: 2'], 'hi') + request('GET /2 HTTP/1.1', ['Host: a']),
  ],
  [
    'chunks, then another request',
    post(['Transfer-Encoding: chunked'], '2\r\nhi\r\n0\r\n\r\n') + request('HEAD /2 HTTP/1.1', ['Host: a']),
  ],
  ['HTTP/1.0', request('GET /old HTTP/1.0', ['Host: a'])],
  ['a space before a colon', request('GET / HTTP/1.1', ['Host : a'])],
  ['a bare LF', 'GET / HTTP/1.1\nHost: a\r\n\r\n'],
  ['a bare CR', 'GET / HTTP/1.1\r\nHost: a\rX: b\r\n\r\n'],
  ['a length beside chunks', post(['Content-Length: 5', 'Transfer-Encoding: chunked'], '0\r\n\r\n')],
  ['a broken chunk size', post(['Transfer-Encoding: chunked'], '5\r\nhello\r\nx\r\n')],
  ['a chunk too long', post(['Transfer-Encoding: chunked'], '4\r\nhello\r\n0\r\n\r\n')],
  ['a broken trailer', post(['Transfer-Encoding: chunked'], '0\r\nX : 1\r\n\r\n')],
];

const OK = 'HTTP/1.1 200 OK\r\n';
const ANSWERS: [name: string, bytes: string, fin?: boolean][] = [
  ['a body by its length', `${OK}X-A: b\r\nContent-Length: 5\r\n\r\nhello`],
  ['chunks', `${OK}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6;x=y\r\n world\r\n0\r\n\r\n`],
  ['chunks with trailers', `${OK}Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nX-T: 1\r\n\r\n`],
  [
    'interim answers',
    `HTTP/1.1 103 E\r\nLink: a\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n${OK}Content-Length: 2\r\n\r\nok`,
  ],
  ['204', 'HTTP/1.1 204 No\r\nX-A: b\r\n\r\n'],
  ['no framing', `${OK}X-A: b\r\n\r\nuntil the end`, true],
  ['a broken status line', 'HTTP/1.1 20x OK\r\nContent-Length: 2\r\n\r\nok'],
  ['a bare LF', 'HTTP/1.1 200 OK\nContent-Length: 2\r\n\r\nok', true],
  ['two lengths', `${OK}Content-Length: 2\r\nContent-Length: 3\r\n\r\nok`],
];

describe('the same bytes mean the same, however they are cut', () => {
  let on: Stage;
  beforeAll(async () => {
    on = await stage({ script: echo });
  });
  afterAll(() => on.close());

  /** All answers to what was sent, until the end that follows the client's last word. */
  async function outcome(bytes: string, offsets: number[]): Promise<string> {
    const client = await on.client();
    // Requests have a header behind their request line; a body that only looks like one has none.
    const methods = [...bytes.matchAll(/([A-Z]+) \S+ HTTP\/1.*\r?\n\w/g)].map((match) => match[1]!);
    await client.sendSplit(bytes, offsets);
    const seen: string[] = [];
    for (const method of methods) {
      const answer = await client.response(method).catch((error: Error) => error.name);
      seen.push(typeof answer === 'string' ? answer : summary(answer));
      if (typeof answer === 'string' || answer.status >= 400) break;
    }
    client.end();
    seen.push((await client.rest()).toString('latin1'));
    client.close();
    return seen.join('\n');
  }

  it.each(REQUESTS)('a request with %s, cut at every byte', async (_, bytes) => {
    on.origin.answerWith(echo);
    const whole = await outcome(bytes, []);
    for (let at = 1; at < bytes.length; at++)
      expect(`${at} ${await outcome(bytes, [at])}`).toBe(`${at} ${whole}`);
  });

  it.each(REQUESTS)('a request with %s, byte by byte', async (_, bytes) => {
    on.origin.answerWith(echo);
    const every = Array.from({ length: bytes.length }, (_unused, i) => i);
    expect(await outcome(bytes, every)).toBe(await outcome(bytes, []));
  });

  async function answered(pieces: string[], fin: boolean): Promise<string> {
    on.origin.answerWith(async (exchange) => {
      for (const piece of pieces) {
        await exchange.send(piece);
        await turn();
      }
      if (fin) exchange.connection.end();
    });
    const client = await on.client();
    await client.send(
      request('POST / HTTP/1.1', ['Host: a', 'Content-Length: 0', 'TE: trailers', 'Connection: TE']),
    );
    const response = await client.response().catch((error: Error) => error.name);
    client.close();
    return typeof response === 'string' ? response : summary(response);
  }

  it.each(ANSWERS)('an answer with %s, cut at every byte', async (_, bytes, fin = false) => {
    const whole = await answered([bytes], fin);
    for (let at = 1; at < bytes.length; at++) {
      expect(`${at} ${await answered([bytes.slice(0, at), bytes.slice(at)], fin)}`).toBe(`${at} ${whole}`);
    }
  });

  it.each(ANSWERS)('an answer with %s, byte by byte', async (_, bytes, fin = false) => {
    expect(await answered([...bytes], fin)).toBe(await answered([bytes], fin));
  });
});

function summary(response: RawResponse): string {
  const headers = response.headers.filter(([name]) => !/^(x-request-id|date)$/i.test(name));
  const interim = response.interim.map((head) => head.status);
  // Problem documents name the request's id.
  const body = response.body.toString('latin1').replace(/"instance":"[^"]*"/, '');
  return JSON.stringify({ ...response, raw: undefined, headers, interim, body });
}
