import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectBodyRefused, names, post, type Refusal, refusal, type Stage, stage } from './stage.ts';

const HEADERS = ['Transfer-Encoding: chunked'];

function bad(name: string, body: string, rfc = 'RFC 9112 §7.1'): Refusal {
  return refusal(name, rfc, post(HEADERS, body), 400, 413, 431);
}

const BROKEN: Refusal[] = [
  bad('a size that is no number', 'g\r\nhello\r\n0\r\n\r\n'),
  bad('an empty size', '\r\nhello\r\n0\r\n\r\n'),
  bad('a size with 0x', '0x5\r\nhello\r\n0\r\n\r\n'),
  bad('a size with a plus', '+5\r\nhello\r\n0\r\n\r\n'),
  bad('a size with a minus', '-5\r\nhello\r\n0\r\n\r\n'),
  bad('a size with a leading space', ' 5\r\nhello\r\n0\r\n\r\n'),
  bad('a size with a trailing space', '5 \r\nhello\r\n0\r\n\r\n'),
  bad('a size with an underscore', '5_0\r\nhello\r\n0\r\n\r\n'),
  bad('a size beyond 64 bits', '10000000000000005\r\nhello\r\n0\r\n\r\n'),
  bad('a size that is all f', 'ffffffffffffffff\r\nhello\r\n0\r\n\r\n'),
  bad('a size ended by LF', '5\nhello\r\n0\r\n\r\n'),
  bad('a size ended by CR', '5\rhello\r\n0\r\n\r\n'),
  bad('a size ended by CR CR LF', '5\r\r\nhello\r\n0\r\n\r\n'),
  bad('data longer than its size', '4\r\nhello\r\n0\r\n\r\n'),
  bad('data shorter than its size', '6\r\nhello\r\n0\r\n\r\n'),
  bad('data without its CRLF', '5\r\nhello0\r\n\r\n'),
  bad('data ended by LF', '5\r\nhello\n0\r\n\r\n'),
  bad('data ended by CR', '5\r\nhello\r0\r\n\r\n'),
  bad('data ended by two other bytes', '5\r\nhelloXX0\r\n\r\n'),
  bad('a last chunk ended by LF', '5\r\nhello\r\n0\n\r\n'),
  bad('a last chunk with LF as the empty line', '5\r\nhello\r\n0\r\n\n'),
  bad('an extension with a bare CR', '5;a\rb\r\nhello\r\n0\r\n\r\n', 'RFC 9112 §7.1.1'),
  bad('an extension with a bare LF', '5;a\nhello\r\n0\r\n\r\n', 'RFC 9112 §7.1.1'),
  bad('an extension of nothing but LF', '5;\nhello\r\n0\r\n\r\n', 'RFC 9112 §7.1.1'),
  bad('an extension with NUL', '5;a\x00b\r\nhello\r\n0\r\n\r\n', 'RFC 9112 §7.1.1'),
  bad('an extension with CRLF in quotes', '5;a="\r\n"\r\nhello\r\n0\r\n\r\n', 'RFC 9112 §7.1.1'),
  bad('an extension without a name', '5;\r\nhello\r\n0\r\n\r\n', 'RFC 9112 §7.1.1'),
  bad('an extension with two equals signs', '5;a==b\r\nhello\r\n0\r\n\r\n', 'RFC 9112 §7.1.1'),
  bad('an extension with a quote amid its value', '5;a=b"c"\r\nhello\r\n0\r\n\r\n', 'RFC 9112 §7.1.1'),
  bad('an extension with a quote that is not closed', '5;a="b\r\nhello\r\n0\r\n\r\n', 'RFC 9112 §7.1.1'),
  bad('an extension without an end', `5;${'a'.repeat(70_000)}\r\nhello\r\n0\r\n\r\n`, 'RFC 9112 §7.1.1'),
  bad('a trailer ended by LF', '0\r\nX-A: b\n\r\n', 'RFC 9112 §7.1.2'),
  bad('a trailer with a bare CR', '0\r\nX-A: b\rc\r\n\r\n', 'RFC 9112 §7.1.2'),
  bad('a trailer with a space before its colon', '0\r\nX-A : b\r\n\r\n', 'RFC 9112 §5.1'),
  bad('a trailer without a colon', '0\r\nX-A\r\n\r\n', 'RFC 9112 §7.1.2'),
  bad('a folded trailer', '0\r\nX-A: b\r\n c\r\n\r\n', 'RFC 9112 §5.2'),
  bad('a length as a trailer', '0\r\nContent-Length: 3\r\n\r\n', 'RFC 9110 §6.5.1'),
  bad('a coding as a trailer', '0\r\nTransfer-Encoding: chunked\r\n\r\n', 'RFC 9110 §6.5.1'),
  bad('a trailer with NUL', '0\r\nX-A: b\x00\r\n\r\n', 'RFC 9110 §5.5'),
  bad('trailers without an end', `0\r\n${'X-A: b\r\n'.repeat(20_000)}\r\n`, 'RFC 9112 §7.1.2'),
];

