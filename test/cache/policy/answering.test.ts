import { describe, expect, test } from 'vitest';
import { answerFromEntry, scanRequest } from '../../../src/cache/policy/index.ts';
import { getHeader, getHeaders } from '../../../src/http/headers.ts';
import { date, entry, head, NOW, policy } from './subjects.ts';

const BASE = [
  'Cache-Control: max-age=60',
  'ETag: "a"',
  `Date: ${date()}`,
  `Last-Modified: ${date(-100)}`,
  'Content-Type: text/plain',
  'Content-Language: en',
  'X-Own: 1',
  'Expires: 0',
  'Content-Location: /x',
];

function answer(request: string[], base = BASE, method = 'GET', changes = {}, own = {}) {
  const kept = entry(base, changes, own);
  return { kept, ...answerFromEntry(kept, scanRequest(head(...request)), method, NOW + 5700, () => 'sep') };
}
const text = (body: Buffer | Buffer[] | null) =>
  body === null ? null : Buffer.concat([body].flat()).toString('latin1');

describe('an answer from the cache', () => {
  test('RFC 9111 §5.1: has an Age in whole seconds', () => {
    expect(getHeaders(answer([]).headers, 'age')).toEqual(['5']);
  });
  test('RFC 9110 §6.6.1: keeps the Date of the origin', () => {
    expect(getHeaders(answer([]).headers, 'date')).toEqual([date()]);
  });
  test('is the stored content itself, not a copy', () => {
    const { body, kept } = answer([]);
    expect(body).toBe(kept.body);
  });
  test('keeps the status', () => expect(answer([], BASE, 'GET', { status: 404 }).status).toBe(404));
  test('for HEAD measures what GET would have', () => {
    const { status, kept, body } = answer([], BASE, 'HEAD');
    expect([status, body]).toEqual([200, kept.body]);
  });
  test('does not change the entry', () => {
    const { kept } = answer(['Range: bytes=0-1']);
    expect(getHeader(kept.headers, 'age')).toBeUndefined();
  });
  test('of a private route says private, and nothing that lets shared caches keep it', () => {
    const base = [
      'Cache-Control: public, max-age=60, s-maxage=90',
      'CDN-Cache-Control: max-age=60',
      'Surrogate-Control: x',
    ];
    const { headers } = answer([], base, 'GET', { policy: policy({ private: true }) });
    expect(getHeaders(headers, 'cache-control')).toEqual(['private, max-age=60']);
    expect([getHeader(headers, 'cdn-cache-control'), getHeader(headers, 'surrogate-control')]).toEqual([
      undefined,
      undefined,
    ]);
  });
});

