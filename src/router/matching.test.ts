import { describe, expect, test } from 'vitest';
import { NO_PARAMS } from '../http/exchange.ts';
import { entries, type ShortMatch, type ShortRequest, subject } from './fixtures.ts';
import { compileRouter } from './router.ts';

/** Name of the route that takes a request, else the status. */
function route(
  matches: Record<string, ShortMatch | string>,
  line: string,
  request?: ShortRequest,
): string | number {
  const outcome = compileRouter(entries(matches)).match(subject(line, request));
  return 'status' in outcome ? outcome.status : outcome.route;
}

/** Parameters and rest that a pattern finds in a path; null where it does not match. */
function found(pattern: string, path: string, ignoreCase = false) {
  const outcome = compileRouter(entries({ only: { path: pattern, ignoreCase } })).match(subject(path));
  return 'status' in outcome ? null : { ...outcome.params };
}

describe('paths match whole', () => {
  test.each<[pattern: string, path: string, params: Record<string, string> | null]>([
    // Exact.
    ['/', '/', {}],
    ['/a', '/a', {}],
    ['/a', '/a/', null],
    ['/a/', '/a/', {}],
    ['/a/', '/a', null],
    ['/a', '/A', null],
    ['/a', '/ab', null],
    ['/a/b', '/a/b', {}],
    ['/a/b', '/a', null],
    ['/a;v=1', '/a;v=1', {}],
    // A name is one segment of at least one character.
    ['/{x}', '/a', { x: 'a' }],
    ['/{x}', '/', null],
    ['/{x}', '/a/', null],
    ['/{x}', '/a/b', null],
    ['/{x}/', '/a/', { x: 'a' }],
    ['/{x}/', '/a', null],
    ['/a/{x}', '/a/', null],
    ['/a/{x}/b', '/a/1/b', { x: '1' }],
    ['/{x}/{y}', '/1/2', { x: '1', y: '2' }],
    ['/{constructor}', '/a', { constructor: 'a' }],
    // RE2 must match the whole segment.
    ['/{x~[0-9]+}', '/12', { x: '12' }],
    ['/{x~[0-9]+}', '/12a', null],
    ['/{x~[0-9]+}', '/a12', null],
    ['/{x~a|b}', '/b', { x: 'b' }],
    ['/{x~a|b}', '/bb', null],
    ['/{x~[0-9]{3}}', '/123', { x: '123' }],
    ['/{x~[0-9]{3}}', '/12', null],
    ['/{x~[{}]+}', '/%7B%7D', { x: '{}' }],
    ['/{x~[]a]+}', '/a', { x: 'a' }],
    ['/{x~a*}', '/', null],
    ['/{x~\\d{2}}/{y~(a|b)c}', '/12/bc', { x: '12', y: 'bc' }],
    // Integers in their canonical spelling alone.
    ['/{x:int}', '/0', { x: '0' }],
    ['/{x:int}', '/42', { x: '42' }],
    ['/{x:int}', '/-42', { x: '-42' }],
    ['/{x:int}', '/042', null],
    ['/{x:int}', '/-0', null],
    ['/{x:int}', '/+1', null],
    ['/{x:int}', '/1.0', null],
    ['/{x:int}', '/1e3', null],
    ['/{x:int}', '/-', null],
    ['/{x:int}', '/%31', { x: '1' }],
    ['/{x:int}', '/%D9%A1', null],
    ['/{x:int}', '/123456789012345678901234567890', { x: '123456789012345678901234567890' }],
    // UUIDs in lower case alone.
    ['/{x:uuid}', '/0189d3c5-7b2e-7c1a-9f00-0123456789ab', { x: '0189d3c5-7b2e-7c1a-9f00-0123456789ab' }],
    ['/{x:uuid}', '/0189D3C5-7B2E-7C1A-9F00-0123456789AB', null],
    ['/{x:uuid}', '/0189d3c57b2e7c1a9f000123456789ab', null],
    ['/{x:uuid}', '/{0189d3c5-7b2e-7c1a-9f00-0123456789ab}', null],
    ['/{x:uuid}', '/0189d3c5-7b2e-7c1a-9f00-0123456789ag', null],
    // Text around names.
    ['/grid-{kind}', '/grid-large', { kind: 'large' }],
    ['/grid-{kind}', '/grid-', null],
    ['/grid-{kind}', '/grid', null],
    ['/{name}.json', '/a.b.json', { name: 'a.b' }],
    ['/{name}.json', '/.json', null],
    ['/v{n:int}', '/v2', { n: '2' }],
    ['/v{n:int}', '/v02', null],
    ['/a{x}a', '/aa', null],
    ['/a{x}a', '/aaa', { x: 'a' }],
    ['/{a}-{b}', '/x-y', { a: 'x', b: 'y' }],
    ['/{a}-{b}', '/x-y-z', { a: 'x', b: 'y-z' }],
    ['/{a}-{b}', '/--x', { a: '-', b: 'x' }],
    ['/{a}-{b}', '/-x', null],
    ['/{a}-{b}', '/x-', null],
    ['/{a}-{b}', '/x', null],
    ['/{a}--{b}', '/x---y', { a: 'x', b: '-y' }],
    ['/({a},{b})', '/(1,2)', { a: '1', b: '2' }],
    ['/{a}.{b}.{c}', '/1.2.3.4', { a: '1', b: '2', c: '3.4' }],
    ['/{slug~[a-z-]+}-{id:int}', '/red-shoe-42', { slug: 'red-shoe', id: '42' }],
    ['/{slug~[a-z-]+}-{id:int}', '/red-shoe-x', null],
    ['/v{major:int}.{minor:int}', '/v1.22', { major: '1', minor: '22' }],
    ['/{a~(x)(y)}-{b~(z)}', '/xy-z', { a: 'xy', b: 'z' }],
    ['/{a}@{b:int}', '/x@y@3', { a: 'x@y', b: '3' }],
    ['/caf\u00e9-{x}', '/caf%C3%A9-1', { x: '1' }],
    ['/a%2Fb-{x}', '/a%2Fb-1', { x: '1' }],
    // The rest, also none of it.
    ['/*', '/', { '*': '' }],
    ['/*', '/a', { '*': 'a' }],
    ['/*', '/a/b/', { '*': 'a/b/' }],
    ['/p/*', '/p', { '*': '' }],
    ['/p/*', '/p/', { '*': '' }],
    ['/p/*', '/p/a', { '*': 'a' }],
    ['/p/*', '/p/a/b', { '*': 'a/b' }],
    ['/p/*', '/pa', null],
    ['/p/*', '/', null],
    ['/p/{rest*}', '/p', { rest: '' }],
    ['/p/{rest*}', '/p/', { rest: '' }],
    ['/p/{rest*}', '/p/a/b', { rest: 'a/b' }],
    ['/{x}/*', '/a', { x: 'a', '*': '' }],
    ['/{x}/*', '/a/b/c', { x: 'a', '*': 'b/c' }],
    ['/{x}/*', '/', null],
    // RE2 over the whole path.
    ['~/a/[0-9]+', '/a/12', {}],
    ['~/a/[0-9]+', '/a/12/', null],
    ['~/a/[0-9]+', '/b/a/12', null],
    ['~/a|/b', '/b', {}],
    ['~.*\\.png', '/x/y.png', {}],
    // Values are decoded once.
    ['/{x}', '/a%20b', { x: 'a b' }],
    ['/{x}', '/caf%C3%A9', { x: 'caf\u00e9' }],
    ['/{x}', '/a%252Fb', { x: 'a%2Fb' }],
    ['/{x}', '/a%2Fb', { x: 'a/b' }],
    ['/{x}', '/a+b', { x: 'a+b' }],
    ['/{x~[^/]+}', '/a%2Fb', null],
    ['/p/*', '/p/a%20b/c', { '*': 'a b/c' }],
    // Paths of the file are brought to the same spelling.
    ['/caf\u00e9', '/caf%c3%a9', {}],
    ['/caf%c3%a9', '/caf%C3%A9', {}],
    ['/a b', '/a%20b', {}],
    ['/%7euser', '/~user', {}],
    ['/~user', '/%7Euser', {}],
    ['/a%2fb', '/a%2Fb', {}],
    ['/a//b/./c/../d', '/a/b/d', {}],
    ['/a/.', '/a/', {}],
    ['/a/b/..', '/a/', {}],
    ['//', '/', {}],
    ['/{x}//b', '/1/b', { x: '1' }],
    ['/a|b', '/a%7Cb', {}],
    ['/a%2Ab', '/a%2Ab', {}],
  ])('%s on %s', (pattern, path, params) => {
    expect(found(pattern, path)).toEqual(params);
  });

  test.each<[pattern: string, path: string, params: Record<string, string> | null]>([
    ['/About', '/aBOUT', {}],
    ['/about/{x}', '/ABOUT/Me', { x: 'Me' }],
    ['/Caf\u00e9', '/CAF%C3%89', {}],
    ['/x/*', '/X/Y', { '*': 'Y' }],
    ['/grid-{kind}', '/GRID-Large', { kind: 'Large' }],
    ['/{a}x{b}', '/1X2', { a: '1', b: '2' }],
    ['/{x~[a-z]+}', '/ABC', { x: 'ABC' }],
    ['~/a/[a-z]+', '/A/B', {}],
    ['/{x:uuid}', '/0189D3C5-7B2E-7C1A-9F00-0123456789AB', null],
    [
      '/id-{x:uuid}',
      '/ID-0189d3c5-7b2e-7c1a-9f00-0123456789ab',
      { x: '0189d3c5-7b2e-7c1a-9f00-0123456789ab' },
    ],
    ['/id-{x:uuid}', '/id-0189D3C5-7b2e-7c1a-9f00-0123456789ab', null],
    ['/a%2Fb', '/A%2FB', {}],
    ['/a%2Fb', '/a/b', null],
  ])('%s without case on %s', (pattern, path, params) => {
    expect(found(pattern, path, true)).toEqual(params);
  });

  test('paths with and without case are equally literal, and the order of the file decides', () => {
    const routes = { loose: { path: '/a', ignoreCase: true }, strict: '/a' };
    expect(route(routes, '/a')).toBe('loose');
    expect(route(routes, '/A')).toBe('loose');
    expect(route({ strict: '/a', loose: { path: '/a', ignoreCase: true } }, '/a')).toBe('strict');
    expect(route({ strict: '/a', loose: { path: '/a', ignoreCase: true } }, '/A')).toBe('loose');
  });

  test('paths with and without case are compared on their later segments', () => {
    const routes = {
      loose: { path: '/a/{x}', ignoreCase: true },
      strict: '/a/b-{x}',
      other: { path: '/A/B-{x}/*', ignoreCase: true },
    };
    expect(route(routes, '/a/b-1')).toBe('strict');
    expect(route(routes, '/A/b-1')).toBe('other');
    expect(route(routes, '/a/b-1/c')).toBe('other');
    expect(route(routes, '/a/c')).toBe('loose');
  });
});

