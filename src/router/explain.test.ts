import { describe, expect, test } from 'vitest';
import { describeMatch, describePath } from './describe.ts';
import { explainMatch } from './explain.ts';
import { entries, matchConfig, type ShortMatch, type ShortRequest, subject } from './fixtures.ts';
import { compileRouter } from './router.ts';

function explain(routes: Record<string, ShortMatch | string>, line: string, request?: ShortRequest) {
  return explainMatch(compileRouter(entries(routes)), subject(line, request));
}

/** Why the route called `not` does not take the request. */
function why(
  not: ShortMatch | string,
  line: string,
  request?: ShortRequest,
  taken: ShortMatch | string = '/*',
): string | undefined {
  return explain({ taken, not }, line, request).rejected.find(({ route }) => route === 'not')?.why;
}

describe('explain says of each other route why not', () => {
  test.each<[why: string, not: ShortMatch | string, line: string, request?: ShortRequest]>([
    ['path /ordering/* does not match', '/ordering/*', '/catalogue/a'],
    ['none of the paths /a, /b/{x} matches', { path: ['/a', '/b/{x}'] }, '/c'],
    ['listener must be plain, was main', { listener: 'plain' }, '/'],
    ['listener must be plain or front, was main', { listener: ['plain', 'front'] }, '/'],
    [
      'host must be shop.example or *.shop.example, was example.com',
      { host: ['shop.example', '*.shop.example'] },
      '/',
    ],
    ['host must be shop.example, was absent', { host: 'shop.example' }, '/', { host: '' }],
    ['method must be GET or HEAD, was POST', { path: '/a', method: 'GET' }, 'POST /a'],
    ['method must be PUT, GET or HEAD, was POST', { path: '/a', method: ['PUT', 'GET', 'HEAD'] }, 'POST /a'],
    ['header x-beta must be "on", was absent', { headers: { 'X-Beta': 'on' } }, '/'],
    [
      'header x-beta must be "on", was "off"',
      { headers: { 'x-beta': 'on' } },
      '/',
      { headers: { 'x-beta': 'off' } },
    ],
    [
      'header x-beta must match ~on|yes, was "off"',
      { headers: { 'x-beta': '~on|yes' } },
      '/',
      { headers: { 'x-beta': 'off' } },
    ],
    ['header x-beta must be present, was absent', { headers: { 'x-beta': true } }, '/'],
    [
      'header x-beta must be absent, was "1"',
      { headers: { 'x-beta': false } },
      '/',
      { headers: { 'x-beta': '1' } },
    ],
    ['query parameter page must be "1", was "2"', { query: { page: '1' } }, '/', { query: { page: '2' } }],
    ['cookie side must be "b", was ***', { cookies: { side: 'b' } }, '/', { cookies: { side: 'a' } }],
    [
      'header x-api-key must be ***, was ***',
      { headers: { 'x-api-key': 'hush' } },
      '/',
      { headers: { 'x-api-key': 'no' } },
    ],
    ['header authorization must match ***, was absent', { headers: { authorization: '~Bearer .*' } }, '/'],
    ['address 192.0.2.1 is not in 10.0.0.0/8 or ::1', { ip: ['10.0.0.0/8', '::1'] }, '/'],
    ["when `a test` is false, or can't be evaluated", { when: () => false }, '/'],
    [
      'method must be PUT, was GET, and header a must be "1", was absent, and address 192.0.2.1 is not in 10.0.0.0/8',
      { path: '/a', method: 'PUT', headers: { a: '1' }, ip: '10.0.0.0/8' },
      '/a',
    ],
  ])('%s', (sentence, not, line, request) => {
    expect(why(not, line, request)).toBe(sentence);
  });

  const all: ShortRequest = { headers: { a: '1', b: '1' }, query: { q: '1' }, cookies: { c: '1' } };
  test.each<[why: string, taken: ShortMatch | string, not: ShortMatch | string]>([
    ['taken names its listener', { listener: 'main' }, { path: '/a/b' }],
    ['taken names the host more exactly', { host: 'example.com' }, { path: '/a/b' }],
    ['taken names the host more exactly', { host: 'example.com' }, { host: '*.com' }],
    ['/a/{x} is more literal', '/a/{x}', '/{y}/b'],
    ['/a/{x~b} is more literal', '/a/{x~b}', '/a/{x}'],
    ['/a/b is more literal', '/a/b', '~/a/b'],
    ['~/a/b is RE2 over the whole path, which goes before names', '~/a/b', '/a/{x}'],
    ['/a/{x} leaves less open', '/a/{x}', '/a/*'],
    ['/a/{x} ends here', '/a/{x}', '/a/{y}/*'],
    ['/* is a path, and this route names none', '/*', {}],
    ['taken names its method', { path: '/a/b', method: 'GET' }, '/a/b'],
    [
      'taken asks for more headers',
      { path: '/a/b', headers: { a: '1', b: '1' } },
      { path: '/a/b', headers: { a: '1' } },
    ],
    ['taken asks for more query parameters', { path: '/a/b', query: { q: '1' } }, '/a/b'],
    ['taken asks for more cookies', { path: '/a/b', cookies: { c: '1' } }, '/a/b'],
    [
      'taken names its headers more exactly',
      { path: '/a/b', headers: { a: '1' } },
      { path: '/a/b', headers: { a: true } },
    ],
    ['taken names addresses', { path: '/a/b', ip: '192.0.2.1' }, '/a/b'],
    ['taken has a `when`', { path: '/a/b', when: () => true }, '/a/b'],
    ['taken stands earlier in the file', '/a/b', '/a/b'],
  ])('matches too, but %s', (sentence, taken, not) => {
    expect(why(not, '/a/b', all, taken)).toBe(`matches too, but ${sentence}`);
  });

  test('in the order of the file, with the route that takes it and its parameters', () => {
    const routes = {
      catalogue: '/catalogue/*',
      product: { path: '/catalogue/products/{sku}', method: 'GET' },
      ordering: '/ordering/*',
    };
    const explained = explain(routes, '/catalogue/products/A%201');
    expect({ ...explained, params: { ...explained.params } }).toEqual({
      route: 'product',
      refusal: null,
      params: { sku: 'A 1' },
      rejected: [
        { route: 'catalogue', why: 'matches too, but /catalogue/products/{sku} is more literal' },
        { route: 'ordering', why: 'path /ordering/* does not match' },
      ],
    });
  });

  test('also where none takes it', () => {
    const routes = { a: { path: '/a', method: 'POST' }, b: '/b' };
    expect(explain(routes, '/a')).toMatchObject({
      route: null,
      refusal: { status: 405, allow: ['POST'] },
      rejected: [
        { route: 'a', why: 'method must be POST, was GET' },
        { route: 'b', why: 'path /b does not match' },
      ],
    });
    expect(explain(routes, '/c')).toMatchObject({ route: null, refusal: { status: 404 } });
  });

  test('also where the path leaves a doubt', () => {
    const explained = explain({ all: '/*', admin: '/admin/{x}' }, '/admin%2Fa');
    expect(explained).toMatchObject({ route: null, refusal: { status: 400 } });
    expect(explained.rejected[0]!.why).toMatch(
      /^matches, but a service might read \/admin%2Fa as a path that this route does not rule/,
    );
    expect(explained.rejected[1]!.why).toBe('path /admin/{x} does not match');
  });

  test('with long values cut', () => {
    expect(why({ headers: { a: '1' } }, '/', { headers: { a: 'x'.repeat(5000) } })!.length).toBeLessThan(200);
  });
});

describe('a match on one line', () => {
  test.each<[ShortMatch | string, string]>([
    ['/catalogue/*', '/catalogue/*'],
    [{}, 'any path'],
    [{ path: ['/a', '/b'], method: ['GET', 'POST'] }, 'GET|POST /a | /b'],
    [{ path: '/a', ignoreCase: true }, '/a (any case)'],
    [
      {
        path: '/a',
        listener: 'front',
        host: 'x.example',
        headers: { 'x-beta': 'on', 'x-key': 'k' },
        query: { q: '~[0-9]+' },
        cookies: { c: true, d: false },
        ip: '10.0.0.0/8',
        when: () => true,
      },
      '/a, listener front, host x.example, header x-beta "on", header x-key ***, query q ~[0-9]+, cookie c present, cookie d absent, ip 10.0.0.0/8, when a test',
    ],
  ])('%j', (match, line) => {
    expect(describeMatch(matchConfig(match))).toBe(line);
  });

  test('a function as when is called so', () => {
    expect(describeMatch({ ...matchConfig('/a'), when: () => true })).toBe('/a, when a function');
    expect(describePath(matchConfig('/a'))).toBe('/a');
  });
});