describe('RFC 9110 §13: conditional requests', () => {
  test.each<[string, string[], number]>([
    ['§13.1.2: If-None-Match is false if the tag matches', ['If-None-Match: "a"'], 304],
    ['§13.1.2: it uses the weak comparison function', ['If-None-Match: W/"a"'], 304],
    ['§13.1.2: true if no listed tag matches', ['If-None-Match: "b"'], 200],
    ['§13.1.2: a list', ['If-None-Match: "b", "a"'], 304],
    ['§13.1.2: a list without spaces', ['If-None-Match: "b","a","c"'], 304],
    ['§13.1.2: several lines', ['If-None-Match: "b"', 'If-None-Match: "a"'], 304],
    ['§13.1.2: * is false if there is a current representation', ['If-None-Match: *'], 304],
    ['§13.1.2: an unquoted value matches nothing', ['If-None-Match: a'], 200],
    ['§13.1.2: an unquoted member does not spoil the others', ['If-None-Match: b, "a"'], 304],
    ['§13.1.2: tags are compared with case', ['If-None-Match: "A"'], 200],
    ['§13.1.2: a comma within a tag parts nothing', ['If-None-Match: "x,a"'], 200],
    ['§13.1.2: a tag within junk is no tag', ['If-None-Match: x"a"'], 200],
    ['§13.1.3: If-Modified-Since: the same date', [`If-Modified-Since: ${date(-100)}`], 304],
    ['§13.1.3: If-Modified-Since: later', [`If-Modified-Since: ${date(-50)}`], 304],
    ['§13.1.3: If-Modified-Since: earlier', [`If-Modified-Since: ${date(-101)}`], 200],
    [
      '§13.1.3: MUST be ignored beside If-None-Match',
      ['If-None-Match: "b"', `If-Modified-Since: ${date()}`],
      200,
    ],
    [
      '§13.1.3: beside If-None-Match that matches',
      ['If-None-Match: "a"', `If-Modified-Since: ${date(-999)}`],
      304,
    ],
    ['§13.1.3: MUST be ignored if it is no valid HTTP-date', ['If-Modified-Since: 2026-01-01'], 200],
    [
      '§13.1.3: MUST be ignored if it has more than one member',
      [`If-Modified-Since: ${date()}`, `If-Modified-Since: ${date()}`],
      200,
    ],
    ['§13.1.3: RFC 850 dates are read', ['If-Modified-Since: Thursday, 01-Jan-26 12:00:00 GMT'], 304],
    ['§13.1.3: asctime dates are read', ['If-Modified-Since: Thu Jan  1 12:00:00 2026'], 304],
    ['§13.2.2: a false condition comes before Range', ['If-None-Match: "a"', 'Range: bytes=0-1'], 304],
    ['§13.2.2: a true condition lets Range through', ['If-None-Match: "b"', 'Range: bytes=0-1'], 206],
  ])('%s', (_, request, status) => expect(answer(request).status).toBe(status));

  test('HEAD is answered with 304 as well', () =>
    expect(answer(['If-None-Match: "a"'], BASE, 'HEAD').status).toBe(304));
  test('§13.1.3: MUST be ignored if the method is neither GET nor HEAD', () => {
    const changes = { method: 'POST', policy: policy({ methods: ['POST'] }) };
    expect(answer([`If-Modified-Since: ${date()}`], BASE, 'POST', changes).status).toBe(200);
  });
  test.each([404, 301, 500])('§13.2.1: conditions MUST be ignored where the answer would be %d', (status) => {
    expect(answer(['If-None-Match: "a"'], BASE, 'GET', { status }).status).toBe(status);
  });
  test('RFC 9111 §4.3.2: without ETag no listed tag matches', () => {
    expect(answer(['If-None-Match: "a"'], ['Cache-Control: max-age=60']).status).toBe(200);
  });
  test('RFC 9111 §4.3.2: without Last-Modified the Date counts', () => {
    const base = ['Cache-Control: max-age=60', `Date: ${date(-10)}`];
    expect(answer([`If-Modified-Since: ${date(-10)}`], base).status).toBe(304);
    expect(answer([`If-Modified-Since: ${date(-11)}`], base).status).toBe(200);
  });

  describe('RFC 9110 §15.4.5: a 304', () => {
    const { headers, body } = answer(['If-None-Match: "a"']);
    test.each(['cache-control', 'content-location', 'date', 'etag', 'expires', 'age', 'x-own'])(
      'MUST have what 200 would have: %s',
      (name) => {
        expect(getHeader(headers, name)).toBeDefined();
      },
    );
    test.each(['content-type', 'content-language', 'last-modified', 'content-length'])(
      'SHOULD NOT have: %s',
      (name) => {
        expect(getHeader(headers, name)).toBeUndefined();
      },
    );
    test('has no content', () => expect(body).toBeNull());
    test('has Last-Modified where there is no ETag', () => {
      const base = ['Cache-Control: max-age=60', `Last-Modified: ${date(-9)}`];
      expect(getHeader(answer([`If-Modified-Since: ${date()}`], base).headers, 'last-modified')).toBe(
        date(-9),
      );
    });
  });
});

