import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { entries, type ShortMatch, subject } from './fixtures.ts';
import { compileRouter } from './router.ts';
import { findUnreachable } from './unreachable.ts';

type Routes = Record<string, ShortMatch | string>;
const found = (routes: Routes) => findUnreachable(entries(routes));

describe('a route that no request can reach is named', () => {
  test.each<[why: string, routes: Routes, sentence: string]>([
    [
      'twice the same path',
      { a: '/x', b: '/x' },
      'a takes every request that fits it: a stands earlier in the file',
    ],
    [
      'twice the same up to names',
      { a: '/{x}/*', b: '/{y}/{z*}' },
      'a takes every request that fits it: a stands earlier in the file',
    ],
    [
      'twice the same up to spelling',
      { a: '/~x', b: '/%7ex' },
      'a takes every request that fits it: a stands earlier in the file',
    ],
    [
      'twice the same RE2',
      { a: '~/x.*', b: '~/x.*' },
      'a takes every request that fits it: a stands earlier in the file',
    ],
    [
      'the same without case',
      { a: { path: '/X', ignoreCase: true }, b: '/x' },
      'a takes every request that fits it: a stands earlier in the file',
    ],
    [
      'no path below /*',
      { a: '/*', b: { headers: { 'x-beta': 'on' } } },
      'a takes every request that fits it: /* is a path, and this route names none',
    ],
    [
      'RE2 that takes everything',
      { b: '/x/{y}', a: '~.*' },
      'a takes every request that fits it: ~.* is RE2 over the whole path, which goes before names',
    ],
    [
      'RE2 that takes each segment',
      { b: { path: '/x/{y}', method: 'GET' }, a: '/x/{y~.+}' },
      'a takes every request that fits it: /x/{y~.+} is more literal',
    ],
    [
      'HEAD behind GET',
      { a: { path: '/x', method: 'GET' }, b: { path: '/x', method: 'HEAD' } },
      'a takes every request that fits it: a stands earlier in the file',
    ],
    [
      'fewer addresses',
      { a: { path: '/x', ip: ['10.0.0.0/8', '::1'] }, b: { path: '/x', ip: '::1' } },
      'a takes every request that fits it: a stands earlier in the file',
    ],
    [
      'the same conditions',
      { a: { path: '/x', headers: { A: '1' } }, b: { path: '/x', headers: { a: '1' } } },
      'a takes every request that fits it: a stands earlier in the file',
    ],
    ['no path twice', { a: {}, b: {} }, 'a takes every request that fits it: a stands earlier in the file'],
  ])('%s', (_, routes, sentence) => {
    expect(found(routes)).toEqual([{ route: 'b', by: 'a', why: sentence }]);
  });

  test('where several take its methods together', () => {
    const routes = {
      a: { path: '/x', method: 'GET' },
      c: { path: '/x', method: 'POST' },
      b: { path: '/x', method: ['POST', 'GET'] },
    };
    expect(found(routes)).toEqual([{ route: 'b', by: 'c', why: 'c and a take every request that fits it' }]);
  });

  test('where each of its paths is taken', () => {
    const routes = { a: '/x', c: '/y', b: { path: ['/x', '/y'] } };
    expect(found(routes)).toMatchObject([{ route: 'b' }]);
  });
});

describe('a route that some request can reach is not', () => {
  test.each<[why: string, routes: Routes]>([
    ['other paths', { a: '/x', b: '/y' }],
    ['one of its paths is free', { a: '/x', b: { path: ['/x', '/y'] } }],
    ['a prefix behind an exact path', { a: '/x', b: '/x/*' }],
    ['the better one asks for a method', { a: { path: '/x', method: 'GET' }, b: '/x' }],
    ['the better one asks for a header', { a: { path: '/x', headers: { a: '1' } }, b: '/x' }],
    ['the better one asks for addresses', { a: { path: '/x', ip: '::1' }, b: '/x' }],
    ['the better one has a when', { a: { path: '/x', when: () => true }, b: '/x' }],
    ['another host', { a: { path: '/x', host: 'x.example' }, b: '/x' }],
    ['another listener', { a: { path: '/x', listener: 'one' }, b: '/x' }],
    ['typed before untyped', { a: '/{x:int}', b: '/{x}' }],
    ['patterns that can not be compared', { a: '/{x~[0-9]+}', b: '/{y:int}' }],
    ['without case behind with case', { a: '/x', b: { path: '/x', ignoreCase: true } }],
    ['whole-path RE2 behind an exact path', { a: '/x', b: '~/x' }],
    ['a method more', { a: { path: '/x', method: 'GET' }, b: { path: '/x', method: ['GET', 'POST'] } }],
    ['GET behind HEAD', { a: { path: '/x', method: 'HEAD' }, b: { path: '/x', method: 'GET' } }],
    ['a final slash under a pattern', { a: '/{x~.*}', b: '/' }],
  ])('%s', (_, routes) => {
    expect(found(routes)).toEqual([]);
  });
});

test('no request reaches what is called unreachable', () => {
  const path = fc.constantFrom(
    '/a',
    '/A',
    '/a/b',
    '/{x}',
    '/{y}',
    '/{x~.+}',
    '/{x~a}',
    '/{x:int}',
    '/a/*',
    '/a/{r*}',
    '/*',
    '~.*',
    '~/a.*',
    '/a/{x}',
    '/{x~.*}/*',
  );
  const method = fc.constantFrom('GET', 'HEAD', 'POST');
  const value = fc.constantFrom<string | boolean>('1', '~1|2', '~.*', true, false);
  const match = fc.record(
    {
      path: fc.array(path, { minLength: 1, maxLength: 2 }),
      method: fc.array(method, { minLength: 1, maxLength: 2 }),
      headers: fc.dictionary(fc.constantFrom('a', 'b'), value, { maxKeys: 2 }),
      host: fc.constantFrom('x.test', '*.test'),
      ignoreCase: fc.boolean(),
    },
    { requiredKeys: [] },
  );
  const paths = ['/a', '/A', '/a/b', '/a/', '/', '/7', '/b', '/b/c', '/A/b'];
  let named = 0;
  fc.assert(
    fc.property(fc.array(match, { minLength: 2, maxLength: 6 }), (matches) => {
      const list = entries(Object.fromEntries(matches.map((one, i) => [`r${i}`, one as ShortMatch])));
      const unreachable = new Set(findUnreachable(list).map(({ route }) => route));
      named += unreachable.size;
      if (unreachable.size === 0) return;
      const router = compileRouter(list);
      for (const text of paths) {
        for (const asked of ['GET', 'HEAD', 'POST', 'PUT']) {
          for (const host of ['x.test', 'y.test', 'else']) {
            for (const headers of [{}, { a: '1' }, { a: '2', b: '1' }, { b: '' }] as Record<
              string,
              string
            >[]) {
              const outcome = router.match(subject(`${asked} ${text}`, { host, headers }));
              if ('route' in outcome) expect(unreachable).not.toContain(outcome.route);
            }
          }
        }
      }
    }),
    { numRuns: 1500 },
  );
  expect(named).toBeGreaterThan(50);
});