describe('what a match hands on', () => {
  const match = (path: string, line: string) => compileRouter(entries({ only: path })).match(subject(line));

  test.each<[pattern: string, path: string, rest: string | null]>([
    ['/c/*', '/c', ''],
    ['/c/*', '/c/', '/'],
    ['/c/*', '/c/a%2Fb/%20/', '/a%2Fb/%20/'],
    ['/{x}/{rest*}', '/1/2/3', '/2/3'],
    ['/*', '/', '/'],
    ['/c', '/c', null],
    ['/{x}', '/c', null],
  ])('%s on %s has the rest as it stands', (pattern, path, rest) => {
    expect(match(pattern, path)).toMatchObject({ rest });
  });

  test('a path without names shares one empty set of parameters', () => {
    expect(match('/c', '/c')).toMatchObject({ params: NO_PARAMS });
    expect(match('~/c', '/c')).toMatchObject({ params: NO_PARAMS });
    expect((match('/c', '/c') as { params: unknown }).params).toBe(NO_PARAMS);
  });

  test('parameters inherit nothing, and may be called anything', () => {
    const outcome = match('/{__proto__}/{toString}', '/a/b') as { params: Record<string, string> };
    expect(Object.entries(outcome.params)).toEqual([
      ['__proto__', 'a'],
      ['toString', 'b'],
    ]);
    expect(outcome.params.constructor).toBeUndefined();
    expect(outcome.params.hasOwnProperty).toBeUndefined();
  });
});

