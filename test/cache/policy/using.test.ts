import { describe, expect, test } from 'vitest';
import {
  canUseOnError,
  judgeUse,
  requestDirectives,
  scanRequest,
  selectVariant,
  validationHeaders,
  varyValues,
} from '../../../src/cache/policy/index.ts';
import { date, entry, head, NOW, policy, stored } from './subjects.ts';

const TAG = 'ETag: "a"';
const FRESH = ['Cache-Control: max-age=60', TAG];

/** Kind, reason to forward and detail for an entry `age` seconds old. */
function use(response: string[], age: number, request: string[] = [], changes = {}): string {
  const kept = entry(response, changes);
  const judged = judgeUse(kept, scanRequest(head(...request)), NOW + age * 1000, policy(changes));
  return [judged.kind, judged.forward, judged.detail].filter((part) => part !== null).join(' ');
}

describe('RFC 9111 §4: a stored response is reused only if', () => {
  const swr = ['Cache-Control: max-age=60, stale-while-revalidate=30', TAG];
  test.each<[string, string[], number, string[], string]>([
    ['it is fresh', FRESH, 59, [], 'fresh'],
    ['§4.2: freshness_lifetime is greater than current_age', FRESH, 60, [], 'revalidate stale'],
    ['it is not stale', FRESH, 61, [], 'revalidate stale'],
    [
      '§5.2.2.4: no-cache MUST NOT be used without validation',
      ['Cache-Control: max-age=60, no-cache', TAG],
      1,
      [],
      'revalidate stale no-cache',
    ],
    [
      '§5.2.1.4: no-cache of the request asks for validation',
      FRESH,
      1,
      ['Cache-Control: no-cache'],
      'revalidate request no-cache',
    ],
    [
      '§5.2.1.4: in any case and place',
      FRESH,
      1,
      ['cache-control: foo', 'Cache-Control: No-Cache'],
      'revalidate request no-cache',
    ],
    [
      '§5.4: Pragma: no-cache is no-cache where Cache-Control is absent',
      FRESH,
      1,
      ['Pragma: no-cache'],
      'revalidate request no-cache',
    ],
    [
      '§5.4: Pragma is ignored where Cache-Control is present',
      FRESH,
      1,
      ['Pragma: no-cache', 'Cache-Control: max-age=50'],
      'fresh',
    ],
    ['§5.4: another Pragma says nothing', FRESH, 1, ['Pragma: foo'], 'fresh'],
    ['§5.2.1.1: max-age: the age is less than that', FRESH, 10, ['Cache-Control: max-age=11'], 'fresh'],
    ['§5.2.1.1: max-age: the age is equal to that', FRESH, 10, ['Cache-Control: max-age=10'], 'fresh'],
    [
      '§5.2.1.1: max-age: the age is greater than that',
      FRESH,
      10,
      ['Cache-Control: max-age=9'],
      'revalidate request max-age',
    ],
    [
      '§5.2.1.1: max-age=0 asks for validation',
      FRESH,
      1,
      ['Cache-Control: max-age=0'],
      'revalidate request max-age',
    ],
    ['§5.2.1.1: an invalid max-age says nothing', FRESH, 1, ['Cache-Control: max-age=x'], 'fresh'],
    [
      '§5.2.1.1: of several max-age the strictest counts',
      FRESH,
      10,
      ['Cache-Control: max-age=99, max-age=9'],
      'revalidate request max-age',
    ],
    [
      '§5.2.1.3: min-fresh: fresh for at least that long',
      FRESH,
      50,
      ['Cache-Control: min-fresh=10'],
      'fresh',
    ],
    [
      '§5.2.1.3: min-fresh: not fresh for that long',
      FRESH,
      51,
      ['Cache-Control: min-fresh=10'],
      'revalidate request min-fresh',
    ],
    [
      '§5.2.1.3: of several min-fresh the strictest counts',
      FRESH,
      50,
      ['Cache-Control: min-fresh=99, min-fresh=1'],
      'revalidate request min-fresh',
    ],
    [
      '§5.2.1.2: max-stale: stale by no more than that',
      FRESH,
      70,
      ['Cache-Control: max-stale=10'],
      'stale-allowed max-stale',
    ],
    [
      '§5.2.1.2: max-stale: stale by more than that',
      FRESH,
      71,
      ['Cache-Control: max-stale=10'],
      'revalidate stale',
    ],
    [
      '§5.2.1.2: max-stale without value: stale of any age',
      FRESH,
      99_999,
      ['Cache-Control: max-stale'],
      'stale-allowed max-stale',
    ],
    [
      '§5.2.1.2: an invalid max-stale allows nothing',
      FRESH,
      61,
      ['Cache-Control: max-stale=x'],
      'revalidate stale',
    ],
    [
      '§5.2.2.2: must-revalidate forbids max-stale',
      ['Cache-Control: max-age=60, must-revalidate', TAG],
      61,
      ['Cache-Control: max-stale'],
      'revalidate stale',
    ],
    [
      '§5.2.2.8: proxy-revalidate forbids max-stale',
      ['Cache-Control: max-age=60, proxy-revalidate', TAG],
      61,
      ['Cache-Control: max-stale'],
      'revalidate stale',
    ],
    [
      '§5.2.2.10: s-maxage forbids max-stale',
      ['Cache-Control: s-maxage=60', TAG],
      61,
      ['Cache-Control: max-stale'],
      'revalidate stale',
    ],
    [
      'no-cache of the response forbids max-stale',
      ['Cache-Control: max-age=60, no-cache', TAG],
      1,
      ['Cache-Control: max-stale'],
      'revalidate stale no-cache',
    ],
    [
      'max-age holds beside max-stale',
      FRESH,
      70,
      ['Cache-Control: max-age=65, max-stale=100'],
      'revalidate stale',
    ],
    ['§5.2.1.7: only-if-cached: a fresh one is used', FRESH, 1, ['Cache-Control: only-if-cached'], 'fresh'],
    [
      '§5.2.1.7: only-if-cached: else 504',
      FRESH,
      61,
      ['Cache-Control: only-if-cached'],
      'unsatisfiable only-if-cached',
    ],
    [
      '§5.2.1.7: only-if-cached with max-stale',
      FRESH,
      61,
      ['Cache-Control: only-if-cached, max-stale'],
      'stale-allowed max-stale',
    ],
    [
      '§5.2.1.5: no-store of a request forbids storing, not use',
      FRESH,
      1,
      ['Cache-Control: no-store'],
      'fresh',
    ],
    ['unrecognised request directives are ignored', FRESH, 1, ['Cache-Control: foo=bar'], 'fresh'],
    [
      'RFC 5861 §3: stale-while-revalidate: within the time',
      swr,
      90,
      [],
      'stale-while-revalidate stale-while-revalidate',
    ],
    ['RFC 5861 §3: stale-while-revalidate: after it', swr, 91, [], 'revalidate stale'],
    [
      'RFC 5861 §3: not for a client that asks for no-cache',
      swr,
      61,
      ['Cache-Control: no-cache'],
      'revalidate stale',
    ],
    [
      'RFC 5861 §3: not for a client that names a max-age',
      swr,
      61,
      ['Cache-Control: max-age=500'],
      'revalidate stale',
    ],
    [
      'RFC 5861 §3: not for a client that names min-fresh',
      swr,
      61,
      ['Cache-Control: min-fresh=1'],
      'revalidate stale',
    ],
    [
      'RFC 5861 §3: must-revalidate forbids it',
      ['Cache-Control: max-age=60, must-revalidate, stale-while-revalidate=30', TAG],
      61,
      [],
      'revalidate stale',
    ],
    [
      'RFC 5861 §3: it counts as cached for only-if-cached',
      swr,
      61,
      ['Cache-Control: only-if-cached'],
      'stale-while-revalidate stale-while-revalidate',
    ],
    [
      'RFC 8246 §2: a reload of a fresh immutable one is answered',
      ['Cache-Control: max-age=60, immutable', TAG],
      1,
      ['Cache-Control: max-age=0'],
      'fresh',
    ],
    [
      'RFC 8246 §2: a forced reload is not',
      ['Cache-Control: max-age=60, immutable', TAG],
      1,
      ['Cache-Control: no-cache'],
      'revalidate request no-cache',
    ],
    [
      'RFC 8246 §2: only during the freshness lifetime',
      ['Cache-Control: max-age=60, immutable', TAG],
      61,
      ['Cache-Control: max-age=0'],
      'revalidate stale',
    ],
    ['§4.3.2: If-Match is for the origin', FRESH, 1, ['If-Match: "a"'], 'forward request precondition'],
    [
      '§4.3.2: If-Unmodified-Since is for the origin',
      FRESH,
      1,
      [`If-Unmodified-Since: ${date()}`],
      'forward request precondition',
    ],
    ['If-None-Match does not keep it from use', FRESH, 1, ['If-None-Match: "b"'], 'fresh'],
  ])('%s', (_, response, age, request, judged) => expect(use(response, age, request)).toBe(judged));

  test.each(['no-cache', 'max-age=0', 'min-fresh=999'])('a route may ignore %s of clients', (value) => {
    expect(
      use(FRESH, 1, [`Cache-Control: ${value}`], { policy: policy(), ignoreClientDirectives: true }),
    ).toBe('fresh');
  });
});

