import { describe, expect, it } from 'vitest';
import type { Headers } from '../http/headers.ts';
import { exchangeOf, failureOf, show } from './fixtures.ts';
import {
  compileExpression,
  ExchangeVariables,
  errorScope,
  errorVariables,
  parseJson,
  ResponseVariables,
  requestScope,
  responseScope,
  type Value,
} from './index.ts';

function read(source: string, target = '/a', headers: Headers = [], strict = false): string {
  const variables = new ExchangeVariables(exchangeOf(target, headers, { id: 'x y', '*': 'a/b' }), { strict });
  return show(compileExpression(source, requestScope).evaluate(variables));
}
const fails = (source: string, target: string, headers: Headers, strict: boolean) =>
  failureOf(() => read(source, target, headers, strict));

describe('request', () => {
  it('shows the request as the client made it', () => {
    expect(
      read('[request.method, request.path, request.host, request.scheme, request.ip, request.id]', '/a?b'),
    ).toBe('["GET", "/a", "shop.example", "http", "192.0.2.7", "r-1"]');
    expect(read('request.url', '/a/%41?b=%20')).toBe('"http://shop.example:8080/a/%41?b=%20"');
    expect(read('params.id + params["*"]')).toBe('"x ya/b"');
  });

  it('names headers in lower case, and joins several lines', () => {
    const headers = ['X-A', '1', 'x-a', '2', 'Set-Cookie', 'a=1', 'Host', 'h'];
    expect(read('request.headers["x-a"]', '/', headers)).toBe('"1, 2"');
    expect(read('request.headers["set-cookie"]', '/', headers)).toBe('["a=1"]');
    expect(read('request.headers.map(h, h)', '/', headers)).toBe('["x-a", "set-cookie", "host"]');
    expect(read('has(request.headers["set-cookie"])', '/', [])).toBe('false');
  });

  it('no longer shows what was taken off the request after it was read first', () => {
    const exchange = exchangeOf('/a?key=secret&a=1', ['cookie', 'key=secret; a=1']);
    const variables = new ExchangeVariables(exchange);
    const both = compileExpression('[request.query, request.queries, request.cookies]', requestScope);
    expect(show(both.evaluate(variables))).toContain('secret');
    exchange.query = 'a=1';
    exchange.headers[1] = 'a=1';
    expect(show(both.evaluate(variables))).not.toContain('secret');
  });

  it('gives the first value of a query parameter, and all of them', () => {
    expect(read('request.query.a', '/?a=1&b&a=2')).toBe('"1"');
    expect(read('request.queries', '/?a=1&b&a=2&&=x')).toBe('{"a": ["1", "2"], "b": [""], "": ["x"]}');
    expect(read('request.queries', '/')).toBe('{}');
  });

  it.each([
    ['a+b', 'a b'],
    ['a%20b', 'a b'],
    ['%2B', '+'],
    ['%C3%A4', 'ä'],
    ['%F0%9F%98%80', '😀'],
    ['%', '%'],
    ['%zz', '%zz'],
    ['%4', '%4'],
    ['%FF', '%FF'],
    ['%C3', '%C3'],
    ['%C3%A4%FFa%41', 'ä%FFaA'],
    ['%ED%A0%80', '%ED%A0%80'],
    ['%C0%80', '%C0%80'],
    ['%00', '\0'],
  ])('decodes %s in a query to %s', (encoded, decoded) => {
    expect(read('request.query.q', `/?q=${encoded}`)).toBe(JSON.stringify(decoded));
    expect(read('request.queries', `/?${encoded}=1`)).toBe(`{${JSON.stringify(decoded)}: ["1"]}`);
  });

  it('gives the first value of a cookie', () => {
    expect(read('request.cookies', '/', ['Cookie', 'a=1; b="x y"; a=2', 'cookie', 'c=3=4; d'])).toBe(
      '{"a": "1", "b": "x y", "c": "3=4"}',
    );
  });

  it('strictly, reading what stands twice fails, and nothing else does', () => {
    const headers = ['X-A', '1', 'X-A', '2', 'Cookie', 'a=1; a=2; b=1', 'X-B', '1'];
    for (const source of [
      'request.headers["x-a"]',
      'request.query.a',
      'request.cookies.a',
      'has(request.query.a)',
      'request.query',
    ]) {
      expect(fails(source, '/?a=1&a=2', headers, true)).toMatchObject({ kind: 'value', origin: 'request' });
      expect(() => read(source, '/?a=1&a=2', headers, false)).not.toThrow();
    }
    expect(
      read('request.headers["x-b"] + request.query.b + request.cookies.b', '/?a=1&a=2&b=1', headers, true),
    ).toBe('"111"');
    expect(read('request.queries.a', '/?a=1&a=2', headers, true)).toBe('["1", "2"]');
    expect(fails('request.query.a', '/?a=1&a=2', [], true).message).toBe(
      'the query parameter "a" stands twice in the request',
    );
  });

  it('members named like those of any object are ordinary', () => {
    expect(read('request.query["constructor"]', '/?constructor=1')).toBe('"1"');
    expect(read('request.query["__proto__"]', '/?__proto__=1')).toBe('"1"');
    for (const name of ['constructor', '__proto__', 'toString', 'hasOwnProperty']) {
      for (const holder of ['request.query', 'request.cookies', 'request.headers', 'params']) {
        if (holder === 'request.headers' && name !== name.toLowerCase()) continue;
        expect(read(`has(${holder}["${name}"])`)).toBe('false');
      }
    }
  });

  it('has a body only once it was read', () => {
    const variables = new ExchangeVariables(exchangeOf('/'));
    const program = compileExpression('request.body.a', requestScope);
    expect(failureOf(() => program.evaluate(variables)).kind).toBe('absent');
    variables.body = parseJson('{"a": 1}', { duplicates: 'reject' });
    expect(program.evaluate(variables)).toBe(1n);
  });
});

