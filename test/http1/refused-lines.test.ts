import { afterAll, beforeAll, describe, it } from 'vitest';
import { expectRefused, type Refusal, refusal, request, type Stage, stage } from './stage.ts';

const HOST = 'Host: shop.test';

function line(name: string, text: string, ...status: number[]): Refusal {
  return refusal(name, 'RFC 9112 §3', request(text), ...status);
}

function field(name: string, text: string, rfc = 'RFC 9112 §5'): Refusal {
  return refusal(name, rfc, request('GET / HTTP/1.1', [HOST, text, 'X-After: 1']));
}

const REQUEST_LINES: Refusal[] = [
  line('two spaces before the target', 'GET  / HTTP/1.1'),
  line('two spaces before the version', 'GET /  HTTP/1.1'),
  line('a tab in place of a space', 'GET\t/\tHTTP/1.1'),
  line('a space before the method', ' GET / HTTP/1.1'),
  line('a space after the version', 'GET / HTTP/1.1 '),
  line('a vertical tab in place of a space', 'GET\x0b/\x0bHTTP/1.1'),
  line('no version (HTTP/0.9)', 'GET /'),
  line('no target', 'GET HTTP/1.1'),
  line('an empty target', 'GET  HTTP/1.1'),
  line('a space within the target', 'GET /a b HTTP/1.1'),
  line('a tab within the target', 'GET /a\tb HTTP/1.1'),
  line('a control character within the target', 'GET /a\x01b HTTP/1.1'),
  line('NUL within the target', 'GET /a\x00b HTTP/1.1'),
  line('DEL within the target', 'GET /a\x7fb HTTP/1.1'),
  line('a raw UTF-8 byte within the target', 'GET /caf\xc3\xa9 HTTP/1.1'),
  line('a version in lower case', 'GET / http/1.1'),
  line('a version of mixed case', 'GET / Http/1.1'),
  line('a version with two digits', 'GET / HTTP/1.10'),
  line('a version with a leading zero', 'GET / HTTP/01.1'),
  line('a version without a minor', 'GET / HTTP/1'),
  line('a version with an empty minor', 'GET / HTTP/1.'),
  line('a version with a comma', 'GET / HTTP/1,1'),
  line('a version with more behind it', 'GET / HTTP/1.1x'),
  line('HTTP/0.9 by name', 'GET / HTTP/0.9', 400, 505),
  line('HTTP/1.2', 'GET / HTTP/1.2', 400, 505),
  line('HTTP/2.0', 'GET / HTTP/2.0', 400, 505),
  line('HTTP/3.0', 'GET / HTTP/3.0', 400, 505),
  line('another protocol', 'GET / ICY/1.1'),
  line('HTTPS as a protocol', 'GET / HTTPS/1.1'),
  line('the preface of HTTP/2', 'PRI * HTTP/2.0', 400, 505),
  line('a parenthesis in the method', 'GE(T / HTTP/1.1'),
  line('a colon in the method', 'GET: / HTTP/1.1'),
  line('a quote in the method', '"GET" / HTTP/1.1'),
  line('NUL in the method', 'G\x00ET / HTTP/1.1'),
  line('a UTF-8 byte in the method', 'G\xc3\x89T / HTTP/1.1'),
  line('a request line with a bare CR in it', 'GET / HTTP/1.1\rX-A: b'),
];

