import { describe, expect, test } from 'vitest';
import { STORE_REFUSALS } from '../../../src/cache/policy/index.ts';
import { getHeader, getHeaders } from '../../../src/http/headers.ts';
import { date, head, NOW, policy, refusal, stored } from './subjects.ts';

const FRESH = 'Cache-Control: max-age=60';
const ignoring = (...what: ('no-store' | 'no-cache' | 'private' | 'vary')[]) => ({
  policy: policy({ ignore: new Set(what) }),
});

describe('RFC 9111 §3: a cache MUST NOT store a response unless', () => {
  test.each<[string, string[], Parameters<typeof refusal>[1], string | null]>([
    ['the request method is understood by the cache: GET', [FRESH], {}, null],
    ['the request method is understood by the cache: PUT', [FRESH], { method: 'PUT' }, 'method'],
    ['the request method is understood by the cache: POST', [FRESH], { method: 'POST' }, 'method'],
    ['the request method is understood by the cache: an unknown one', [FRESH], { method: 'FOO' }, 'method'],
    ['an answer to HEAD has no content to store', [FRESH], { method: 'HEAD' }, 'head'],
    ['the response status code is final: 103', [FRESH], { status: 103 }, 'status'],
    ['the response status code is final: 100', [FRESH], { status: 100 }, 'status'],
    ['a 304 is no answer of its own', [FRESH], { status: 304 }, 'status'],
    ['a 206 is not stored where parts are not combined', [FRESH], { status: 206 }, 'partial'],
    [
      'the no-store directive is not present in the response',
      ['Cache-Control: no-store, max-age=60'],
      {},
      'no-store',
    ],
    ['no-store counts in any line', [FRESH, 'Cache-Control: no-store'], {}, 'no-store'],
    ['no-store counts in any case', ['cache-control: max-age=60, No-Store'], {}, 'no-store'],
    ['no-store with an argument is no-store', ['Cache-Control: no-store=1, max-age=60'], {}, 'no-store'],
    ['the private directive is not present', ['Cache-Control: private, max-age=60'], {}, 'private'],
    ['it names a lifetime: nothing does', [], {}, 'no-lifetime'],
    ['it names a lifetime: public alone does not', ['Cache-Control: public'], {}, 'no-lifetime'],
    [
      'it names a lifetime: an unknown directive does not',
      ['Cache-Control: community="UCI"'],
      {},
      'no-lifetime',
    ],
    [
      'it names a lifetime: Last-Modified alone does not',
      [`Last-Modified: ${date(-100)}`],
      {},
      'no-lifetime',
    ],
    ['it names a lifetime: s-maxage', ['Cache-Control: s-maxage=60'], {}, null],
    ['it names a lifetime: Expires', [`Expires: ${date(60)}`, `Date: ${date()}`], {}, null],
    [
      'a status that is not heuristically cacheable needs an explicit lifetime: 302',
      [FRESH],
      { status: 302 },
      null,
    ],
    [
      'a status that is not heuristically cacheable needs an explicit lifetime: 500',
      [FRESH],
      { status: 500 },
      null,
    ],
    ['an unknown final status with an explicit lifetime is stored', [FRESH], { status: 599 }, null],
  ])('%s', (_, lines, changes, reason) => expect(refusal(lines, changes)).toBe(reason));
});

describe('RFC 9111 §5.2.2.3: must-understand', () => {
  test.each<[string, string, number, string | null]>([
    [
      'a cache that knows the status ignores no-store beside it',
      'must-understand, no-store, max-age=60',
      200,
      null,
    ],
    [
      'limits caching to a cache that understands the status code',
      'must-understand, max-age=60',
      299,
      'must-understand',
    ],
    [
      'a cache that does not know the status does not store it',
      'must-understand, no-store, max-age=60',
      299,
      'must-understand',
    ],
    ['a known status is stored', 'must-understand, max-age=60', 404, null],
  ])('%s', (_, value, status, reason) =>
    expect(refusal([`Cache-Control: ${value}`], { status })).toBe(reason),
  );
});