test.each<[string, boolean, string]>([
  ['RFC 9211 §2.2: uri-miss: no stored response matches the URI', false, 'uri-miss'],
  ['RFC 9211 §2.2: vary-miss: a response matches, but not its Vary', true, 'vary-miss'],
])('%s', (_, others, forward) => {
  expect(judgeUse(undefined, scanRequest([]), NOW, policy(), others)).toMatchObject({
    kind: 'miss',
    forward,
  });
  const only = scanRequest(head('Cache-Control: only-if-cached'));
  expect(judgeUse(undefined, only, NOW, policy(), others).kind).toBe('unsatisfiable');
});

test('a request without cache fields costs no object, and neither does its verdict', () => {
  const plain = scanRequest(head('Accept: */*', 'Host: a', 'X-Agent: b'));
  expect(scanRequest([])).toBe(plain);
  const kept = entry(FRESH);
  expect(judgeUse(kept, plain, NOW, policy())).toBe(judgeUse(kept, plain, NOW + 1, policy()));
});

test('requestDirectives reads all of them, and null where there are none', () => {
  expect(requestDirectives(head('Accept: */*'))).toBeNull();
  const value = 'max-age=1, min-fresh="2", max-stale=3, stale-if-error=4, no-store, only-if-cached';
  expect(requestDirectives(head(`Cache-Control: ${value}`))).toEqual({
    maxAge: 1,
    minFresh: 2,
    maxStale: 3,
    staleIfError: 4,
    noCache: false,
    noStore: true,
    onlyIfCached: true,
  });
});