describe('RFC 9110 §14: range requests', () => {
  test.each<[string, string, string, string]>([
    ['the first bytes', 'bytes=0-3', '0123', 'bytes 0-3/10'],
    ['one byte', 'bytes=4-4', '4', 'bytes 4-4/10'],
    ['from a byte to the end', 'bytes=7-', '789', 'bytes 7-9/10'],
    ['a last-pos behind the end is the end', 'bytes=7-99', '789', 'bytes 7-9/10'],
    ['the last bytes', 'bytes=-3', '789', 'bytes 7-9/10'],
    ['a suffix longer than the content is the whole', 'bytes=-99', '0123456789', 'bytes 0-9/10'],
    ['units are case-insensitive', 'Bytes=0-3', '0123', 'bytes 0-3/10'],
    ['ranges that overlap are coalesced', 'bytes=2-5,0-3', '012345', 'bytes 0-5/10'],
    ['a range within another adds nothing', 'bytes=0-8,2-3', '012345678', 'bytes 0-8/10'],
    ['ranges with a small gap are coalesced', 'bytes=0-0,9-9', '0123456789', 'bytes 0-9/10'],
    ['unsatisfiable ones among others are left out', 'bytes=0-1,50-60', '01', 'bytes 0-1/10'],
    ['empty members are read over', 'bytes=,0-1 , ', '01', 'bytes 0-1/10'],
    ['very large numbers are numbers', 'bytes=8-99999999999999999999999', '89', 'bytes 8-9/10'],
  ])('206: %s', (_, range, content, contentRange) => {
    const { status, headers, body } = answer([`Range: ${range}`]);
    expect([status, text(body), getHeaders(headers, 'content-range')]).toEqual([
      206,
      content,
      [contentRange],
    ]);
  });

  test.each([
    ['a last-pos before the first-pos makes it invalid', 'bytes=3-2'],
    ['one invalid member makes all invalid', 'bytes=0-1,3-2'],
    ['another unit', 'items=0-3'],
    ['no unit', '0-3'],
    ['no number', 'bytes=-'],
    ['text', 'bytes=a-b'],
    ['a negative number', 'bytes=--3'],
    ['nothing', 'bytes='],
    ['a number alone', 'bytes=5'],
    ['a space before the equals sign', 'bytes =0-3'],
    [
      'more ranges than anybody needs (§17.15)',
      `bytes=${Array.from({ length: 17 }, (_, i) => `${i}-${i}`).join()}`,
    ],
  ])('§14.2: an invalid or unknown Range is ignored: %s', (_, range) => {
    const { status, body } = answer([`Range: ${range}`]);
    expect([status, text(body)]).toEqual([200, '0123456789']);
  });

  test.each(['bytes=10-', 'bytes=99-100', 'bytes=-0', 'bytes=10-11,20-'])(
    '§15.5.17: 416 with the length: %s',
    (range) => {
      const { status, headers, body } = answer([`Range: ${range}`]);
      expect([status, getHeader(headers, 'content-range'), body]).toEqual([416, 'bytes */10', null]);
    },
  );

  test.each([
    ['bytes=0-', 416],
    ['bytes=-5', 200],
  ])('an empty content: %s is %d', (range, status) => {
    expect(answer([`Range: ${range}`], BASE, 'GET', {}, { body: Buffer.alloc(0) }).status).toBe(status);
  });

  test('a part is a slice, not a copy', () => {
    const { body, kept } = answer(['Range: bytes=2-3']);
    expect((body as Buffer).buffer).toBe(kept.body.buffer);
  });
  test('§14.2: MUST be ignored for other methods than GET', () => {
    expect(answer(['Range: bytes=0-1'], BASE, 'HEAD').status).toBe(200);
  });
  test('parts are cut from a 200 alone', () => {
    expect(answer(['Range: bytes=0-1'], BASE, 'GET', { status: 404 }).status).toBe(404);
  });
  test.each(['date', 'cache-control', 'etag', 'expires', 'content-location'])(
    '§15.3.7: a 206 MUST have %s',
    (name) => {
      expect(getHeader(answer(['Range: bytes=0-1']).headers, name)).toBeDefined();
    },
  );

  test('§15.3.7.2: several ranges are multipart/byteranges, in the order asked for', () => {
    const content = Buffer.from(`${'a'.repeat(100)}${'b'.repeat(100)}${'c'.repeat(100)}`);
    const { headers, body } = answer(['Range: bytes=299-299,0-1'], BASE, 'GET', {}, { body: content });
    expect(getHeaders(headers, 'content-type')).toEqual(['multipart/byteranges; boundary=sep']);
    expect(getHeader(headers, 'content-range')).toBeUndefined();
    expect(text(body)).toBe(
      '--sep\r\nContent-Type: text/plain\r\nContent-Range: bytes 299-299/300\r\n\r\nc\r\n' +
        '--sep\r\nContent-Type: text/plain\r\nContent-Range: bytes 0-1/300\r\n\r\naa\r\n--sep--\r\n',
    );
  });

  test.each<[string, string, number]>([
    ['the strong tag matches', '"a"', 206],
    ['another tag', '"b"', 200],
    ['a weak tag never does', 'W/"a"', 200],
    ['the date of Last-Modified exactly', date(-100), 206],
    ['a later date is another', date(-99), 200],
    ['an invalid date', 'yesterday', 200],
  ])('§13.1.5: If-Range: %s', (_, value, status) => {
    expect(answer(['Range: bytes=0-1', `If-Range: ${value}`]).status).toBe(status);
  });
  test('§13.1.5: a weak stored tag never matches', () => {
    const base = ['Cache-Control: max-age=60', 'ETag: W/"a"'];
    expect(answer(['Range: bytes=0-1', 'If-Range: W/"a"'], base).status).toBe(200);
  });
  test('§8.8.2.2: a date is weak if the content was changed within the second in which it was sent', () => {
    const base = ['Cache-Control: max-age=60', `Date: ${date()}`, `Last-Modified: ${date()}`];
    expect(answer(['Range: bytes=0-1', `If-Range: ${date()}`], base).status).toBe(200);
  });
  test('§13.1.5: If-Range without Range is ignored', () =>
    expect(answer(['If-Range: "a"']).status).toBe(200));
});
