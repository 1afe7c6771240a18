import { describe, expect, test } from 'vitest';
import { currentAge, freshFor } from '../../../src/cache/policy/index.ts';
import { date, entry, NOW, policy, refusal, stored } from './subjects.ts';

const ETAG = 'ETag: "a"';
const lifetime = (lines: string[], changes = {}) => stored([ETAG, ...lines], changes).lifetime;
const cc = (value: string) => `Cache-Control: ${value}`;

describe('RFC 9111 §4.2.1: the freshness lifetime is the first match of', () => {
  test.each<[string, string[], number]>([
    ['s-maxage in a shared cache', [cc('max-age=1, s-maxage=2'), `Expires: ${date(3)}`], 2],
    ['max-age', [cc('max-age=1'), `Expires: ${date(3)}`], 1],
    ['Expires minus Date', [`Date: ${date(-10)}`, `Expires: ${date(50)}`], 60],
    ['Expires minus the time of receipt where there is no Date', [`Expires: ${date(50)}`], 50],
    ['Expires beside a Cache-Control without lifetime', [cc('public'), `Expires: ${date(50)}`], 50],
    ['Expires in RFC 850 form', [`Date: ${date()}`, 'Expires: Thursday, 01-Jan-26 12:01:00 GMT'], 60],
    ['Expires in asctime form', [`Date: ${date()}`, 'Expires: Thu Jan  1 12:01:00 2026'], 60],
  ])('%s', (_, lines, seconds) => expect(lifetime(lines)).toBe(seconds));
});

describe('RFC 9111 §4.2.1: invalid freshness information makes a response stale', () => {
  test.each([
    'max-age=-1',
    'max-age=abc',
    'max-age=1.5',
    'max-age=',
    'max-age',
    'max-age=+60',
    'max-age=60s',
    'max-age="',
    'max-age=0x10',
    'max-age=1e3',
    'max-age=6 0',
    's-maxage=abc',
    'max-age=60, s-maxage=',
    'max-age=60, max-age=120',
    'max-age=120, max-age=60',
    's-maxage=1, s-maxage=2',
    "max-age='60'",
  ])('%s', (value) => expect(lifetime([cc(value)])).toBe(0));

  test.each([
    ['RFC 9111 §5.3: invalid date formats, especially 0, are a time in the past', ['Expires: 0']],
    ['Expires: -1', ['Expires: -1']],
    ['an empty Expires', ['Expires:']],
    ['a date without GMT', ['Expires: Thu, 01 Jan 2026 12:01:00']],
    ['a date in another zone', ['Expires: Thu, 01 Jan 2026 12:01:00 CET']],
    ['a day that does not exist', ['Expires: Sun, 30 Feb 2026 12:01:00 GMT']],
    ['an hour that does not exist', ['Expires: Thu, 01 Jan 2026 25:01:00 GMT']],
    ['two that differ', [`Expires: ${date(60)}`, `Expires: ${date(90)}`]],
    ['one before Date', [`Date: ${date()}`, `Expires: ${date(-60)}`]],
  ])('%s', (_, lines) => expect(lifetime(lines)).toBe(0));
});

describe('RFC 9111 §5.2: directives', () => {
  test.each<[string, string[], number]>([
    ['names are case-insensitive', [cc('MAX-AGE=60')], 60],
    ['the quoted form of an argument is accepted', [cc('max-age="60"')], 60],
    ['white space about the equals sign is read over', [cc('max-age = 60')], 60],
    ['white space about commas is read over', [cc('public ,\tmax-age=60')], 60],
    ['empty members are read over', [cc(',, max-age=60,')], 60],
    ['unrecognised directives MUST be ignored', [cc('foo, bar=1, max-age=60, baz="x, max-age=1"')], 60],
    ['what stands within quotes is no directive', [cc('x="max-age=1", max-age=60')], 60],
    ['all lines are one list', [cc('public'), cc('max-age=60')], 60],
    ['equal duplicates agree', [cc('max-age=60, max-age=60')], 60],
    ['leading zeros count', [cc('max-age=0060')], 60],
    ['§1.2.2: a value over 2^31 is 2^31', [cc('max-age=99999999999999999999')], 2 ** 31],
    ['§1.2.2: 2^31 itself', [cc('max-age=2147483648')], 2 ** 31],
    ['a name that only begins like one is another', [cc('max-age-x=5, max-age=60')], 60],
  ])('%s', (_, lines, seconds) => expect(lifetime(lines)).toBe(seconds));
});

