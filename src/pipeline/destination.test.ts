import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { EvaluationFailure, requestScope } from '../expression/index.ts';
import { compileDestination, restOf } from './destination.ts';
import { type ExchangeOptions, exchangeOf, variables } from './fixtures.ts';

function target(
  path: string | null,
  options: ExchangeOptions,
  data: Record<string, unknown> = {},
  only?: string[],
): string {
  const destination = compileDestination({ path }, requestScope, only === undefined ? null : new Set(only));
  return destination(exchangeOf(options), variables(data));
}

function failure(path: string, data: Record<string, unknown>): EvaluationFailure {
  try {
    target(path, {}, data);
  } catch (error) {
    if (error instanceof EvaluationFailure) return error;
    throw error;
  }
  throw new Error('it did not fail');
}

describe('without to.path', () => {
  test('path and query go to the service byte for byte', () => {
    expect(target(null, { path: '/a/%2Fb;c=d/' })).toBe('/a/%2Fb;c=d/');
    expect(target(null, { path: '/a', query: 'b=%20+&&c&%zz' })).toBe('/a?b=%20+&&c&%zz');
    expect(target(null, { path: '/a', query: '' })).toBe('/a?');
  });

  test('query: { only } lets through what it names', () => {
    expect(target(null, { path: '/a', query: 'b=1&c=2' }, {}, ['c'])).toBe('/a?c=2');
    expect(target(null, { path: '/a', query: 'b=1' }, {}, ['c'])).toBe('/a');
  });
});

describe('a to.path without expressions', () => {
  test('replaces the path, and the query goes along', () => {
    expect(target('/products', { path: '/x', query: 'a=1' })).toBe('/products?a=1');
    expect(target('/products/', { path: '/x' })).toBe('/products/');
  });

  test('with a query: that one stands first, the client’s follows without parameters of the same name', () => {
    expect(target('/p?v=2', { query: 'a=1&%76=3' })).toBe('/p?v=2&a=1');
    expect(target('/p?v=2', {})).toBe('/p?v=2');
    expect(target('/p?v=2', { query: 'a=1&b=2' }, {}, ['b', 'v'])).toBe('/p?v=2&b=2');
  });
});

describe('a to.path that ends in /*', () => {
  // What `match: /c/*` finds: the rest begins behind `/c`, or, said otherwise, behind its slash.
  test.each([
    ['/c', 2, '/api'],
    ['/c/', 2, '/api/'],
    ['/c/', 3, '/api/'],
    ['/c/x', 2, '/api/x'],
    ['/c/x', 3, '/api/x'],
    ['/c/x%2Fy/;a/%C3%A9/', 3, '/api/x%2Fy/;a/%C3%A9/'],
  ])('takes over the rest of %s as it came', (path, restAt, expected) => {
    expect(target('/api/*', { path, restAt })).toBe(expected);
    expect(target('/api/*', { path, restAt, query: 'a=1' })).toBe(`${expected}?a=1`);
  });

  test('at the root', () => {
    expect(target('/*', { path: '/c', restAt: 2 })).toBe('/');
    expect(target('/*', { path: '/c/x', restAt: 3 })).toBe('/x');
    expect(target('/api/*', { path: '/', restAt: 0 })).toBe('/api/');
    expect(target('/api/*', { path: '/x/y', restAt: 0 })).toBe('/api/x/y');
    expect(target('/api/*', { path: '/x/y', restAt: 1 })).toBe('/api/x/y');
  });

  test('takes over nothing where the path that matched has no rest', () => {
    expect(target('/api/*', { path: '/exact' })).toBe('/api');
  });

  test('with expressions before it', () => {
    const data = { params: { tenant: 'a b' } };
    expect(target('/{params.tenant}/*', { path: '/c/x%2Fy', restAt: 2 }, data)).toBe('/a%20b/x%2Fy');
    expect(target('/{params.tenant}/*', { path: '/c', restAt: 2 }, data)).toBe('/a%20b');
  });

  test('with a query behind it', () => {
    expect(target('/api/*?v=2', { path: '/c/x', restAt: 2, query: 'a=1' })).toBe('/api/x?v=2&a=1');
  });
});