describe('auth', () => {
  const evaluate = (source: string, variables: ExchangeVariables): Value =>
    compileExpression(source, requestScope).evaluate(variables);

  it('of nobody: no subject to compare with, no permissions', () => {
    const anonymous = new ExchangeVariables(exchangeOf('/'));
    for (const source of [
      'auth.subject == "x"',
      'auth.subject != "x"',
      'auth.subject == auth.subject',
      'auth.provider == null',
    ]) {
      expect(failureOf(() => evaluate(source, anonymous)).kind).toBe('absent');
    }
    expect(
      evaluate(
        'has(auth.subject) || "a" in auth.permissions || size(auth.scopes) > 0 || size(auth.claims) > 0',
        anonymous,
      ),
    ).toBe(false);
  });

  it('shows who asks', () => {
    const exchange = exchangeOf('/');
    const variables = new ExchangeVariables(exchange);
    exchange.identity = {
      subject: 'bob',
      permissions: ['orders:read'],
      scopes: ['s'],
      claims: new Map([['tenant', 't1']]),
      provider: 'main',
    };
    expect(
      evaluate(
        'auth.subject == "bob" && "orders:read" in auth.permissions && auth.claims.tenant == "t1" && has(auth.provider)',
        variables,
      ),
    ).toBe(true);
  });
});

describe('headers and cookies beyond ASCII', () => {
  const bytes = (text: string) => Buffer.from(text).toString('latin1');
  const evaluate = (source: string, variables: ExchangeVariables) =>
    compileExpression(source, requestScope).evaluate(variables);

  it('are read as UTF-8, and as ISO-8859-1 where they are none', () => {
    const headers = ['x-name', bytes('José'), 'cookie', bytes('city=Zürich'), 'x-old', 'Jos\xe9'];
    const variables = new ExchangeVariables(exchangeOf('/?q=Jos%C3%A9', headers));
    const source =
      'request.headers["x-name"] == "José" && request.cookies.city == "Zürich" && request.headers["x-old"] == "José" && request.query.q == "José"';
    expect(evaluate(source, variables)).toBe(true);
    const response = new ResponseVariables(variables, { status: 200, headers: ['Set-Cookie', bytes('a=é')] });
    expect(compileExpression('response.headers["set-cookie"][0]', responseScope).evaluate(response)).toBe(
      'a=é',
    );
  });

  it('fail in a key or guard where they are no UTF-8, so that no other value reads the same', () => {
    const headers = ['x-name', 'Jos\xe9', 'cookie', 'city=Z\xfcrich', 'x-good', bytes('José')];
    const variables = new ExchangeVariables(exchangeOf('/', headers), { strict: true });
    expect(failureOf(() => evaluate('request.headers["x-name"] == ""', variables)).kind).toBe('value');
    expect(failureOf(() => evaluate('request.cookies.city == ""', variables)).kind).toBe('value');
    expect(evaluate('request.headers["x-good"] == "José"', variables)).toBe(true);
  });
});

describe('response and error', () => {
  const below = new ExchangeVariables(exchangeOf('/'));

  it('response shows an answer', () => {
    const headers = ['ETag', '"1"', 'Set-Cookie', 'a=1', 'Set-Cookie', 'b=2'];
    const variables = new ResponseVariables(below, { status: 201, headers }, new Map([['a', 1n]]));
    const source =
      'response.status == 201 && response.headers.etag == "\\"1\\"" && size(response.headers["set-cookie"]) == 2 && response.body.a == 1 && request.method == "GET"';
    expect(compileExpression(source, responseScope).evaluate(variables)).toBe(true);
    expect(
      show(
        compileExpression('response', responseScope).evaluate(
          new ResponseVariables(below, { status: 204, headers: [] }),
        ),
      ),
    ).toBe('{"status": 204, "headers": {}}');
  });

  it('error shows what failed', () => {
    const variables = errorVariables(below, { status: 502, title: 'Bad Gateway', code: 'TG_X', detail: 'd' });
    expect(show(compileExpression('error', errorScope).evaluate(variables))).toBe(
      '{"status": 502, "title": "Bad Gateway", "code": "TG_X", "detail": "d"}',
    );
  });
});
