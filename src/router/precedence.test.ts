import { describe, expect, test } from 'vitest';
import { entries, type ShortMatch, type ShortRequest, subject } from './fixtures.ts';
import { compileRouter } from './router.ts';

type Routes = Record<string, ShortMatch | string>;

function route(matches: Routes, line: string, request?: ShortRequest): string | number {
  const outcome = compileRouter(entries(matches)).match(subject(line, request));
  return 'status' in outcome ? outcome.status : outcome.route;
}

/** `better` wins wherever it stands in the file. */
function wins(
  better: ShortMatch | string,
  worse: ShortMatch | string,
  line: string,
  request?: ShortRequest,
): void {
  expect(route({ better, worse }, line, request)).toBe('better');
  expect(route({ worse, better }, line, request)).toBe('better');
}

describe('of two paths the better is, segment by segment from the left', () => {
  test.each<[why: string, better: string, worse: string, path: string]>([
    ['literal before a name', '/a', '/{x}', '/a'],
    ['literal before partly literal', '/grid-a', '/grid-{x}', '/grid-a'],
    ['literal before RE2', '/7', '/{x~[0-9]}', '/7'],
    ['literal before an integer', '/7', '/{x:int}', '/7'],
    ['literal before the rest', '/a', '/*', '/a'],
    ['partly literal before a name', '/grid-{x}', '/{y}', '/grid-a'],
    ['RE2 before a name', '/{x~a}', '/{y}', '/a'],
    ['an integer before a name', '/{x:int}', '/{y}', '/7'],
    ['a UUID before a name', '/{x:uuid}', '/{y}', '/0189d3c5-7b2e-7c1a-9f00-0123456789ab'],
    ['a name before the rest', '/{x}', '/*', '/a'],
    ['an end before the rest', '/a/{x}', '/a/{y}/*', '/a/b'],
    ['an end before a named rest', '/a/{x}', '/a/{y}/{z*}', '/a/b'],
    ['an exact end before the rest of nothing', '/a', '/a/*', '/a'],
    ['a final slash before the rest', '/a/', '/a/*', '/a/'],
    ['the longer prefix', '/a/b/*', '/a/*', '/a/b/c'],
    ['the longer prefix with nothing left', '/a/b/*', '/a/*', '/a/b'],
    ['a literal on the left outweighs all to the right', '/a/*', '/{x}/b/c', '/a/b/c'],
    ['a literal on the left outweighs an end', '/a/*', '/{x}', '/a'],
    ['a typed name on the left outweighs literals to the right', '/{x:int}/*', '/{y}/b', '/7/b'],
    ['equal on the left, the right decides', '/{x}/b', '/{y}/{z}', '/a/b'],
    ['equal classes on the left, the right decides', '/{x~[0-9]+}/b', '/{y:int}/{z}', '/7/b'],
    ['equal classes on the left twice', '/{x~[0-9]+}/a-{y}/c', '/{x:int}/{y~a-.}/{z}', '/7/a-1/c'],
    ['equal classes, then the rest', '/{x~[0-9]+}/{y}', '/{x:int}/*', '/7/b'],
    ['equal classes, then the end', '/a{x}', '/{y~.*}/*', '/ab'],
    ['whole-path RE2 before a name', '~/a|/b', '/{x}', '/a'],
    ['whole-path RE2 before a prefix', '~/img/.*', '/img/*', '/img/a'],
    ['whole-path RE2 before partly literal', '~/.*', '/grid-{x}', '/grid-a'],
    ['whole-path RE2 before a long prefix', '~/.*', '/a/b/c/{x}', '/a/b/c/d'],
    ['a path without a placeholder before whole-path RE2', '/a', '~/a', '/a'],
  ])('%s', (_, better, worse, path) => {
    wins(better, worse, path);
  });

  test('no path stands below the rest of everything', () => {
    wins('/*', { headers: { a: '1' }, query: { q: '1' }, method: 'GET' }, '/a', {
      headers: { a: '1' },
      query: { q: '1' },
    });
    wins('~.*', {}, '/a');
  });

  test('equal segments of several kinds leave the choice to those further right, at any depth', () => {
    const routes = {
      first: '/{a:int}/{b}/{c}/x',
      second: '/{a~[0-9]+}/{b~.+}/{c}/{d}',
      third: '/{a~[0-9]*}/{b:int}/c/{d}',
      fourth: '/{a:int}/lit/{c}/*',
    };
    expect(route(routes, '/1/lit/c/x')).toBe('fourth');
    expect(route(routes, '/1/2/c/x')).toBe('third');
    expect(route(routes, '/1/2/d/x')).toBe('second');
    expect(route({ first: routes.first, fourth: routes.fourth }, '/1/2/d/x')).toBe('first');
  });
});

