import { expect, test } from 'vitest';
import { requestFields } from './client-request-fields.ts';

const head = (...lines: string[]) => `${lines.join('\r\n')}\r\n\r\n`;

test('a head of HTTP/1.1 becomes fields, the pseudo-fields first (RFC 9113 §8.3.1)', () => {
  const text = head('PUT /a?b HTTP/1.1', 'Host: shop.test:81', 'X-One: 1', 'X-One: 2', 'Content-Length: 3');
  expect(requestFields(text, 'https')).toEqual([
    ...[':method', 'PUT', ':scheme', 'https', ':authority', 'shop.test:81', ':path', '/a?b'],
    ...['x-one', '1', 'x-one', '2', 'content-length', '3'],
  ]);
});

test.each([
  ['Connection: keep-alive', 'Connection: Upgrade, TE'],
  ['Upgrade: websocket', 'Keep-Alive: timeout=5'],
  ['Transfer-Encoding: chunked', 'Proxy-Connection: close'],
  ['HTTP2-Settings: AAMAAABk', 'Proxy-Authorization: Basic eDp5'],
])('%s and %s stay behind (RFC 9113 §8.2.2)', (one, other) => {
  const fields = requestFields(head('GET / HTTP/1.1', 'Host: a', one, other), 'http');
  expect(fields).toEqual([':method', 'GET', ':scheme', 'http', ':authority', 'a', ':path', '/']);
});

test.each([
  ['trailers', ['te', 'trailers']],
  ['gzip, trailers;q=0.5', ['te', 'trailers']],
  ['gzip', []],
])('of TE: %s only trailers are left', (te, left) => {
  const fields = requestFields(head('GET / HTTP/1.1', 'Host: a', `TE: ${te}`), 'http');
  expect(fields.slice(8)).toEqual(left);
});

test('an empty Host makes no :authority, and OPTIONS * is its path', () => {
  expect(requestFields(head('OPTIONS * HTTP/1.1', 'Host: '), 'http')).toEqual([
    ...[':method', 'OPTIONS', ':scheme', 'http', ':path', '*'],
  ]);
});

test('what no service should read as a request is none', () => {
  expect(requestFields(head('GET / HTTP/1.1', 'Host: a', 'X-A: b\rc'), 'http')).toBe('TG_REQUEST_MALFORMED');
});