describe('RFC 9111 §3.5: a shared cache MUST NOT use a cached response to a request with Authorization unless', () => {
  const requestHeaders = head('Authorization: Basic eDp5');
  test.each<[string, string, string | null]>([
    ['a directive allows it: max-age does not', 'max-age=60', 'authorization'],
    ['a directive allows it: public', 'public, max-age=60', null],
    ['a directive allows it: must-revalidate', 'must-revalidate, max-age=60', null],
    ['a directive allows it: s-maxage', 's-maxage=60', null],
    ['a directive allows it: proxy-revalidate does not', 'proxy-revalidate, max-age=60', 'authorization'],
    ['a directive allows it: no-cache does not', 'no-cache, max-age=60', 'authorization'],
    ['a directive allows it: immutable does not', 'immutable, max-age=60', 'authorization'],
  ])('%s', (_, value, reason) => {
    expect(refusal([`Cache-Control: ${value}`], { requestHeaders })).toBe(reason);
    expect(refusal([`Cache-Control: ${value}`], { authenticated: true })).toBe(reason);
    const cookie = refusal([`Cache-Control: ${value}`], { hasCookie: true });
    expect(cookie).toBe(reason === null ? null : 'cookie');
  });

  test.each(['named', 'shared'] as const)('the route says whose it is: %s', (owner) => {
    const changes = { authenticated: true, hasCookie: true, policy: policy({ owner }) };
    expect(refusal([FRESH], changes)).toBeNull();
  });

  test('the route says it of something else, which tells nothing of Authorization', () => {
    const ofCookies = policy({ owner: 'shared', silentOnAuthorization: true });
    expect(refusal([FRESH], { policy: ofCookies, hasCookie: true, authenticated: true })).toBeNull();
    expect(refusal([FRESH], { policy: ofCookies, requestHeaders })).toBe('authorization');
    expect(refusal(['Cache-Control: public, max-age=60'], { policy: ofCookies, requestHeaders })).toBeNull();
  });

  test('public in CDN-Cache-Control allows it where that field speaks', () => {
    expect(refusal(['CDN-Cache-Control: public, max-age=60'], { requestHeaders })).toBeNull();
    expect(refusal(['CDN-Cache-Control: max-age=60', 'Cache-Control: public'], { requestHeaders })).toBe(
      'authorization',
    );
  });
});

describe('RFC 9111 §5.2.1.5: no-store in a request', () => {
  const requestHeaders = head('Cache-Control: no-store');
  test('a cache MUST NOT store any part of either this request or any response to it', () => {
    expect(refusal([FRESH], { requestHeaders })).toBe('request-no-store');
  });
  test('it is not heard where the route ignores client directives', () => {
    expect(refusal([FRESH], { requestHeaders, policy: policy({ ignoreClientDirectives: true }) })).toBeNull();
  });
});

describe('what the route says about storing', () => {
  test('Set-Cookie keeps an answer out by default', () => {
    expect(refusal([FRESH, 'Set-Cookie: a=1'])).toBe('set-cookie');
  });
  test('drop stores it without Set-Cookie', () => {
    const { headers } = stored([FRESH, 'Set-Cookie: a=1'], { policy: policy({ setCookie: 'drop' }) });
    expect(getHeader(headers, 'set-cookie')).toBeUndefined();
  });
  test('store keeps every Set-Cookie', () => {
    const lines = [FRESH, 'Set-Cookie: a=1', 'Set-Cookie: b=2'];
    const { headers } = stored(lines, { policy: policy({ setCookie: 'store' }) });
    expect(getHeaders(headers, 'set-cookie')).toEqual(['a=1', 'b=2']);
  });
  test.each<[string, string[], Parameters<typeof refusal>[1], string | null]>([
    ['ignore: no-store', ['Cache-Control: no-store, max-age=60'], ignoring('no-store'), null],
    ['ignore: private', ['Cache-Control: private, max-age=60'], ignoring('private'), null],
    [
      'private: true stores what is private',
      ['Cache-Control: private, max-age=60'],
      { policy: policy({ private: true }) },
      null,
    ],
    [
      'an ignored no-store does not undo private',
      ['Cache-Control: no-store, private, max-age=60'],
      ignoring('no-store'),
      'private',
    ],
    ['Vary: * is not stored', [FRESH, 'Vary: *'], {}, 'vary-star'],
    ['* among other names is *', [FRESH, 'Vary: Accept, *'], {}, 'vary-star'],
    ['* in another line is *', [FRESH, 'Vary: Accept', 'Vary: *'], {}, 'vary-star'],
    [
      'a stream of events is not stored, whatever lifetime it names',
      [FRESH, 'Content-Type: Text/Event-Stream; charset=utf-8'],
      {},
      'event-stream',
    ],
    ['ignore: vary stores Vary: *', [FRESH, 'Vary: *'], ignoring('vary'), null],
    ['a body of maxSize is stored', [FRESH, 'Content-Length: 10'], { policy: policy({ maxSize: 10 }) }, null],
    ['a larger one is not', [FRESH, 'Content-Length: 11'], { policy: policy({ maxSize: 10 }) }, 'too-large'],
    [
      'POST where the methods say so',
      [FRESH],
      { method: 'POST', policy: policy({ methods: ['POST'] }) },
      null,
    ],
    [
      'override does not undo no-store',
      ['Cache-Control: no-store'],
      { policy: policy({ override: true, ttl: { byStatus: {}, bare: 9, default: null } }) },
      'no-store',
    ],
    [
      'override does not undo private',
      ['Cache-Control: private'],
      { policy: policy({ override: true, ttl: { byStatus: {}, bare: 9, default: null } }) },
      'private',
    ],
  ])('%s', (_, lines, changes, reason) => expect(refusal(lines, changes)).toBe(reason));
});