describe('beside the path, in this order:', () => {
  const all = { headers: { a: '1', b: '2' }, query: { q: '1', r: '2' }, cookies: { c: '1', d: '2' } };
  const when = () => true;
  test.each<[why: string, better: ShortMatch, worse: ShortMatch]>([
    [
      'a listener before everything',
      { listener: 'main' },
      { host: 'example.com', path: '/a', method: 'GET' },
    ],
    [
      'an exact host before any path',
      { host: 'example.com' },
      { path: '/a', method: 'GET', headers: { a: '1' } },
    ],
    ['an exact host before a wildcard', { host: 'example.com' }, { host: '*.com', path: '/a' }],
    ['a wildcard before none', { host: '*.com' }, { path: '/a' }],
    ['a path before a method', { path: '/a' }, { path: '/{x}', method: 'GET' }],
    ['a path before headers', { path: '/a' }, { path: '/*', headers: { a: '1', b: '2' } }],
    ['a method before headers', { path: '/a', method: 'GET' }, { path: '/a', headers: { a: '1', b: '2' } }],
    ['more headers', { path: '/a', headers: { a: true, b: true } }, { path: '/a', headers: { a: '1' } }],
    ['headers before query', { path: '/a', headers: { a: true } }, { path: '/a', query: { q: '1', r: '2' } }],
    ['more query parameters', { path: '/a', query: { q: true, r: true } }, { path: '/a', query: { q: '1' } }],
    ['query before cookies', { path: '/a', query: { q: true } }, { path: '/a', cookies: { c: '1', d: '2' } }],
    ['more cookies', { path: '/a', cookies: { c: true, d: true } }, { path: '/a', cookies: { c: '1' } }],
    ['cookies before ip', { path: '/a', cookies: { c: true } }, { path: '/a', ip: '192.0.2.0/24', when }],
    ['exact before RE2', { path: '/a', headers: { a: '1' } }, { path: '/a', headers: { a: '~1' } }],
    ['RE2 before present', { path: '/a', headers: { a: '~1' } }, { path: '/a', headers: { a: true } }],
    ['exact before present', { path: '/a', query: { q: '1' } }, { path: '/a', query: { q: true } }],
    ['exact before absent', { path: '/a', cookies: { c: '1' } }, { path: '/a', cookies: { z: false } }],
    ['RE2 before absent', { path: '/a', cookies: { c: '~1' } }, { path: '/a', cookies: { z: false } }],
    [
      'more exact ones of equally many',
      { path: '/a', headers: { a: '1', b: true } },
      { path: '/a', headers: { a: '~1', b: '~2' } },
    ],
    [
      'counts before exactness',
      { path: '/a', headers: { a: true }, cookies: { c: true, d: true } },
      { path: '/a', headers: { a: '1' }, cookies: { c: '1' } },
    ],
    [
      'exactness before ip',
      { path: '/a', headers: { a: '1' } },
      { path: '/a', headers: { a: true }, ip: '192.0.2.1' },
    ],
    ['ip before none', { path: '/a', ip: '0.0.0.0/0' }, { path: '/a' }],
    ['ip before when', { path: '/a', ip: '192.0.2.1' }, { path: '/a', when }],
    ['when before none', { path: '/a', when }, { path: '/a' }],
  ])('%s', (_, better, worse) => {
    wins(better, worse, '/a', all);
  });

  test('the longer wildcard', () => {
    wins({ host: '*.a.example.com' }, { host: '*.example.com', path: '/a' }, '/a', {
      host: 'x.a.example.com',
    });
    wins({ host: '*.b.a.example.com' }, { host: '*.a.example.com', path: '/a' }, '/a', {
      host: 'x.b.a.example.com',
    });
  });

  test('present and absent are equal, like two methods, and so the order in the file decides', () => {
    const present = { path: '/a', headers: { a: true } };
    const absent = { path: '/a', headers: { z: false } };
    expect(route({ present, absent }, '/a', all)).toBe('present');
    expect(route({ absent, present }, '/a', all)).toBe('absent');
    const get = { path: '/a', method: 'GET' };
    const both = { path: '/a', method: ['POST', 'GET'] };
    expect(route({ get, both }, '/a')).toBe('get');
    expect(route({ both, get }, '/a')).toBe('both');
  });

  test('at last the order in the file', () => {
    expect(route({ first: '/a', second: '/a' }, '/a')).toBe('first');
    expect(route({ first: '/{x}', second: '/{y}' }, '/a')).toBe('first');
    expect(route({ first: '/{x:int}', second: '/{y~[0-9]+}' }, '/7')).toBe('first');
    expect(route({ first: '/{x~[0-9]+}', second: '/{y:int}' }, '/7')).toBe('first');
    expect(route({ first: '~/.*', second: '~/a' }, '/a')).toBe('first');
    expect(route({ first: '/a/*', second: '/a/{rest*}' }, '/a/b')).toBe('first');
  });

  test('whole-path patterns are equal, and their other conditions decide', () => {
    wins({ path: '~/a', method: 'GET' }, '~/.*', '/a');
  });
});

