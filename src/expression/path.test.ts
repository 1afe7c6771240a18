import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Template } from '../config/model.ts';
import { exchangeOf, failureOf, problemsOf } from './fixtures.ts';
import {
  compilePath,
  DYN,
  ExchangeVariables,
  extendScope,
  LayeredVariables,
  requestScope,
  routeScope,
  type Value,
} from './index.ts';

const scope = extendScope(requestScope, { call: DYN });

function render(
  source: Template,
  params: Record<string, string> = {},
  target = '/a?q=x%20y',
  values: Record<string, Value> = {},
): string {
  const variables = new LayeredVariables(new ExchangeVariables(exchangeOf(target, [], params)), values);
  const { path, query } = compilePath(source, scope).render(variables);
  return query === null ? path : `${path}?${query}`;
}

const problems = (source: string): string[] => problemsOf(source, (text) => compilePath(text, scope));

describe('paths', () => {
  it.each([
    ['/products', '/products'],
    ['/', '/'],
    ['/a/', '/a/'],
    ['/a//b', '/a/b'],
    ['/a b/ä', '/a%20b/%C3%A4'],
    ['/%41%2f%7E', '/A%2F~'],
    ['/a?b=c d', '/a?b=c%20d'],
    ['/a?', '/a?'],
    ['/a?b=%41', '/a?b=%41'],
    ['/a{{b}}', '/a%7Bb%7D'],
  ])('%s is constant: %s', (source, path) => {
    expect(compilePath(source, scope).constant).toBe(path);
    expect(render(source)).toBe(path);
  });

  it.each([
    ['ordinary', 'ordinary'],
    ['a b', 'a%20b'],
    ['a/b', 'a%2Fb'],
    ['a\\b', 'a%5Cb'],
    ['..%2f', '..%252f'],
    ['a?b#c', 'a%3Fb%23c'],
    ['%2e%2e', '%252e%252e'],
    ['a;b', 'a%3Bb'],
    ['\0', '%00'],
    ['ä😀', '%C3%A4%F0%9F%98%80'],
    ['...', '...'],
  ])('fills in %j as one segment: %s', (value, segment) => {
    expect(render('/x/{params.id}/y', { id: value })).toBe(`/x/${segment}/y`);
  });

  it.each(['', '.', '..'])('a segment that becomes %j is refused as the request of a client', (value) => {
    for (const source of ['/x/{params.id}', '/x/{params.id}/y', '/{params.id}?a=b', '/{params.id}/*']) {
      expect(failureOf(() => render(source, { id: value }))).toMatchObject({
        kind: 'value',
        origin: 'request',
      });
    }
    expect(
      failureOf(() => render('/x/{call.id}', {}, '/', { call: new Map([['id', value]]) })),
    ).toMatchObject({ kind: 'value', origin: 'other' });
  });

  it('a segment is judged by all that it is made of', () => {
    expect(render('/x-{params.id}', { id: '' })).toBe('/x-');
    expect(render('/x{params.id}', { id: '..' })).toBe('/x..');
    expect(failureOf(() => render('/.{params.id}', { id: '.' })).kind).toBe('value');
    expect(failureOf(() => render('/{params.id}{params.id}', { id: '.' })).kind).toBe('value');
    expect(failureOf(() => render('/%2e{params.id}', { id: '' })).kind).toBe('value');
  });

  it('what is absent, null, a list or a map fails', () => {
    expect(failureOf(() => render('/{request.query.none}'))).toMatchObject({
      kind: 'absent',
      origin: 'request',
    });
    for (const value of [null, [], new Map()]) {
      expect(failureOf(() => render('/{call}', {}, '/', { call: value }))).toMatchObject({
        kind: 'type',
        origin: 'other',
      });
    }
  });

  it('request.path and the rest keep their slashes', () => {
    expect(render('/api{request.path}', {}, '/a/b%20c/')).toBe('/api/a/b%20c/');
    expect(render('/api/{request.path}', {}, '/a')).toBe('/api/a');
    expect(render('{request.path}', {}, '/a/b')).toBe('/a/b');
    expect(render('/v1/{params["*"]}', { '*': 'a b/c' })).toBe('/v1/a%20b/c');
    expect(render('/v1/{params["*"]}', { '*': 'a/' })).toBe('/v1/a/');
    expect(render('/v1/x-{params["*"]}', { '*': 'a/b' })).toBe('/v1/x-a/b');
    const withRest = compilePath('/v1/{params.rest}/{params.id}', routeScope(scope, ['id'], ['rest']));
    expect(withRest.render(new ExchangeVariables(exchangeOf('/', [], { rest: 'a/b', id: 'c/d' }))).path).toBe(
      '/v1/a/b/c%2Fd',
    );
  });

  it('the rest keeps the slashes between its segments, and an encoded one within a segment stays encoded', () => {
    const template = compilePath('/v1/{params["*"]}?all={params["*"]}', routeScope(scope, [], ['*']));
    const exchange = exchangeOf('/c/a%2Fb/c%20d', [], { '*': 'a/b/c d' });
    exchange.restAt = 2;
    expect(template.render(new ExchangeVariables(exchange))).toEqual({
      path: '/v1/a%2Fb/c%20d',
      query: 'all=a%2Fb%2Fc%20d',
    });
  });

  it('an empty rest is no segment', () => {
    expect(render('/api/{params["*"]}', { '*': '' }, '/c')).toBe('/api');
    expect(render('/api/{params["*"]}', { '*': '' }, '/c/')).toBe('/api/');
    expect(render('/api/{params["*"]}/end', { '*': '' }, '/c/')).toBe('/api/end');
    expect(render('/{params["*"]}', { '*': '' }, '/c')).toBe('/');
  });

  it.each(['..', 'a/..', '../a', 'a/./b', 'a//b', '/a'])('a rest of %j is refused', (rest) => {
    expect(failureOf(() => render('/x/{params["*"]}', { '*': rest }))).toMatchObject({
      kind: 'value',
      origin: 'request',
    });
  });

  it('values in the query are encoded as values', () => {
    expect(render('/a?c={params.id}&d={request.query.q}', { id: 'a&b=c' })).toBe('/a?c=a%26b%3Dc&d=x%20y');
    expect(render('/a?c={params.id}', { id: '' })).toBe('/a?c=');
    expect(render('/a?c={params.id}', { id: '..' })).toBe('/a?c=..');
    expect(render('/a?u={request.url}')).toBe('/a?u=http%3A%2F%2Fshop.example%3A8080%2Fa%3Fq%3Dx%2520y');
  });

  it('a final /* asks for the rest, which is put behind', () => {
    const rest = (source: string) => {
      const template = compilePath(source, scope);
      return [
        template.endsWithRest,
        template.render(new ExchangeVariables(exchangeOf('/', [], { id: 'x' }))).path,
      ];
    };
    expect(rest('/api/*')).toEqual([true, '/api']);
    expect(rest('/*')).toEqual([true, '']);
    expect(rest('/{params.id}/*')).toEqual([true, '/x']);
    expect(rest('/api/*?a=b')).toEqual([true, '/api']);
    expect(rest('/api/x*')).toEqual([false, '/api/x*']);
    expect(rest('/api/*/x')).toEqual([false, '/api/*/x']);
  });

  it('no value makes another path than one with as many segments, none of them empty or dots', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (value) => {
        let path: string;
        try {
          path = render('/a/{params.id}/b', { id: value });
        } catch {
          expect(['', '.', '..']).toContain(value);
          return;
        }
        expect(path).toMatch(/^\/a\/(?!\.{1,2}\/)[A-Za-z0-9\-_.!~*'()%]+\/b$/);
        expect(decodeURIComponent(path.slice(3, -2))).toBe(value.toWellFormed());
      }),
    );
  });

  it('a function gives the whole path', () => {
    const by = (path: unknown) => render((() => path) as Template);
    expect(by('/a/b?c=d e')).toBe('/a/b?c=d%20e');
    expect(by('/a//ä')).toBe('/a/%C3%A4');
    for (const bad of ['a', '', '/../a', '/a/%2e%2e/b', '/a#b', '/a%zz', '/a\\b', null])
      expect(() => by(bad)).toThrow();
  });
});

describe('problems of paths', () => {
  it.each([
    ['a/b', 'a @0: a path begins with "/"'],
    ['', ' @0: a path begins with "/"; leave it out to keep the path as it is'],
    ['{params.id}/b', '{ @0: a path begins with "/"'],
    ['/a/../b', '.. @3: ".." can not be a segment of this path'],
    ['/a/%2e', '%2e @3: "." can not be a segment of this path'],
    ['/a%zz', '% @2: "%" needs two hex digits behind it; write %25 for the character itself'],
    ['/a#b', '# @2: a fragment is never sent to a server'],
    ['/a\\b', '\\ @2: this character can not stand in a path'],
    ['/{params}', 'params @2: map can not be filled into a text; json(value) makes a text of it'],
    [
      '/{auth.permissions}',
      'auth.permissions @2: list(string) can not be filled into a text; join it, or take one element',
    ],
    ['/{parms.id}', 'parms @2: there is no variable "parms"; did you mean "params"?'],
  ])('%s', (source, message) => {
    expect(problems(source)[0]).toBe(message);
  });
});