describe('RFC 9111 §4.2.3: calculating age', () => {
  const age = (lines: string[], changes = {}) =>
    stored([cc('max-age=9999'), ...lines], changes).ageAtResponse;
  test.each<[string, string[], object, number]>([
    ['apparent_age is response_time minus date_value', [`Date: ${date(-10)}`], {}, 10],
    ['apparent_age is never negative', [`Date: ${date(10)}`], {}, 0],
    ['age_value counts', ['Age: 7'], {}, 7],
    ['the greater of both counts: Age', [`Date: ${date(-3)}`, 'Age: 7'], {}, 7],
    ['the greater of both counts: Date', [`Date: ${date(-30)}`, 'Age: 7'], {}, 30],
    ['corrected_age_value adds the response delay', ['Age: 7'], { requestAt: NOW - 2000 }, 9],
    ['the delay alone ages', [], { requestAt: NOW - 2000 }, 2],
    ['§5.1: of several members the first is used', ['Age: 7, 100'], {}, 7],
    ['§5.1: of several lines the first is used', ['Age: 7', 'Age: 100'], {}, 7],
    ['§5.1: an invalid Age is ignored: text', ['Age: abc'], {}, 0],
    ['§5.1: an invalid Age is ignored: negative', ['Age: -7'], {}, 0],
    ['§5.1: an invalid Age is ignored: a fraction', ['Age: 7.5'], {}, 0],
    ['an invalid Date counts as the time of receipt', ['Date: yesterday'], {}, 0],
    ['a clock that went back during the request adds nothing', [], { requestAt: NOW + 5000 }, 0],
  ])('%s', (_, lines, changes, seconds) => expect(age(lines, changes)).toBe(seconds));

  test('an Age over 2^31 is 2^31, and the answer stale', () => {
    expect(stored([cc('max-age=60'), ETAG, 'Age: 99999999999999']).ageAtResponse).toBe(2 ** 31);
  });

  test('current_age adds resident_time', () => {
    const kept = entry([cc('max-age=60'), 'Age: 10']);
    expect(currentAge(kept, NOW + 5500)).toBe(15.5);
    expect(freshFor(kept, NOW + 5500)).toBe(44.5);
    expect(freshFor(kept, NOW + 70_000)).toBe(-20);
  });

  test('a clock set back makes nothing younger', () => {
    expect(currentAge(entry([cc('max-age=60'), 'Age: 10']), NOW - 99_000)).toBe(10);
  });
});

describe('RFC 9111 §4.2.2: heuristic freshness', () => {
  const heuristic = { policy: policy({ heuristic: true }) };
  const old = [`Date: ${date()}`, `Last-Modified: ${date(-1000)}`];
  test('is a tenth of the time since Last-Modified', () => expect(lifetime(old, heuristic)).toBe(100));
  test('is off unless asked for', () => expect(refusal(old)).toBe('no-lifetime'));
  test('is never more than a day', () => {
    expect(lifetime([`Last-Modified: ${date(-400 * 86_400)}`], heuristic)).toBe(86_400);
  });
  test('MUST NOT be used where an explicit expiration time is present', () => {
    expect(lifetime([...old, cc('max-age=5')], heuristic)).toBe(5);
  });
  test.each([200, 203, 204, 300, 301, 308, 404, 405, 410, 414, 501])('holds for %d', (status) => {
    expect(lifetime(old, { ...heuristic, status })).toBe(100);
  });
  test.each([201, 202, 302, 303, 307, 400, 401, 403, 500, 503])('does not hold for %d', (status) => {
    expect(refusal(old, { ...heuristic, status })).toBe('no-lifetime');
  });
  test('holds for any status that is marked public', () => {
    expect(lifetime([...old, cc('public')], { ...heuristic, status: 302 })).toBe(100);
  });
  test('a Last-Modified in the future gives nothing', () => {
    expect(lifetime([`Last-Modified: ${date(50)}`], heuristic)).toBe(0);
  });
});