describe('hosts', () => {
  test.each<[pattern: string, host: string, matches: boolean]>([
    ['shop.example.com', 'shop.example.com', true],
    ['Shop.Example.COM', 'shop.example.com', true],
    ['shop.example.com.', 'shop.example.com', true],
    ['shop.example.com:8080', 'shop.example.com', true],
    ['shop.example.com', 'example.com', false],
    ['shop.example.com', 'a.shop.example.com', false],
    ['*.example.com', 'a.example.com', true],
    ['*.example.com', 'a.b.example.com', true],
    ['*.example.com', 'example.com', false],
    ['*.example.com', '.example.com', false],
    ['*.example.com', 'badexample.com', false],
    ['*.example.com', 'a.example.com.evil', false],
    ['*.Example.com.', 'a.example.com', true],
    ['[::1]', '[::1]', true],
    ['[::1]:80', '[::1]', true],
    ['127.0.0.1', '127.0.0.1', true],
    ['localhost', 'localhost', true],
    ['m\u00fcnchen.example', 'xn--mnchen-3ya.example', true],
    ['*.m\u00fcnchen.example', 'a.xn--mnchen-3ya.example', true],
    ['shop.example.com', '', false],
  ])('%s and %s', (host, asked, matches) => {
    expect(route({ only: { host } }, '/', { host: asked })).toBe(matches ? 'only' : 404);
  });
});

