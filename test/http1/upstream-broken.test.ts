import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { answer, Truncated } from '../../src/testkit/index.ts';
import { expectProblem, request, type Stage, stage } from './stage.ts';

type Ending = 'keep' | 'fin' | 'reset';

interface Broken {
  name: string;
  rfc: string;
  bytes: string;
  ending: Ending;
}

const OK = 'HTTP/1.1 200 OK\r\n';

function broken(name: string, rfc: string, bytes: string, ending: Ending = 'keep'): Broken {
  return { name, rfc, bytes, ending };
}

const UNREADABLE: Broken[] = [
  broken('not HTTP at all', 'RFC 9112 §4', 'hello\r\n\r\n'),
  broken('a banner of another protocol', 'RFC 9112 §4', '220 mail.test ESMTP\r\n\r\n'),
  broken('HTTP/2', 'RFC 9112 §4', 'HTTP/2 200 OK\r\n\r\n'),
  broken('a version of its own', 'RFC 9112 §4', 'HTTP/1.2 200 OK\r\nContent-Length: 0\r\n\r\n'),
  broken('a version in lower case', 'RFC 9112 §4', 'http/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'),
  broken('a status of two digits', 'RFC 9112 §4', 'HTTP/1.1 20 OK\r\nContent-Length: 0\r\n\r\n'),
  broken('a status of four digits', 'RFC 9112 §4', 'HTTP/1.1 2000 OK\r\nContent-Length: 0\r\n\r\n'),
  broken('a status below 100', 'RFC 9110 §15', 'HTTP/1.1 099 OK\r\nContent-Length: 0\r\n\r\n'),
  broken('a status that is no number', 'RFC 9112 §4', 'HTTP/1.1 abc OK\r\nContent-Length: 0\r\n\r\n'),
  broken('two spaces before the status', 'RFC 9112 §4', 'HTTP/1.1  200 OK\r\nContent-Length: 0\r\n\r\n'),
  broken('NUL in the reason', 'RFC 9112 §4', 'HTTP/1.1 200 O\x00K\r\nContent-Length: 0\r\n\r\n'),
  broken('LF alone', 'RFC 9112 §2.2', 'HTTP/1.1 200 OK\nContent-Length: 2\n\nok'),
  broken('LF alone after one header', 'RFC 9112 §2.2', `${OK}X-A: b\nContent-Length: 2\r\n\r\nok`),
  broken('a bare CR in a value', 'RFC 9112 §2.2', `${OK}X-A: b\rc\r\nContent-Length: 2\r\n\r\nok`),
  broken('NUL in a value', 'RFC 9110 §5.5', `${OK}X-A: b\x00c\r\nContent-Length: 2\r\n\r\nok`),
  broken('a space before a colon', 'RFC 9112 §5.1', `${OK}Content-Length : 2\r\n\r\nok`),
  broken('a folded header', 'RFC 9112 §5.2', `${OK}X-A: b\r\n c\r\nContent-Length: 2\r\n\r\nok`),
  broken('a header without a colon', 'RFC 9112 §5', `${OK}X-A\r\nContent-Length: 2\r\n\r\nok`),
  broken('a header without a name', 'RFC 9112 §5', `${OK}: b\r\nContent-Length: 2\r\n\r\nok`),
  broken(
    'a length beside chunked',
    'RFC 9112 §6.3',
    `${OK}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
  ),
  broken('two different lengths', 'RFC 9112 §6.3', `${OK}Content-Length: 2\r\nContent-Length: 3\r\n\r\nok`),
  broken('a list of lengths', 'RFC 9110 §8.6', `${OK}Content-Length: 2, 3\r\n\r\nok`),
  broken('a signed length', 'RFC 9110 §8.6', `${OK}Content-Length: +2\r\n\r\nok`),
  broken('a negative length', 'RFC 9110 §8.6', `${OK}Content-Length: -2\r\n\r\nok`),
  broken('a length beyond 64 bits', 'RFC 9110 §8.6', `${OK}Content-Length: 99999999999999999999\r\n\r\nok`),
  broken('an unknown coding', 'RFC 9112 §6.1', `${OK}Transfer-Encoding: cow\r\n\r\nok`),
  broken(
    'chunked that is not last',
    'RFC 9112 §6.1',
    `${OK}Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n`,
  ),
  broken('chunked twice', 'RFC 9112 §6.1', `${OK}Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n`),
  broken(
    'a head over 64 KiB',
    'RFC 9110 §5.4',
    `${OK}X-A: ${'a'.repeat(70_000)}\r\nContent-Length: 2\r\n\r\nok`,
  ),
  broken('a head that never ends', 'RFC 9110 §5.4', `${OK}${'X-A: b\r\n'.repeat(20_000)}`),
  broken('a status line that never ends', 'RFC 9110 §5.4', `HTTP/1.1 200 ${'O'.repeat(100_000)}`),
  broken('seventeen interim answers', 'RFC 9110 §15.2', 'HTTP/1.1 103 E\r\n\r\n'.repeat(17) + answer(200)),
  broken(
    '101 that nobody asked for',
    'RFC 9110 §15.2.2',
    'HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n',
  ),
  broken('nothing, then FIN', 'RFC 9112 §9.5', '', 'fin'),
  broken('nothing, then RST', 'RFC 9112 §9.5', '', 'reset'),
  broken('half a status line, then FIN', 'RFC 9112 §8', 'HTTP/1.1 20', 'fin'),
  broken('half a head, then FIN', 'RFC 9112 §8', `${OK}Content-Len`, 'fin'),
  broken('half a head, then RST', 'RFC 9112 §8', `${OK}Content-Len`, 'reset'),
  broken('an interim answer, then FIN', 'RFC 9112 §8', 'HTTP/1.1 103 E\r\n\r\n', 'fin'),
];

const CUT: Broken[] = [
  broken('a length cut by FIN', 'RFC 9112 §8', `${OK}Content-Length: 10\r\n\r\nhalf`, 'fin'),
  broken('a length cut by RST', 'RFC 9112 §8', `${OK}Content-Length: 10\r\n\r\nhalf`, 'reset'),
  broken('chunks cut by FIN', 'RFC 9112 §8', `${OK}Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n`, 'fin'),
  broken('chunks cut by RST', 'RFC 9112 §8', `${OK}Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n`, 'reset'),
  broken(
    'chunks cut within a chunk',
    'RFC 9112 §8',
    `${OK}Transfer-Encoding: chunked\r\n\r\n9\r\nhalf`,
    'fin',
  ),
  broken(
    'chunks cut before the last CRLF',
    'RFC 9112 §7.1',
    `${OK}Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n0\r\n`,
    'fin',
  ),
  broken(
    'a chunk with a bad size',
    'RFC 9112 §7.1',
    `${OK}Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\nzz\r\n`,
  ),
  broken(
    'a chunk longer than its size',
    'RFC 9112 §7.1',
    `${OK}Transfer-Encoding: chunked\r\n\r\n4\r\nhalfmore\r\n0\r\n\r\n`,
  ),
  broken(
    'a chunk size ended by LF',
    'RFC 9112 §7.1',
    `${OK}Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n4\nmore\r\n0\r\n\r\n`,
  ),
  broken(
    'a trailer that is none',
    'RFC 9112 §7.1.2',
    `${OK}Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n0\r\nX A: b\r\n\r\n`,
  ),
  broken('no framing, cut by RST', 'RFC 9112 §8', `${OK}\r\nhalf`, 'reset'),
];

describe('a service that breaks HTTP', () => {
  let on: Stage;
  beforeAll(async () => {
    on = await stage();
  });
  afterAll(() => on.close());

  function answerBroken({ bytes, ending }: Broken): void {
    on.origin.answerWith(async (exchange) => {
      await exchange.send(bytes);
      if (ending === 'fin') exchange.connection.end();
      // The bytes must have been read before the reset throws the rest away.
      if (ending === 'reset') setTimeout(() => exchange.connection.reset(), bytes === '' ? 0 : 50);
    });
  }

  it.each(UNREADABLE)('$name is 502, once, and its connection is not used again ($rfc)', async (row) => {
    answerBroken(row);
    const client = await on.client();
    await client.send(request('POST / HTTP/1.1', ['Host: a', 'Content-Length: 0']));
    const response = await client.response();
    expect(response.status).toBe(502);
    expectProblem(response);
    await on.origin.requests.at(-1)!.connection.closed();
    // The client's own connection is in order.
    on.origin.answerWith(answer(200, [], 'next'));
    await client.send(request('GET /next HTTP/1.1'));
    expect((await client.response()).body.toString()).toBe('next');
  });

  it.each(CUT)('$name is visibly cut for the client, never completed ($rfc)', async (row) => {
    answerBroken(row);
    const client = await on.client();
    await client.send(request('GET / HTTP/1.1'));
    await expect(client.response()).rejects.toThrow(Truncated);
    await client.closed();
  });

  it.each(CUT)(
    '$name ends in a reset for an HTTP/1.0 client, to whom FIN would look whole ($rfc)',
    async (row) => {
      answerBroken(row);
      const client = await on.client();
      await client.send(request('GET / HTTP/1.0', ['Host: a']));
      await expect(client.response()).rejects.toThrow(Truncated);
      if (!row.bytes.includes('Content-Length')) expect(await client.closed()).toBe('reset');
    },
  );

  it('a service that cannot be reached is 502', async () => {
    const own = await stage();
    const client = await own.client();
    await own.origin.close();
    await client.send(request('GET / HTTP/1.1'));
    const response = await client.response();
    expect(response.status).toBe(502);
    expectProblem(response);
    await own.gateway.close();
  });
});
