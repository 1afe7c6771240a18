import { describe, expect, test } from 'vitest';
import { applyHead, currentAge, freshen, freshFor, validatedBy } from '../../../src/cache/policy/index.ts';
import { getHeader, getHeaders } from '../../../src/http/headers.ts';
import { date, entry, head, NOW, policy } from './subjects.ts';

const BASE = [
  'Cache-Control: max-age=60',
  'ETag: "a"',
  `Date: ${date()}`,
  'X-Kept: old',
  'Content-Type: text/plain',
];
const LATER = NOW + 100_000;

function update(lines: string[], changes = {}) {
  return {
    headers: head(...lines),
    requestHeaders: [],
    policy: policy(),
    requestAt: LATER,
    responseAt: LATER,
    sequence: 7,
    ...changes,
  };
}
const fresh = (lines: string[], base = BASE) => freshen(entry(base), update(lines))!;

describe('RFC 9111 §3.2: updating stored header fields', () => {
  test('a cache MUST add each header field, replacing those already present', () => {
    const { entry: now } = fresh(['X-Kept: new', 'X-Added: 1']);
    expect([getHeaders(now.headers, 'x-kept'), getHeader(now.headers, 'x-added')]).toEqual([['new'], '1']);
  });
  test('fields the 304 does not name stay', () =>
    expect(getHeader(fresh([]).entry.headers, 'x-kept')).toBe('old'));
  test('several lines replace several', () => {
    const { entry: now } = fresh(['X-Kept: 1', 'X-Kept: 2']);
    expect(getHeaders(now.headers, 'x-kept')).toEqual(['1', '2']);
  });
  test.each([
    'Content-Encoding: gzip',
    'Content-Type: text/html',
    'Content-Range: bytes 0-1/2',
    'Content-Length: 99',
  ])('what the content depends on is not updated: %s', (line) => {
    const name = line.split(':')[0]!.toLowerCase();
    expect(getHeader(fresh([line]).entry.headers, name)).toBe(getHeader(entry(BASE).headers, name));
  });
  test.each([
    'Connection: close',
    'Transfer-Encoding: chunked',
    'Age: 5',
    'Set-Cookie: a=1',
    'Keep-Alive: timeout=5',
  ])('what §3.1 keeps out of the store is not updated: %s', (line) =>
    expect(getHeader(fresh([line]).entry.headers, line.split(':')[0]!.toLowerCase())).toBeUndefined(),
  );
  test('a field that Connection names is not updated', () => {
    expect(getHeader(fresh(['Connection: x-kept', 'X-Kept: new']).entry.headers, 'x-kept')).toBe('old');
  });
  test('the content stays the same object', () => {
    const before = entry(BASE);
    expect(freshen(before, update([]))!.entry.body).toBe(before.body);
  });
  test('the entry handed in stays as it was', () => {
    const before = entry(BASE);
    const copy = structuredClone(before.headers);
    freshen(before, update(['X-Kept: new']));
    expect(before.headers).toEqual(copy);
  });
});

describe('RFC 9111 §4.3.4: freshening stored responses', () => {
  test('makes it fresh from the time of the 304', () => {
    const { entry: now } = fresh([`Date: ${date(100)}`]);
    expect([currentAge(now, LATER), freshFor(now, LATER)]).toEqual([0, 60]);
  });
  test('a 304 without Date is as new as it came', () => expect(currentAge(fresh([]).entry, LATER)).toBe(0));
  test('Age of the 304 counts', () => expect(currentAge(fresh(['Age: 20']).entry, LATER)).toBe(20));
  test('its Cache-Control gives the new lifetime', () => {
    expect(fresh(['Cache-Control: max-age=5']).entry.lifetime).toBe(5);
  });
  test('a stored Expires counts from the new Date', () => {
    const base = ['ETag: "a"', `Date: ${date()}`, `Expires: ${date(160)}`];
    expect(fresh([`Date: ${date(100)}`], base).entry.lifetime).toBe(60);
  });
  test('the number of the validation replaces that of the fill', () =>
    expect(fresh([]).entry.sequence).toBe(7));
  test('no-store in the 304 ends the storing', () => {
    expect(fresh(['Cache-Control: no-store']).refusal).toBe('no-store');
  });
  test('private in the 304 ends the storing', () =>
    expect(fresh(['Cache-Control: private']).refusal).toBe('private'));
  test('Vary: * in the 304 ends the storing', () => expect(fresh(['Vary: *']).refusal).toBe('vary-star'));
  test('otherwise it stays', () => expect(fresh([]).refusal).toBeNull());
  test('a new Vary counts from then on', () => {
    const update304 = update(['Vary: Foo'], { requestHeaders: head('Foo: 1') });
    expect(freshen(entry(BASE), update304)!.entry).toMatchObject({ varyOn: ['foo'], varyValues: ['1'] });
  });
  test('no-cache in the 304 asks for validation from then on', () => {
    expect(fresh(['Cache-Control: no-cache']).entry.noCache).toBe(true);
  });
  test('a 304 with another tag is about another content', () => expect(fresh(['ETag: "b"'])).toBeNull());
  test('a weak tag updates an entry with the same opaque tag, which stays strong', () => {
    expect(fresh(['ETag: W/"a"']).entry.etag).toBe('"a"');
  });
  test('a strong tag does not update an entry with a weak one', () => {
    expect(fresh(['ETag: "a"'], ['Cache-Control: max-age=60', 'ETag: W/"a"'])).toBeNull();
  });
  test('a 304 with another Last-Modified is about another content', () => {
    const base = ['Cache-Control: max-age=60', `Last-Modified: ${date(-9)}`];
    expect(fresh([`Last-Modified: ${date(-5)}`], base)).toBeNull();
    expect(fresh([`Last-Modified: ${date(-9)}`], base)).not.toBeNull();
  });
});

describe('RFC 9111 §4.3.4: which stored response a 304 is about', () => {
  const at = (ms: number, ...lines: string[]) =>
    entry(['Cache-Control: max-age=60', ...lines], { requestAt: NOW + ms, responseAt: NOW + ms });
  const kept = [
    at(1, 'ETag: "a"'),
    at(2, 'ETag: "b"', `Last-Modified: ${date(-9)}`),
    at(3, `Last-Modified: ${date(-9)}`),
  ];
  test('the one with its strong validator', () => expect(validatedBy(kept, head('ETag: "a"'))).toBe(kept[0]));
  test('the most recent one with its weak validator', () => {
    expect(validatedBy(kept, head(`Last-Modified: ${date(-9)}`))).toBe(kept[2]);
  });
  test('none with another validator', () => expect(validatedBy(kept, head('ETag: "c"'))).toBeUndefined());
  test('without validator only the only one', () => {
    expect(validatedBy(kept, [])).toBeUndefined();
    expect(validatedBy([kept[0]!], [])).toBe(kept[0]);
  });
});

describe('RFC 9111 §4.3.5: freshening responses with HEAD', () => {
  const apply = (lines: string[]) => applyHead(entry(BASE), update(lines));
  test('matching validators and Content-Length update it', () => {
    const now = apply(['ETag: "a"', 'Content-Length: 10', 'X-Kept: new'])!.entry;
    expect(getHeader(now.headers, 'x-kept')).toBe('new');
    expect(freshFor(now, LATER)).toBe(60);
  });
  test('fields that were not received need not match', () => expect(apply([])).not.toBeNull());
  test.each(['ETag: "b"', 'ETag: W/"a"', 'Content-Length: 11', `Last-Modified: ${date()}`])(
    'otherwise it is no longer used: %s',
    (line) => expect(apply([line])).toBeNull(),
  );
});