describe('what could never be used is not stored', () => {
  test.each<[string, string[], string | null]>([
    ['stale on arrival without validator', ['Cache-Control: max-age=0'], 'stale'],
    ['stale on arrival by its Age', [FRESH, 'Age: 60'], 'stale'],
    ['stale on arrival with ETag is validated each time', ['Cache-Control: max-age=0', 'ETag: "a"'], null],
    [
      'stale on arrival with Last-Modified is validated each time',
      ['Cache-Control: max-age=0', `Last-Modified: ${date(-9)}`],
      null,
    ],
    ['stale on arrival may stand in for errors', ['Cache-Control: max-age=0, stale-if-error=60'], null],
    [
      'stale on arrival may be served while it is validated',
      ['Cache-Control: max-age=0, stale-while-revalidate=60'],
      null,
    ],
    [
      'must-revalidate forbids both',
      ['Cache-Control: max-age=0, stale-if-error=60, must-revalidate'],
      'stale',
    ],
    ['no-cache without validator', ['Cache-Control: no-cache, max-age=60'], 'stale'],
    ['no-cache with validator needs no lifetime', ['Cache-Control: no-cache', 'ETag: "a"'], null],
    ['an ETag without quotes validates nothing', ['Cache-Control: no-cache', 'ETag: a'], 'stale'],
  ])('%s', (_, lines, reason) => expect(refusal(lines)).toBe(reason));
});

describe('RFC 9111 §3.1: caches MUST include all received header fields when storing, except', () => {
  const keep = (lines: string[], changes = {}) => stored([FRESH, ...lines], changes).headers;
  test.each([
    'Connection: close',
    'Keep-Alive: timeout=5',
    'Proxy-Connection: close',
    'Proxy-Authenticate: Basic',
    'Proxy-Authorization: Basic x',
    'Proxy-Authentication-Info: x',
    'TE: trailers',
    'Trailer: X-T',
    'Transfer-Encoding: chunked',
    'Upgrade: h2c',
    'Age: 3',
  ])('what is of one connection or made anew: %s', (line) => {
    expect(getHeader(keep([line]), line.split(':')[0]!.toLowerCase())).toBeUndefined();
  });
  test('fields that Connection names', () => {
    const headers = keep(['Connection: X-One, x-two', 'X-One: 1', 'X-Two: 2', 'X-Three: 3']);
    expect([getHeader(headers, 'x-one'), getHeader(headers, 'x-two'), getHeader(headers, 'x-three')]).toEqual(
      [undefined, undefined, '3'],
    );
  });
  test('fields that no-cache names', () => {
    const headers = keep(['Cache-Control: no-cache="x-a, X-B"', 'X-A: 1', 'X-B: 2', 'X-C: 3']);
    expect([getHeader(headers, 'x-a'), getHeader(headers, 'x-b'), getHeader(headers, 'x-c')]).toEqual([
      undefined,
      undefined,
      '3',
    ]);
  });
  test('fields that private names', () => {
    expect(getHeader(keep(['Cache-Control: private="x-a"', 'X-A: 1']), 'x-a')).toBeUndefined();
  });
  test('fields that private names are kept for their subject', () => {
    const lines = ['Cache-Control: private="x-a"', 'X-A: 1'];
    expect(getHeader(keep(lines, { policy: policy({ private: true }) }), 'x-a')).toBe('1');
  });
  test('unrecognised ones stay, in their order and spelling', () => {
    expect(keep(['X-Foo: a', 'x-foo: b', `Date: ${date()}`])).toEqual(
      head(FRESH, 'X-Foo: a', 'x-foo: b', `Date: ${date()}`),
    );
  });
  test('RFC 9110 §6.6.1: a recipient that caches a response without Date records the time and appends it', () => {
    expect(getHeader(keep([]), 'date')).toBe(new Date(NOW).toUTCString());
  });
});

test('no-cache with field names does not ask for validation of the whole (RFC 9111 §5.2.2.4)', () => {
  expect(stored(['Cache-Control: max-age=60, no-cache="x-a"']).noCache).toBe(false);
  expect(stored(['Cache-Control: max-age=60, no-cache', 'ETag: "a"']).noCache).toBe(true);
  expect(stored(['Cache-Control: max-age=60, no-cache'], ignoring('no-cache')).noCache).toBe(false);
});

test.each(['must-revalidate', 'proxy-revalidate', 's-maxage=60'])(
  'RFC 9111 §4.2.4: an explicit directive prohibits stale responses: %s',
  (directive) => expect(stored([`Cache-Control: max-age=60, ${directive}`]).mustRevalidate).toBe(true),
);

test('every refusal has a sentence', () => {
  for (const sentence of Object.values(STORE_REFUSALS)) expect(sentence).toMatch(/^[A-Z].*\.$/);
});
