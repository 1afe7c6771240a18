import { describe, expect, test } from 'vitest';
import { matchConfig, type ShortMatch } from './fixtures.ts';
import { matchErrors } from './match-errors.ts';

const PLACE = ['routes', 'shop', 'match'];

function issues(match: ShortMatch) {
  return matchErrors(matchConfig(match), PLACE);
}

describe('what is wrong with a match is said with its place', () => {
  test.each<
    [
      match: ShortMatch,
      code: string,
      severity: string,
      path: (string | number)[],
      message: RegExp,
      advice: RegExp,
    ]
  >([
    [{ path: ['/a', 'b'] }, 'PATH', 'error', ['path', 1], /begins with/, /`\/b`/],
    [{ path: '/users/:id' }, 'PATH', 'warning', ['path', 0], /`:id` is literal text/, /`{id}`/],
    [{ host: '' }, 'HOST', 'error', ['host', 0], /names no host/, /leave `host` out/],
    [{ host: '*' }, 'HOST', 'error', ['host', 0], /names no host/, /leave `host` out/],
    [{ host: 'https://shop.example/x' }, 'HOST', 'error', ['host', 0], /is no host/, /`shop\.example`/],
    [{ host: 'shop.*' }, 'HOST', 'error', ['host', 0], /first labels/, /`\*\.example\.com`/],
    [{ host: '*shop.example' }, 'HOST', 'error', ['host', 0], /first labels/, /`\*\.example\.com`/],
    [{ host: '.example.com' }, 'HOST', 'error', ['host', 0], /begins with a dot/, /`\*\.example\.com`/],
    [{ host: 'shop_.ex ample' }, 'HOST', 'error', ['host', 0], /no host name/, /letters, digits and hyphens/],
    [{ host: 'a..b' }, 'HOST', 'error', ['host', 0], /no host name/, /labels/],
    [{ host: '-a.example' }, 'HOST', 'error', ['host', 0], /no host name/, /labels/],
    [{ host: 'shop.example:8080' }, 'HOST', 'warning', ['host', 0], /without the port/, /`listener`/],
    [{ method: 'G T' }, 'METHOD', 'error', ['method', 0], /no method/, /GET or POST/],
    [{ method: ['GET', 'post'] }, 'METHOD', 'error', ['method', 1], /never matches/, /`POST`/],
    [{ method: '*' }, 'METHOD', 'error', ['method', 0], /names no method/, /leave `method` out/],
    [{ method: 'CONNECT' }, 'METHOD', 'error', ['method', 0], /never reaches/, /refuses/],
    [{ method: 'DELTE' }, 'METHOD', 'warning', ['method', 0], /no method of HTTP/, /`DELETE`/],
    [{ headers: { 'x beta': 'on' } }, 'HEADER', 'error', ['headers', 'x beta'], /no header name/, /letters/],
    [
      { headers: { 'x-a': '1', 'X-A': '2' } },
      'HEADER',
      'error',
      ['headers', 'X-A'],
      /one header/,
      /keep one/,
    ],
    [{ headers: { 'x-a': '~(' } }, 'PATTERN', 'error', ['headers', 'x-a'], /./, /RE2/],
    [{ query: { q: '~[' } }, 'PATTERN', 'error', ['query', 'q'], /./, /RE2/],
    [{ cookies: { c: '~a(?=b)' } }, 'PATTERN', 'error', ['cookies', 'c'], /ahead/, /RE2/],
    [{ ip: ['10.0.0.0/8', '10.0.0.0/33'] }, 'IP', 'error', ['ip', 1], /0 to 32/, /10\.0\.0\.0\/8/],
    [{ ip: 'localhost' }, 'IP', 'error', ['ip', 0], /no IP address/, /10\.0\.0\.0\/8/],
  ])('%j', (match, code, severity, path, message, advice) => {
    const found = issues(match);
    expect(found).toHaveLength(1);
    expect(found[0]).toMatchObject({ code: `TG_CONFIG_MATCH_${code}`, severity, path: [...PLACE, ...path] });
    expect(found[0]!.message).toMatch(message);
    expect(found[0]!.advice).toMatch(advice);
  });

  test('all of it at once', () => {
    const found = issues({ path: ['a', '/{'], host: '*', method: 'get', headers: { a: '~(' }, ip: 'x' });
    expect(found.map((issue) => issue.code.replace('TG_CONFIG_MATCH_', ''))).toEqual([
      'HOST',
      'PATH',
      'PATH',
      'METHOD',
      'PATTERN',
      'IP',
    ]);
  });

  test('spans lie in the value', () => {
    expect(issues({ path: '/a/{id:nit}' })[0]).toMatchObject({ span: [7, 10] });
    expect(issues({ headers: { a: '~x(' } })[0]!.span).toEqual([expect.any(Number), 3]);
    expect(issues({ host: 'shop.example:8080' })[0]).toMatchObject({ span: [12, 17] });
  });
});

test('a match that is right has no issues', () => {
  const match: ShortMatch = {
    listener: 'front',
    host: [
      'shop.example.com',
      '*.example.com.',
      '[::1]',
      '127.0.0.1',
      'm\u00fcnchen.example',
      'localhost',
      '_dmarc.example',
    ],
    path: ['/', '/a/{b:int}/*', '~/x/[0-9]+', '/v1/things:batch'],
    method: ['GET', 'PURGE', 'PROPFIND'],
    headers: { 'X-Beta': 'on', 'x-b': '~a|b', 'x-c': true, 'x-d': false },
    query: { 'a b': '~.*' },
    cookies: { session: true },
    ip: ['10.0.0.0/8', '::1'],
    ignoreCase: true,
  };
  expect(issues(match)).toEqual([]);
});