describe('RFC 5861 §4: stale-if-error', () => {
  const can = (response: string[], age: number, status: number | null, request: string[] = []) =>
    canUseOnError(entry([...response, TAG]), NOW + age * 1000, status, requestDirectives(head(...request)));
  const sie = ['Cache-Control: max-age=60, stale-if-error=30'];
  test.each<[string, string[], number, number | null, string[], boolean]>([
    ...[500, 502, 503, 504].map((status): [string, string[], number, number, string[], boolean] => [
      `an error is ${status}`,
      sie,
      61,
      status,
      [],
      true,
    ]),
    ...[200, 400, 404, 429, 501, 505].map((status): [string, string[], number, number, string[], boolean] => [
      `no error is ${status}`,
      sie,
      61,
      status,
      [],
      false,
    ]),
    ['no answer at all is an error', sie, 61, null, [], true],
    ['it may be used until the time is over', sie, 90, 500, [], true],
    ['it may not be used after it', sie, 91, 500, [], false],
    ['without the directive it may not be used', ['Cache-Control: max-age=60'], 61, 500, [], false],
    [
      'must-revalidate forbids it',
      ['Cache-Control: max-age=60, must-revalidate, stale-if-error=30'],
      61,
      500,
      [],
      false,
    ],
    ['s-maxage forbids it', ['Cache-Control: s-maxage=60, stale-if-error=30'], 61, 500, [], false],
    [
      'no-cache of the response forbids it',
      ['Cache-Control: no-cache, stale-if-error=30'],
      1,
      500,
      [],
      false,
    ],
    ['no-cache of the request forbids it', sie, 61, 500, ['Cache-Control: no-cache'], false],
    [
      'the request may ask for it',
      ['Cache-Control: max-age=60'],
      61,
      500,
      ['Cache-Control: stale-if-error=5'],
      true,
    ],
    ['the request may narrow it', sie, 70, 500, ['Cache-Control: stale-if-error=5'], false],
  ])('%s', (_, response, age, status, request, allowed) =>
    expect(can(response, age, status, request)).toBe(allowed),
  );
});