describe('lifetimes of the route', () => {
  const ttl = (of: object, override = false) => ({
    policy: policy({ override, ttl: { byStatus: {}, bare: null, default: null, ...of } }),
  });
  test.each([200, 203, 301, 308, 404, 410])('a bare ttl holds for %d', (status) => {
    expect(lifetime([], { ...ttl({ bare: 30 }), status })).toBe(30);
  });
  test.each([201, 302, 400, 401, 500])('a bare ttl does not hold for %d', (status) => {
    expect(refusal([], { ...ttl({ bare: 30 }), status })).toBe('no-lifetime');
  });
  test.each([200, 302, 400, 404, 451])('ttl.default holds for %d', (status) => {
    expect(lifetime([], { ...ttl({ default: 30 }), status })).toBe(30);
  });
  test.each([401, 403, 407, 429, 500, 503])(
    'ttl.default does not hold for %d, which must be named',
    (status) => {
      expect(refusal([], { ...ttl({ default: 30 }), status })).toBe('no-lifetime');
      expect(lifetime([], { ...ttl({ byStatus: { [status]: 3 } }), status })).toBe(3);
    },
  );
  test('the named status comes before the others', () => {
    expect(lifetime([], { ...ttl({ byStatus: { 404: 1 }, bare: 2, default: 3 }), status: 404 })).toBe(1);
  });
  test('the origin comes before the route', () =>
    expect(lifetime([cc('max-age=5')], ttl({ bare: 30 }))).toBe(5));
  test('with override the route comes before the origin', () => {
    expect(lifetime([cc('max-age=5')], ttl({ bare: 30 }, true))).toBe(30);
  });
  test('with override the origin still holds where the route names nothing', () => {
    expect(lifetime([cc('max-age=5')], { ...ttl({ bare: 30 }, true), status: 302 })).toBe(5);
  });
  test('RFC 5861 times of the origin come before those of the route', () => {
    const mine = { policy: policy({ staleIfError: 1, staleWhileRevalidate: 2 }) };
    expect(stored([cc('max-age=5')], mine)).toMatchObject({ staleIfError: 1, staleWhileRevalidate: 2 });
    const both = [cc('max-age=5, stale-if-error=3, stale-while-revalidate=4')];
    expect(stored(both, mine)).toMatchObject({ staleIfError: 3, staleWhileRevalidate: 4 });
  });
  test('an unreadable RFC 5861 time allows nothing stale', () => {
    const kept = stored([cc('max-age=5, stale-if-error=x, stale-while-revalidate=-1')], {
      policy: policy({ staleIfError: 9 }),
    });
    expect(kept).toMatchObject({ staleIfError: 0, staleWhileRevalidate: 0 });
  });
});

describe('RFC 9213: targeted cache control', () => {
  test.each<[string, string[], number]>([
    ['CDN-Cache-Control comes before Cache-Control', ['CDN-Cache-Control: max-age=7', cc('max-age=1')], 7],
    [
      'Tidegate-Cache-Control comes before both',
      ['Tidegate-Cache-Control: max-age=9', 'CDN-Cache-Control: max-age=7', cc('max-age=1')],
      9,
    ],
    ['Cache-Control: no-store is silenced by it', ['CDN-Cache-Control: max-age=7', cc('no-store')], 7],
    ['Expires is silenced by it', ['CDN-Cache-Control: max-age=7', 'Expires: 0'], 7],
    ['an empty field MUST be ignored', ['CDN-Cache-Control:', cc('max-age=1')], 1],
    ['a field with a parsing error MUST be ignored', ['CDN-Cache-Control: max-age=7, &', cc('max-age=1')], 1],
    ['keys are lower case, or the field is invalid', ['CDN-Cache-Control: Max-Age=7', cc('max-age=1')], 1],
    ['a trailing comma is a parsing error', ['CDN-Cache-Control: max-age=7,', cc('max-age=1')], 1],
    [
      'an invalid one falls to the next',
      ['Tidegate-Cache-Control: =', 'CDN-Cache-Control: max-age=7', cc('max-age=1')],
      7,
    ],
    ['parameters are ignored', ['CDN-Cache-Control: max-age=7;a=1;b', cc('max-age=1')], 7],
    ['unknown members are ignored', ['CDN-Cache-Control: foo=(a b), bar=:aGk=:, max-age=7'], 7],
    ['the last of duplicate keys counts', ['CDN-Cache-Control: max-age=3, max-age=7'], 7],
    ['lines are joined', ['CDN-Cache-Control: public', 'CDN-Cache-Control: max-age=7'], 7],
    ['a string is no delta-seconds', ['CDN-Cache-Control: max-age="7"', cc('max-age=1')], 0],
    ['a decimal is no delta-seconds', ['CDN-Cache-Control: max-age=7.5', cc('max-age=1')], 0],
    ['a negative number is no delta-seconds', ['CDN-Cache-Control: max-age=-7', cc('max-age=1')], 0],
    ['s-maxage comes before max-age in it', ['CDN-Cache-Control: max-age=7, s-maxage=8'], 8],
    ['a directive that is false is absent', ['CDN-Cache-Control: no-store=?0, max-age=7'], 7],
  ])('%s', (_, lines, seconds) => expect(lifetime(lines)).toBe(seconds));

  test('its no-store holds', () => {
    expect(refusal(['CDN-Cache-Control: no-store', cc('max-age=60')])).toBe('no-store');
  });
  test('its private holds', () => {
    expect(refusal(['CDN-Cache-Control: private, max-age=5', cc('max-age=60')])).toBe('private');
  });
  test('without a lifetime in it, neither Cache-Control nor Expires gives one', () => {
    expect(refusal(['CDN-Cache-Control: public', cc('max-age=60'), `Expires: ${date(60)}`])).toBe(
      'no-lifetime',
    );
  });
  test('stale-while-revalidate in it holds', () => {
    expect(stored(['CDN-Cache-Control: max-age=1, stale-while-revalidate=5']).staleWhileRevalidate).toBe(5);
  });
});