describe('methods', () => {
  test.each<[methods: string | string[], method: string, matches: boolean]>([
    ['GET', 'GET', true],
    ['GET', 'HEAD', true],
    ['GET', 'get', false],
    ['GET', 'POST', false],
    ['HEAD', 'HEAD', true],
    ['HEAD', 'GET', false],
    [['POST', 'PUT'], 'PUT', true],
    [['POST', 'GET'], 'HEAD', true],
    ['PURGE', 'PURGE', true],
    [[], 'ANYTHING', true],
  ])('%s and %s', (method, asked, matches) => {
    expect(route({ only: { path: '/', method } }, `${asked} /`)).toBe(matches ? 'only' : 405);
  });
});

describe('headers, query parameters and cookies', () => {
  const kinds = ['headers', 'query', 'cookies'] as const;
  const cases: [expected: string | boolean, value: string | undefined, matches: boolean][] = [
    ['on', 'on', true],
    ['on', 'ON', false],
    ['on', 'on, on', false],
    ['on', '', false],
    ['on', undefined, false],
    ['', '', true],
    ['~on|yes', 'yes', true],
    ['~on|yes', 'yes!', false],
    ['~o.', 'on', true],
    ['~o.', 'xon', false],
    ['~.*', undefined, false],
    [true, 'x', true],
    [true, '', true],
    [true, undefined, false],
    [false, undefined, true],
    [false, '', false],
    [false, 'x', false],
  ];
  for (const kind of kinds) {
    test.each(cases)(`${kind}: %j asks, %j is there`, (expected, value, matches) => {
      const request = { [kind]: value === undefined ? {} : { 'x-a': value } };
      expect(route({ only: { path: '/', [kind]: { 'x-a': expected } } }, '/', request)).toBe(
        matches ? 'only' : 404,
      );
    });
  }

  test('names of headers have no case, those of parameters and cookies have', () => {
    expect(route({ only: { headers: { 'X-Beta': 'on' } } }, '/', { headers: { 'x-beta': 'on' } })).toBe(
      'only',
    );
    expect(route({ only: { query: { Beta: 'on' } } }, '/', { query: { beta: 'on' } })).toBe(404);
    expect(route({ only: { cookies: { Beta: 'on' } } }, '/', { cookies: { beta: 'on' } })).toBe(404);
  });

  test('all conditions must hold', () => {
    const only: ShortMatch = {
      path: '/a',
      headers: { a: '1', b: '2' },
      query: { q: true },
      cookies: { c: false },
    };
    expect(route({ only }, '/a', { headers: { a: '1', b: '2' }, query: { q: '' } })).toBe('only');
    expect(route({ only }, '/a', { headers: { a: '1' }, query: { q: '' } })).toBe(404);
    expect(route({ only }, '/a', { headers: { a: '1', b: '2' } })).toBe(404);
    expect(route({ only }, '/a', { headers: { a: '1', b: '2' }, query: { q: '' }, cookies: { c: '' } })).toBe(
      404,
    );
  });
});

