import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { normalisePath, splitTarget } from './normalise.ts';

describe('paths have one spelling', () => {
  test.each([
    // Already normal.
    ['/', '/'],
    ['/a', '/a'],
    ['/a/', '/a/'],
    ['/a/b.c/d-e_f~g', '/a/b.c/d-e_f~g'],
    ["/!$&'()*+,;=:@", "/!$&'()*+,;=:@"],
    ['/a..b/c...', '/a..b/c...'],
    ['/.well-known/x', '/.well-known/x'],
    ['/...', '/...'],
    ['/..a', '/..a'],
    ['/a%20b', '/a%20b'],
    // An empty path is the root (RFC 3986 §6.2.3).
    ['', '/'],
    // Dot segments (RFC 3986 §5.2.4).
    ['/.', '/'],
    ['/./', '/'],
    ['/a/.', '/a/'],
    ['/a/./b', '/a/b'],
    ['/a/..', '/'],
    ['/a/../', '/'],
    ['/a/../b', '/b'],
    ['/a/b/..', '/a/'],
    ['/a/b/../c', '/a/c'],
    ['/a/b/c/./../../g', '/a/g'],
    ['/mid/content=5/../6', '/mid/6'],
    // Encoded dots are dots.
    ['/a/%2e/b', '/a/b'],
    ['/a/%2E%2e/b', '/b'],
    ['/a/.%2e/b', '/b'],
    ['/a/%2e.', '/'],
    ['/a/%2e%2eb', '/a/..b'],
    // Duplicate slashes.
    ['//', '/'],
    ['//a', '/a'],
    ['/a//b', '/a/b'],
    ['/a///', '/a/'],
    ['/a//../b', '/b'],
    ['/a/.//b', '/a/b'],
    // Unreserved characters are decoded, hex digits upper-cased (RFC 3986 §6.2.2).
    ['/%61%5A%30%2d%2e%5f%7e', '/aZ0-._~'],
    ['/%7Euser', '/~user'],
    ['/a%2fb', '/a%2Fb'],
    ['/a%2Fb', '/a%2Fb'],
    ['/caf%c3%a9', '/caf%C3%A9'],
    ['/%3b%3B%40', '/%3B%3B%40'],
    ['/a%25b', '/a%25b'],
    // Decoded once: what was encoded twice stays encoded once.
    ['/%252e%252e/b', '/%252e%252e/b'],
    ['/%252F', '/%252F'],
    // What URIs forbid but browsers send raw means its encoded form.
    ['/a|b', '/a%7Cb'],
    ['/[x]', '/%5Bx%5D'],
    ['/{a}"<b>^`', '/%7Ba%7D%22%3Cb%3E%5E%60'],
    // U+10FFFF, the last code point.
    ['/%F4%8F%BF%BF', '/%F4%8F%BF%BF'],
  ])('%s becomes %s', (raw, normal) => {
    expect(normalisePath(raw)).toBe(normal);
  });
});

describe('paths that mean trouble are refused', () => {
  test.each([
    ['no leading slash', 'a'],
    ['no leading slash but an asterisk', '*'],
    ['a lone percent sign', '/%'],
    ['one hex digit', '/%4'],
    ['no hex digits', '/%zz'],
    ['a percent sign before an escape', '/%%41'],
    ['an encoded NUL', '/a%00b'],
    ['an encoded line feed', '/a%0Ab'],
    ['an encoded carriage return', '/a%0db'],
    ['an encoded DEL', '/a%7f'],
    ['a backslash', '/a\\b'],
    ['a backslash that goes up', '/a\\..\\b'],
    ['an encoded backslash', '/a%5Cb'],
    ['an encoded backslash in lower case', '/a%5cb'],
    ['a raw NUL', '/a\u0000'],
    ['a raw tab', '/a\tb'],
    ['a raw space', '/a b'],
    ['a raw DEL', '/a\u007f'],
    ['a raw byte above ASCII', '/caf\u00e9'],
    ['a raw character above latin1', '/\u20ac'],
    ['a fragment', '/a#b'],
    ['a query', '/a?b'],
    ['dots above the root', '/..'],
    ['dots above the root and down again', '/../a'],
    ['more dots than segments', '/a/../../b'],
    ['encoded dots above the root', '/%2e%2e/a'],
    ['dots above the root past empty segments', '//../a'],
    ['an overlong slash', '/a%C0%AFb'],
    ['overlong dots', '/%C0%AE%C0%AE/b'],
    ['a cut UTF-8 sequence', '/%C3'],
    ['a UTF-8 sequence cut by a slash', '/%C3/%A9'],
    ['a stray continuation byte', '/%A9'],
    ['latin1', '/caf%E9'],
    ['an encoded surrogate', '/%ED%A0%80'],
    ['a code point behind the last', '/%F4%90%80%80'],
    ['byte FF', '/%FF'],
  ])('%s', (_, raw) => {
    expect(normalisePath(raw)).toBeNull();
  });
});

describe('normalising', () => {
  const piece = fc.constantFrom(
    '/',
    '.',
    '..',
    '%2e',
    '%2E',
    '%2f',
    '%61',
    'a',
    'B',
    ';',
    '%c3%a9',
    '%25',
    '//',
    '|',
    '%5c',
    '%',
    ' ',
  );
  const raw = fc.array(piece, { maxLength: 12 }).map((pieces) => `/${pieces.join('')}`);

  test('is done after once', () => {
    fc.assert(
      fc.property(raw, (path) => {
        const once = normalisePath(path);
        fc.pre(once !== null);
        expect(normalisePath(once)).toBe(once);
      }),
      { numRuns: 3000 },
    );
  });

  test('leaves no dot segment, no empty segment but the last, no encoded unreserved character', () => {
    fc.assert(
      fc.property(raw, (path) => {
        const normal = normalisePath(path);
        fc.pre(normal !== null);
        expect(normal).toMatch(/^\//);
        expect(normal).not.toMatch(
          /\/\.{1,2}(\/|$)|\/\/|%[0-9A-F]?[a-f]|%(2D|2E|5F|7E|3[0-9]|[46][1-9A-F]|[57][0-9A])/,
        );
      }),
      { numRuns: 3000 },
    );
  });

  test('agrees with the URL parser on dot segments', () => {
    const segment = fc.constantFrom('a', 'b', '.', '..', '%2e', '%2E.', 'x.y');
    fc.assert(
      fc.property(fc.array(segment, { minLength: 1, maxLength: 8 }), (segments) => {
        const path = `/${segments.join('/')}`;
        const normal = normalisePath(path);
        fc.pre(normal !== null);
        expect(normal).toBe(new URL(path, 'http://h').pathname);
      }),
      { numRuns: 2000 },
    );
  });
});

test('a target splits at its first question mark', () => {
  expect(splitTarget('/a?b=c?d')).toEqual({ path: '/a', query: 'b=c?d' });
  expect(splitTarget('/a?')).toEqual({ path: '/a', query: '' });
  expect(splitTarget('/a')).toEqual({ path: '/a', query: null });
});