describe('a route whose other conditions fail is passed over', () => {
  const beta = { headers: { 'x-beta': 'on' } };
  const on = { headers: { 'x-beta': 'on' } };

  test('for the next with the same path', () => {
    const routes = { beta: { path: '/a', ...beta }, plain: '/a' };
    expect(route(routes, '/a', on)).toBe('beta');
    expect(route(routes, '/a')).toBe('plain');
  });

  test('for the next best path, at any depth', () => {
    const routes: Routes = {
      exact: { path: '/a/b/c', ...beta },
      deep: { path: '/a/b/{x}', ...beta },
      side: { path: '/a/{x}/c', ip: '10.0.0.0/8' },
      typed: { path: '/{x~a}/{y}/{z}', method: 'PUT' },
      prefix: '/a/*',
      root: '/*',
    };
    expect(route(routes, '/a/b/c', on)).toBe('exact');
    expect(route(routes, '/a/b/d', on)).toBe('deep');
    expect(route(routes, '/a/b/c', { ip: '10.0.0.1' })).toBe('side');
    expect(route(routes, '/a/b/c')).toBe('prefix');
    expect(route(routes, 'PUT /a/b/c')).toBe('prefix');
    expect(route({ typed: routes.typed!, root: '/*' }, 'PUT /a/b/c')).toBe('typed');
    expect(route(routes, '/b')).toBe('root');
  });

  test('for the next host, from exact over the longer wildcard to none', () => {
    const routes: Routes = {
      none: {},
      short: { host: '*.example.com', method: 'PUT' },
      long: { host: '*.a.example.com', method: 'POST' },
      exact: { host: 'x.a.example.com', method: 'GET' },
    };
    const host = 'x.a.example.com';
    expect(route(routes, 'GET /', { host })).toBe('exact');
    expect(route(routes, 'POST /', { host })).toBe('long');
    expect(route(routes, 'PUT /', { host })).toBe('short');
    expect(route(routes, 'DELETE /', { host })).toBe('none');
  });

  test('for those without a listener', () => {
    const routes: Routes = { own: { listener: 'plain', path: '/a' }, any: '/*' };
    expect(route(routes, '/a', { listener: 'plain' })).toBe('own');
    expect(route(routes, '/b', { listener: 'plain' })).toBe('any');
    expect(route(routes, '/a', { listener: 'front' })).toBe('any');
  });

  test('all of one port can go to https', () => {
    const routes: Routes = {
      toHttps: { listener: 'plain' },
      shop: { host: 'example.com', path: '/a', method: 'GET' },
    };
    expect(route(routes, '/a', { listener: 'plain' })).toBe('toHttps');
    expect(route(routes, '/a', { listener: 'front' })).toBe('shop');
  });
});