describe('addresses, listeners and when', () => {
  test.each<[ip: string | string[], asked: string, matches: boolean]>([
    ['10.0.0.0/8', '10.1.2.3', true],
    ['10.0.0.0/8', '11.1.2.3', false],
    ['192.0.2.1', '192.0.2.1', true],
    [['192.0.2.1', '2001:db8::/32'], '2001:db8::7', true],
    ['2001:db8::/32', '192.0.2.1', false],
  ])('%s and %s', (ip, asked, matches) => {
    expect(route({ only: { ip } }, '/', { ip: asked })).toBe(matches ? 'only' : 404);
  });

  test('a listener is one of those named', () => {
    expect(route({ only: { listener: ['plain', 'front'] } }, '/', { listener: 'front' })).toBe('only');
    expect(route({ only: { listener: 'plain' } }, '/', { listener: 'front' })).toBe(404);
  });

  test('when decides on the request', () => {
    const routes = { only: { path: '/a', when: (s: { method: string }) => s.method === 'PUT' } };
    expect(route(routes, 'PUT /a')).toBe('only');
    expect(route(routes, 'GET /a')).toBe(404);
  });

  test('when knows what the path captures, of each path and reading its own', () => {
    const seen: object[] = [];
    const when = (_: unknown, params: () => object) => seen.push({ ...params() }) > 0;
    expect(route({ only: { path: ['/a', '/b/{x}', '/{y}/c/*'], when } }, '/b/1')).toBe('only');
    expect(route({ only: { path: '/a', when } }, '/a')).toBe('only');
    expect(
      route({ shallow: { path: '/a/{x}', when }, deep: { path: '/a/{x}/{y~[a-z]+}', when } }, '/a/b%2Fc'),
    ).toBe(400);
    expect(seen).toEqual([{ x: '1' }, {}, { x: 'b/c' }, { x: 'b', y: 'c' }]);
  });
});

describe('lists', () => {
  test('any path, host or method of a list matches', () => {
    const only = { path: ['/a', '/b/*'], host: ['x.example', '*.y.example'], method: ['GET', 'POST'] };
    for (const path of ['/a', '/b/c']) {
      for (const host of ['x.example', 'z.y.example']) {
        for (const method of ['GET', 'HEAD', 'POST'])
          expect(route({ only }, `${method} ${path}`, { host })).toBe('only');
      }
    }
    expect(route({ only }, '/c', { host: 'x.example' })).toBe(404);
    expect(route({ only }, '/a', { host: 'w.example' })).toBe(404);
  });

  test('each entry counts with its own precedence', () => {
    const routes = { list: { path: ['/a/b', '/*'] }, middle: '/a/{x}' };
    expect(route(routes, '/a/b')).toBe('list');
    expect(route(routes, '/a/c')).toBe('middle');
    expect(route(routes, '/c')).toBe('list');
    const hosts = { list: { host: ['x.example', '*.example'] }, middle: { host: '*.a.example' } };
    expect(route(hosts, '/', { host: 'x.example' })).toBe('list');
    expect(route(hosts, '/', { host: 'b.a.example' })).toBe('middle');
    expect(route(hosts, '/', { host: 'b.c.example' })).toBe('list');
  });

  test('of two entries of one route the better gives the parameters', () => {
    const outcome = compileRouter(entries({ only: { path: ['/a/{rest*}', '/a/{x}'] } })).match(
      subject('/a/1'),
    );
    expect(outcome).toMatchObject({ params: { x: '1' } });
  });
});

describe('a route without a path', () => {
  test('takes every path', () => {
    expect(route({ only: {} }, '/any/thing')).toBe('only');
    expect(route({ only: { method: 'GET' } }, '/')).toBe('only');
  });
});