describe('RFC 9111 §4.1: fields nominated by Vary match if', () => {
  const matches = (vary: string, first: string[], second: string[]) => {
    const requestHeaders = head(...first);
    const kept = entry([...FRESH, `Vary: ${vary}`], { requestHeaders });
    return selectVariant([kept], head(...second)) !== undefined;
  };
  test.each<[string, string, string[], string[], boolean]>([
    ['they are equal', 'Foo', ['Foo: 1'], ['Foo: 1'], true],
    ['they are not', 'Foo', ['Foo: 1'], ['Foo: 2'], false],
    ['names are compared without case', 'fOO', ['Foo: 1'], ['foo: 1'], true],
    ['values are compared with case', 'Foo', ['Foo: a'], ['Foo: A'], false],
    ['a field that is absent matches only if it is absent too', 'Foo', [], [], true],
    ['absent in the stored request only', 'Foo', [], ['Foo: 1'], false],
    ['absent in the new request only', 'Foo', ['Foo: 1'], [], false],
    ['empty is not absent', 'Foo', ['Foo:'], [], false],
    ['several lines combine into one', 'Foo', ['Foo: 1', 'Foo: 2'], ['Foo: 1, 2'], true],
    ['order counts where nothing is known about the field', 'Foo', ['Foo: 1, 2'], ['Foo: 2, 1'], false],
    ['all nominated fields count', 'Foo, Bar', ['Foo: 1', 'Bar: 1'], ['Foo: 1', 'Bar: 2'], false],
    ['other fields do not', 'Foo', ['Foo: 1', 'Bar: 1'], ['Foo: 1', 'Bar: 2'], true],
    [
      'order of Accept-Encoding means nothing',
      'Accept-Encoding',
      ['Accept-Encoding: gzip, br'],
      ['Accept-Encoding: br,gzip'],
      true,
    ],
    [
      'case of Accept-Encoding means nothing',
      'Accept-Encoding',
      ['Accept-Encoding: GZIP'],
      ['Accept-Encoding: gzip'],
      true,
    ],
    [
      'white space of Accept-Encoding means nothing',
      'Accept-Encoding',
      ['Accept-Encoding: gzip ; q=0.5'],
      ['Accept-Encoding: gzip;q=0.5'],
      true,
    ],
    [
      'the weight 1 is no weight',
      'Accept-Encoding',
      ['Accept-Encoding: gzip;q=1.0'],
      ['Accept-Encoding: gzip'],
      true,
    ],
    [
      'other weights count',
      'Accept-Encoding',
      ['Accept-Encoding: gzip;q=0'],
      ['Accept-Encoding: gzip'],
      false,
    ],
    [
      'case and white space of Accept-Language mean nothing',
      'Accept-Language',
      ['Accept-Language: en-GB,de'],
      ['Accept-Language: en-gb , de'],
      true,
    ],
    [
      'order of Accept-Language may mean preference',
      'Accept-Language',
      ['Accept-Language: en, de'],
      ['Accept-Language: de, en'],
      false,
    ],
  ])('%s', (_, vary, first, second, same) => expect(matches(vary, first, second)).toBe(same));

  test('the most recent of several that match is selected', () => {
    const kept = [1, 3, 2].map((at) => entry(FRESH, { requestAt: NOW + at, responseAt: NOW + at }));
    expect(selectVariant(kept, [])).toBe(kept[1]);
  });
  test('nothing is selected from nothing', () => expect(selectVariant([], [])).toBeUndefined());
  test('names are stored once, in one order', () => {
    expect(stored([...FRESH, 'Vary: B, a', 'Vary: b']).varyOn).toEqual(['a', 'b']);
  });
  test('an ignored Vary still keeps codings apart', () => {
    const changes = { policy: policy({ ignore: new Set(['vary'] as const) }) };
    expect(stored([...FRESH, 'Vary: Origin, Accept-Encoding'], changes).varyOn).toEqual(['accept-encoding']);
  });
  test('values of absent fields are undefined', () => {
    expect(varyValues(['a', 'b'], head('A: ', 'C: 1'))).toEqual(['', undefined]);
  });
});

describe('RFC 9111 §4.3.1: sending a validation request', () => {
  const validators = (lines: string[], request: string[] = []) =>
    validationHeaders(entry(['Cache-Control: max-age=60', ...lines]), head('Accept: a', ...request)).slice(2);
  const modified = `Last-Modified: ${date(-9)}`;
  test('If-None-Match with the entity tag MUST be sent if one was provided', () => {
    expect(validators([TAG])).toEqual(['If-None-Match', '"a"']);
  });
  test('a weak tag is sent as it is', () => {
    expect(validators(['ETag: W/"a"'])).toEqual(['If-None-Match', 'W/"a"']);
  });
  test('If-Modified-Since with Last-Modified SHOULD be sent', () => {
    expect(validators([modified])).toEqual(['If-Modified-Since', date(-9)]);
  });
  test('both where both are there', () => {
    expect(validators([TAG, modified])).toEqual(['If-None-Match', '"a"', 'If-Modified-Since', date(-9)]);
  });
  test.each([
    'If-None-Match: "x"',
    `If-Modified-Since: ${date()}`,
    'If-Range: "x"',
    'Range: bytes=0-1',
    'If-Match: "x"',
    `If-Unmodified-Since: ${date()}`,
  ])("a client's own condition or range is taken off: %s", (line) =>
    expect(validators([], [line])).toEqual([]),
  );
  test('tags of the other stored answers may be sent along', () => {
    const others = [entry([...FRESH]), entry(['Cache-Control: max-age=60', 'ETag: "b"'])];
    expect(validationHeaders(undefined, [], others)).toEqual(['If-None-Match', '"a", "b"']);
  });
  test('the head handed in stays as it was', () => {
    const given = head('If-None-Match: "x"');
    validationHeaders(entry(FRESH), given);
    expect(given).toEqual(head('If-None-Match: "x"'));
  });
});