describe('chunked request bodies', () => {
  let on: Stage;
  beforeAll(async () => {
    on = await stage();
  });
  afterAll(() => on.close());

  it.each(BROKEN)('refuses $name and never completes it for the service ($rfc)', async (row) => {
    await expectBodyRefused(on, row);
    expect(on.origin.violations).toEqual([]);
  });

  it.each([
    ['one chunk', '5\r\nhello\r\n0\r\n\r\n', 'hello'],
    ['two chunks', '3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n', 'hello'],
    ['no data', '0\r\n\r\n', ''],
    [
      'sizes in upper and lower case',
      `a\r\n0123456789\r\nA\r\n0123456789\r\n0\r\n\r\n`,
      '01234567890123456789',
    ],
    ['leading zeros', '0005\r\nhello\r\n000\r\n\r\n', 'hello'],
    ['an extension', '5;a=b\r\nhello\r\n0;c\r\n\r\n', 'hello'],
    ['an extension in quotes', '5;a="b;c"\r\nhello\r\n0\r\n\r\n', 'hello'],
    ['data that looks like chunks', '5\r\n0\r\n\r\n\r\n0\r\n\r\n', '0\r\n\r\n'],
  ])('passes on %s (RFC 9112 §7.1)', async (_, body, meant) => {
    const client = await on.client();
    await client.send(post(HEADERS, body));
    expect((await client.response()).status).toBe(200);
    const got = on.origin.requests.at(-1)!;
    expect(await got.complete).toBe(true);
    expect(got.body.toString('latin1')).toBe(meant);
    expect(got.raw.toString('latin1')).not.toContain(';');
  });

  it('takes any spelling of chunked (RFC 9112 §7)', async () => {
    const client = await on.client();
    await client.send(post(['transfer-ENCODING: ChunKed'], '5\r\nhello\r\n0\r\n\r\n'));
    expect((await client.response()).status).toBe(200);
    expect(on.origin.requests.at(-1)!.body.toString()).toBe('hello');
  });

  it('passes trailers on, those that frame, route or authenticate left out (RFC 9110 §6.5.1)', async () => {
    const client = await on.client();
    const forbidden = ['Host: evil.test', 'Authorization: x', 'Content-Encoding: gzip', 'Cookie: a=b'];
    const trailers = ['X-Sum: 1', ...forbidden, 'X-Forwarded-For: 1.1.1.1', 'Connection: close'];
    await client.send(
      post([...HEADERS, 'Trailer: X-Sum'], `5\r\nhello\r\n0\r\n${trailers.join('\r\n')}\r\n\r\n`),
    );
    expect((await client.response()).status).toBe(200);
    const got = on.origin.requests.at(-1)!;
    expect(names({ headers: got.trailers })).toEqual(['x-sum']);
    expect(names(got).filter((name) => name === 'host')).toHaveLength(1);
  });
});