describe('a to.path with expressions', () => {
  test('encodes a value as one segment', () => {
    expect(target('/products/{params.sku}', {}, { params: { sku: 'a/b?c#d e%ü' } })).toBe(
      '/products/a%2Fb%3Fc%23d%20e%25%C3%BC',
    );
  });

  test('keeps the slashes of request.path and params["*"]', () => {
    expect(target('/v1{request.path}', {}, { request: { path: '/a/b' } })).toBe('/v1/a/b');
    expect(target("/v1/{params['*']}", {}, { params: { '*': 'a/b c' } })).toBe('/v1/a/b%20c');
  });

  test('collapses double slashes that the template makes', () => {
    expect(target('/v1/{request.path}', {}, { request: { path: '/a/b' } })).toBe('/v1/a/b');
  });

  test('encodes a value in its query as a value', () => {
    expect(target('/s?q={params.q}', { query: 'q=x&r=1' }, { params: { q: 'a&b=c d' } })).toMatch(
      /^\/s\?q=a%26b%3Dc(%20|\+)d&r=1$/,
    );
  });

  test.each(['', '.', '..'])(
    'path escape: a segment of the request that is "%s" is the client’s fault',
    (id) => {
      expect(failure('/orders/{params.id}/lines', { params: { id } })).toMatchObject({ origin: 'request' });
    },
  );

  test('path escape: a dot segment put together from text and value is refused too', () => {
    expect(failure('/orders/.{params.id}', { params: { id: '.' } })).toMatchObject({ origin: 'request' });
  });

  test('path escape: an encoded slash in a value never parts segments', () => {
    expect(target('/orders/{params.id}', {}, { params: { id: '../admin' } })).toBe('/orders/..%2Fadmin');
    expect(target('/orders/{params.id}', {}, { params: { id: '..\\admin' } })).toBe('/orders/..%5Cadmin');
  });

  test('request splitting: CR, LF, space and NUL of a value are encoded', () => {
    expect(target('/o/{params.id}', {}, { params: { id: 'a HTTP/1.1\r\nX: y\0' } })).toBe(
      '/o/a%20HTTP%2F1.1%0D%0AX%3A%20y%00',
    );
  });

  test('a value of the identity that cannot stand there is a failed call, not the client’s fault', () => {
    expect(failure('/u/{auth.subject}', { auth: { subject: '..' } })).toMatchObject({ origin: 'other' });
  });
});

describe('a to.path that is a function', () => {
  const at = (
    path: (variables: never) => unknown,
    data: Record<string, unknown> = {},
    options: ExchangeOptions = {},
  ) => compileDestination({ path }, requestScope)(exchangeOf(options), variables(data));

  test('gives the whole path, perhaps with a query', () => {
    const path = ({ params }: { params: { id: string } }) => `/o/${params.id}?v=2`;
    expect(at(path, { params: { id: '7' } }, { query: 'v=1&a=1' })).toBe('/o/7?v=2&a=1');
  });

  test.each(['/a/../admin', '/a/%2e%2e/admin', '/./a', 'a', ''])(
    'path escape: fails for a path that is none: %s',
    (text) => {
      expect(() => at(() => text)).toThrow(EvaluationFailure);
    },
  );

  test('request splitting: what cannot stand in a path fails or is encoded', () => {
    for (const text of ['/a b', '/a\r\nX: y', '/ü']) {
      try {
        expect(at(() => text)).toMatch(/^[\x21-\x7e]+$/);
      } catch (error) {
        expect(error).toBeInstanceOf(EvaluationFailure);
      }
    }
  });
});

test('what a request target is made of is visible ASCII, whatever is filled in', () => {
  const text = fc.string({ unit: fc.nat(0xffff).map((code) => String.fromCharCode(code)) });
  const destination = compileDestination({ path: '/a/{params.x}/b?q={params.y}' }, requestScope);
  fc.assert(
    fc.property(text, text, (x, y) => {
      let made: string;
      try {
        made = destination(exchangeOf(), variables({ params: { x, y } }));
      } catch (error) {
        if (error instanceof EvaluationFailure) return;
        throw error;
      }
      expect(made).toMatch(/^\/a\/[\x21-\x7e]+\/b\?q=[\x21-\x7e]*$/);
      expect(made.split('?')[0]!.split('/')).toHaveLength(4);
    }),
  );
});

test('the rest of a match begins with its slash, or is nothing', () => {
  expect(restOf(exchangeOf({ path: '/c/x', restAt: -1 }))).toBe('');
  expect(restOf(exchangeOf({ path: '/cx', restAt: 2 }))).toBe('/x');
});
