import { describe, expect, it } from 'vitest';
import { STANDARD_POLICY } from '../cache/index.ts';
import { keepsFor, type Part } from './keeping.ts';

const NOW = Date.UTC(2026, 0, 1);
const part = (headers: string[], more: Partial<Part> = {}): Part => ({
  status: 200,
  headers,
  policy: null,
  tags: [],
  madeOf: [],
  requestAt: NOW,
  responseAt: NOW,
  ...more,
});
const maxAge = (seconds: number, ...more: string[]) => part(['Cache-Control', `max-age=${seconds}`, ...more]);

describe('what is composed of parts is kept', () => {
  it('as long as the part that lives shortest', () => {
    expect(keepsFor([maxAge(60), maxAge(20), maxAge(90)], null)).toBe(20);
  });

  it('with the age of its parts counted', () => {
    expect(keepsFor([maxAge(60, 'Age', '50'), maxAge(30)], null)).toBe(10);
  });

  it("as long as the route's ttl where a part names no lifetime", () => {
    expect(keepsFor([part([]), maxAge(60)], 30)).toBe(30);
    expect(keepsFor([part([]), maxAge(20)], 30)).toBe(20);
  });

  it('with the age counted of a part that names no lifetime, too', () => {
    expect(keepsFor([part(['Age', '20']), maxAge(60)], 30)).toBe(10);
    expect(keepsFor([part(['Date', new Date(NOW - 20_000).toUTCString()])], 30)).toBe(10);
    expect(keepsFor([part(['Age', '30']), maxAge(60)], 30)).toBeNull();
    expect(keepsFor([part(['Date', new Date(NOW).toUTCString()], { responseAt: NOW + 900 })], 1)).toBe(1);
  });

  it('not at all where a part names no lifetime and the route neither', () => {
    expect(keepsFor([part([]), maxAge(20)], null)).toBeNull();
  });

  it('as long as what a part is made of, where it is an aggregate that says nothing itself', () => {
    const inner = (...madeOf: Part[]) => part([], { madeOf });
    expect(keepsFor([inner(maxAge(20), maxAge(40)), maxAge(60)], null)).toBe(20);
    expect(keepsFor([inner(maxAge(60, 'Age', '50'))], 30)).toBe(10);
    expect(keepsFor([inner(part([]), maxAge(60))], 30)).toBe(30);
    expect(keepsFor([inner(part([]))], null)).toBeNull();
    expect(keepsFor([inner(part(['Cache-Control', 'no-store']))], 30)).toBeNull();
    expect(keepsFor([{ ...maxAge(5), madeOf: [maxAge(60)] }], 30)).toBe(5);
    expect(keepsFor([{ ...maxAge(5), madeOf: [part(['Cache-Control', 'private'])] }], 30)).toBeNull();
  });

  it("by what the call's own cache says of it", () => {
    const policy = { ...STANDARD_POLICY, ttl: { byStatus: {}, bare: 5, default: null } };
    expect(keepsFor([part([], { policy }), maxAge(60)], 30)).toBe(5);
  });

  it.each([
    ['no-store', ['Cache-Control', 'no-store']],
    ['private', ['Cache-Control', 'private, max-age=60']],
    ['no-cache', ['Cache-Control', 'no-cache, max-age=60']],
    ['Vary: *', ['Cache-Control', 'max-age=60', 'Vary', '*']],
    ['Set-Cookie', ['Cache-Control', 'max-age=60', 'Set-Cookie', 'a=1']],
    ['an age beyond its lifetime', ['Cache-Control', 'max-age=60', 'Age', '60', 'ETag', '"a"']],
    ['a lifetime of nothing', ['Cache-Control', 'max-age=0', 'ETag', '"a"']],
  ])('not at all where a part has %s', (_what, headers) => {
    expect(keepsFor([maxAge(90), part(headers)], 30)).toBeNull();
  });

  it('not at all where the tags of a part could not be told', () => {
    expect(keepsFor([maxAge(90), { ...maxAge(60), tags: null }], 30)).toBeNull();
  });

  it("as long as the route's ttl where every call was skipped", () => {
    expect(keepsFor([], 30)).toBe(30);
    expect(keepsFor([], null)).toBeNull();
  });
});