const HEADER_LINES: Refusal[] = [
  field('a space before the colon', 'X-A : b', 'RFC 9112 §5.1'),
  field('a tab before the colon', 'X-A\t: b', 'RFC 9112 §5.1'),
  field('a space within the name', 'X A: b'),
  field('no colon', 'X-A'),
  field('an empty name', ': b'),
  field('a parenthesis in the name', 'X(A): b', 'RFC 9110 §5.1'),
  field('a slash in the name', 'X/A: b', 'RFC 9110 §5.1'),
  field('an at sign in the name', 'X@A: b', 'RFC 9110 §5.1'),
  field('a quote in the name', '"X": b', 'RFC 9110 §5.1'),
  field('brackets in the name', 'X[]: b', 'RFC 9110 §5.1'),
  field('a UTF-8 byte in the name', 'X-\xc3\xa9: b', 'RFC 9110 §5.1'),
  field('NUL in the name', 'X\x00A: b', 'RFC 9110 §5.1'),
  field('DEL in the name', 'X\x7fA: b', 'RFC 9110 §5.1'),
  field('NUL in the value', 'X-A: b\x00c', 'RFC 9110 §5.5'),
  field('a control character in the value', 'X-A: b\x01c', 'RFC 9110 §5.5'),
  field('a vertical tab in the value', 'X-A: b\x0bc', 'RFC 9110 §5.5'),
  field('DEL in the value', 'X-A: b\x7fc', 'RFC 9110 §5.5'),
  field('a bare CR in the value', 'X-A: b\rc', 'RFC 9112 §2.2'),
  field('a bare CR before the value', 'X-A:\r b', 'RFC 9112 §2.2'),
  field('two CRs at the end of a line', 'X-A: b\r', 'RFC 9112 §2.2'),
  field('a bare LF in the value', 'X-A: b\nX-B: c', 'RFC 9112 §2.2'),
  field('a value folded by a space', 'X-A: b\r\n c', 'RFC 9112 §5.2'),
  field('a value folded by a tab', 'X-A: b\r\n\tc', 'RFC 9112 §5.2'),
  field('an empty line but for a space', ' ', 'RFC 9112 §5.2'),
  refusal('white space before the first header', 'RFC 9112 §2.2', request('GET / HTTP/1.1', [` ${HOST}`])),
  refusal(
    'white space alone after the request line',
    'RFC 9112 §2.2',
    request('GET / HTTP/1.1', [' ', HOST]),
  ),
];

const LINE_ENDS: Refusal[] = [
  refusal('LF alone at all ends', 'RFC 9112 §2.2', `GET / HTTP/1.1\n${HOST}\n\n`),
  refusal('LF alone after the request line', 'RFC 9112 §2.2', `GET / HTTP/1.1\n${HOST}\r\n\r\n`),
  refusal('LF alone after a header', 'RFC 9112 §2.2', `GET / HTTP/1.1\r\n${HOST}\n\r\n`),
  refusal('LF alone as the empty line', 'RFC 9112 §2.2', `GET / HTTP/1.1\r\n${HOST}\r\n\n`),
  refusal('CR alone at all ends', 'RFC 9112 §2.2', `GET / HTTP/1.1\r${HOST}\r\r`),
  refusal('CR CR LF as the empty line', 'RFC 9112 §2.2', `GET / HTTP/1.1\r\n${HOST}\r\n\r\r\n`),
  refusal('LF CR in place of CR LF', 'RFC 9112 §2.2', `GET / HTTP/1.1\n\r${HOST}\n\r\n\r`),
  refusal('a lone LF before the request', 'RFC 9112 §2.2', `\n${request('GET / HTTP/1.1')}`),
  refusal('a lone CR before the request', 'RFC 9112 §2.2', `\r${request('GET / HTTP/1.1')}`),
  refusal('NUL before the request', 'RFC 9112 §2.2', `\x00${request('GET / HTTP/1.1')}`),
  refusal('a TLS handshake on a plain port', 'RFC 9112 §3', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'),
  refusal('another protocol altogether', 'RFC 9112 §3', 'SSH-2.0-OpenSSH_9.2\r\n'),
];

describe('refuses what is not exactly a request, and ends the connection', () => {
  let on: Stage;
  beforeAll(async () => {
    on = await stage();
  });
  afterAll(() => on.close());

  it.each(REQUEST_LINES)('request line: $name ($rfc)', (row) => expectRefused(on, row));
  it.each(HEADER_LINES)('header: $name ($rfc)', (row) => expectRefused(on, row));
  it.each(LINE_ENDS)('line ends: $name ($rfc)', (row) => expectRefused(on, row));
});
