import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { RedirectConfig } from '../config/model.ts';
import { ExpressionError, requestScope } from '../expression/index.ts';
import { getHeader } from '../http/headers.ts';
import { type ExchangeOptions, exchangeOf, variables } from './fixtures.ts';
import { compileRedirect } from './redirect.ts';

function redirect(
  config: Partial<RedirectConfig>,
  options: ExchangeOptions = {},
  data: Record<string, unknown> = {},
) {
  const whole = { status: 308, to: null, scheme: null, host: null, path: null, ...config };
  return compileRedirect(whole, requestScope)(exchangeOf(options), variables(data));
}

function location(
  config: Partial<RedirectConfig>,
  options: ExchangeOptions = {},
  data: Record<string, unknown> = {},
): string | undefined {
  return getHeader(redirect(config, options, data).headers, 'location');
}

function problems(config: Partial<RedirectConfig>) {
  try {
    redirect(config);
  } catch (error) {
    if (error instanceof ExpressionError) return error.problems;
    throw error;
  }
  throw new Error('it compiled');
}

describe('redirect: { to }', () => {
  test('goes where it says, with the status it says, without content', () => {
    expect(redirect({ to: 'https://new.example/x', status: 301 })).toMatchObject({
      status: 301,
      headers: ['location', 'https://new.example/x'],
      body: null,
      failure: null,
    });
  });

  test('takes no query of the client along, and may have its own', () => {
    expect(location({ to: '/x' }, { query: 'a=1' })).toBe('/x');
    expect(location({ to: '/x?from=old&p={params.p}' }, { query: 'a=1' }, { params: { p: 'a&b' } })).toBe(
      '/x?from=old&p=a%26b',
    );
  });

  test.each([
    ['https://new.example', 'https://new.example'],
    ['https://new.example:8443/a/b?c=d#e', 'https://new.example:8443/a/b?c=d#e'],
    ['https://[::1]:8443/', 'https://[::1]:8443/'],
    ['//cdn.example/x', '//cdn.example/x'],
    ['app://open/it', 'app://open/it'],
    ['/a#part', '/a#part'],
    ['/a//b', '/a/b'],
    ['/a{{b}}', '/a%7Bb%7D'],
    ['/ü x', '/%C3%BC%20x'],
  ])('%s', (to, expected) => {
    expect(location({ to })).toBe(expected);
  });

  test('fills in each part by the rules of its place', () => {
    const data = {
      request: { host: 'shop.example', scheme: 'https', path: '/a/b' },
      params: { id: 'x/y', '*': 'r/s t' },
    };
    expect(location({ to: '{request.scheme}://www.{request.host}:8443/o/{params.id}' }, {}, data)).toBe(
      'https://www.shop.example:8443/o/x%2Fy',
    );
    expect(location({ to: 'https://new.example{request.path}' }, {}, data)).toBe('https://new.example/a/b');
    expect(location({ to: 'https://{request.host}{request.path}' }, {}, data)).toBe(
      'https://shop.example/a/b',
    );
    expect(location({ to: "https://new.example/{params['*']}" }, {}, data)).toBe(
      'https://new.example/r/s%20t',
    );
    expect(location({ to: '{request.path}/more#{params.id}' }, {}, data)).toMatch(
      /^\/a\/b\/more#x(%2F|\/)y$/,
    );
  });

  test('braces, quotes and slashes inside an expression part nothing', () => {
    const to = `https://new.example/{params.a == "}//x" ? '{"?#' : {"k": "v"}["k"]}/end`;
    expect(location({ to }, {}, { params: { a: 'b' } })).toBe('https://new.example/v/end');
  });

  test('that ends in /* takes over what the match’s rest stood for', () => {
    expect(location({ to: 'https://new.example/v2/*' }, { path: '/old/a%2Fb', restAt: 4 })).toBe(
      'https://new.example/v2/a%2Fb',
    );
    expect(location({ to: '/v2/*' }, { path: '/old', restAt: 4 })).toBe('/v2');
  });

  test('that is neither a URL nor a path is an error of the config, with advice', () => {
    expect(problems({ to: 'new.example/x' })[0]).toMatchObject({
      start: 0,
      advice: expect.stringContaining('https://new.example/x'),
    });
    expect(problems({ to: 'mailto:a@b' })).toHaveLength(1);
    expect(problems({ to: '' })).toHaveLength(1);
  });

  test('shows all errors where they stand in the whole', () => {
    const to = 'https://{nobody.x}/a/{nothing.y}';
    const spans = problems({ to }).map(({ start, end }) => to.slice(start, end));
    expect(spans).toHaveLength(2);
    expect(spans[0]).toContain('nobody');
    expect(spans[1]).toContain('nothing');
  });
});

describe('redirect by parts: what is not given stays as it was, the query too', () => {
  test('scheme', () => {
    expect(location({ scheme: 'https' }, { path: '/a', query: 'b=%20' })).toBe(
      'https://shop.example/a?b=%20',
    );
  });

  test('scheme: the port of the old scheme goes, another stays', () => {
    expect(location({ scheme: 'https' }, { authority: 'shop.example:80', path: '/a' })).toBe(
      'https://shop.example/a',
    );
    expect(location({ scheme: 'http' }, { authority: 'shop.example:443', path: '/a', scheme: 'https' })).toBe(
      'http://shop.example/a',
    );
    expect(location({ scheme: 'https' }, { authority: 'shop.example:8080', path: '/a' })).toBe(
      'https://shop.example:8080/a',
    );
    expect(location({ scheme: 'https' }, { authority: '[::1]:80', host: '[::1]', path: '/a' })).toBe(
      'https://[::1]/a',
    );
  });

  test('host', () => {
    expect(location({ host: 'www.example:8443' }, { path: '/a', query: '' })).toBe(
      'http://www.example:8443/a?',
    );
    expect(
      location({ host: 'www.{request.host}' }, { scheme: 'https' }, { request: { host: 'x.example' } }),
    ).toBe('https://www.x.example/');
  });

  test('path: relative, so that no scheme or port is guessed', () => {
    expect(location({ path: '/new' }, { path: '/old', query: 'a=1' })).toBe('/new?a=1');
    expect(location({ path: '/new/*' }, { path: '/old/a/b', restAt: 4, query: 'a=1' })).toBe('/new/a/b?a=1');
    expect(location({ path: '/new?v=2' }, { query: 'a=1&v=1' })).toBe('/new?v=2&a=1');
  });

  test('all of them', () => {
    expect(
      location(
        { scheme: 'https', host: 'h.example', path: '/p/{params.id}' },
        { query: 'q' },
        { params: { id: 'i' } },
      ),
    ).toBe('https://h.example/p/i?q');
  });

  test('a host that a trusted proxy named counts before the one it asked for', () => {
    const options = { authority: 'internal:8080', headers: ['x-forwarded-host', 'www.example:8443'] };
    expect(location({ scheme: 'https' }, { ...options, trusted: true })).toBe('https://www.example:8443/');
    expect(location({ scheme: 'https' }, options)).toBe('https://internal:8080/');
  });

  test('a request without a host cannot be sent to one', () => {
    expect(redirect({ scheme: 'https' }, { authority: '' })).toMatchObject({
      status: 400,
      failure: { code: 'TG_REQUEST_VALUE' },
    });
  });
});

describe('open redirect', () => {
  test.each([
    'https://{request.query.next}/x',
    'https://{request.queries.next[0]}/x',
    'https://{request.headers["x-host"]}/x',
    'https://a.{request.cookies.tenant}/x',
    'https://a.example:{request.query.port}/x',
    '{request.query.s}://a.example/x',
    'https://{request.body.host}/x',
  ])('an authority from what a link can carry is an error of the config: %s', (to) => {
    expect(problems({ to })[0]!.message).toMatch(/open redirect/);
  });

  test('in parts too', () => {
    expect(problems({ host: '{request.headers.host}' })[0]!.message).toMatch(/request\.headers/);
    expect(problems({ scheme: '{request.query.scheme}', path: '/' })[0]!.message).toMatch(/request\.query/);
  });

  test.each(['/\\evil.example', '//evil.example', '///evil.example', '/%2Fevil.example'])(
    'a path that a browser takes for an authority stays a path: %s',
    (path) => {
      const made = [
        location({ path: '{request.path}' }, {}, { request: { path } }),
        location({ path: '/new' }, { path }),
        location({ host: 'a.example' }, { path }),
        location({ to: '{request.path}' }, {}, { request: { path } }),
      ];
      for (const one of made) {
        if (one !== undefined)
          expect(['shop.example', 'a.example']).toContain(new URL(one, 'http://shop.example').host);
      }
    },
  );

  test('an empty first segment does not make an authority of the second', () => {
    const made = redirect({ to: '/{params.a}/{params.b}' }, {}, { params: { a: '', b: 'evil.example' } });
    expect(made.status).toBe(400);
  });

  test('an expression that brings slashes is one segment, never an authority', () => {
    const made = location({ to: '/{params.next}' }, {}, { params: { next: '/evil.example' } });
    expect(new URL(made!, 'http://shop.example').host).toBe('shop.example');
  });

  test('a function’s path stays a path', () => {
    const to = (() => '//evil.example/x') as RedirectConfig['to'];
    expect(location({ to })).toBe('/evil.example/x');
  });
});

describe('a value that cannot stand where it is filled in', () => {
  test.each(['a/b', 'a@evil.example', 'a:1', 'a b', '', 'a\\b', 'a?b', 'é'])(
    'in a host is 400 where the request brought it: %j',
    (tenant) => {
      const made = redirect({ to: 'https://{params.tenant}.example/' }, {}, { params: { tenant } });
      expect(made).toMatchObject({ status: 400, failure: { code: 'TG_REQUEST_VALUE' } });
    },
  );

  test('in a host is 502 where something else brought it', () => {
    const made = redirect({ host: '{auth.claims.host}' }, {}, { auth: { claims: { host: 'a/b' } } });
    expect(made).toMatchObject({ status: 502, failure: { code: 'TG_UPSTREAM_VALUE' } });
  });

  test('the whole host must be a valid authority', () => {
    expect(redirect({ host: '{params.a}.example' }, {}, { params: { a: '.' } }).status).toBe(400);
    expect(redirect({ host: 'a.example:{params.a}' }, {}, { params: { a: '99999' } }).status).toBe(400);
  });

  test('a scheme that is filled in is one of HTTP', () => {
    expect(redirect({ scheme: '{params.s}' }, {}, { params: { s: 'javascript' } }).status).toBe(400);
    expect(redirect({ scheme: '{params.s}' }, {}, { params: { s: 'https' } }).status).toBe(308);
  });

  test.each(['.', '..'])('in a path it is 400: %s', (id) => {
    expect(redirect({ path: '/o/{params.id}' }, {}, { params: { id } }).status).toBe(400);
  });
});

describe('redirect: { to } as a function', () => {
  const at = (to: (variables: never) => unknown, data: Record<string, unknown> = {}) =>
    redirect({ to }, {}, data);

  test('gives the whole URL', () => {
    const to = ({ params }: { params: { id: string } }) => `https://new.example/o/${params.id}?a=b#c`;
    expect(at(to, { params: { id: '1 ü' } }).headers).toEqual([
      'location',
      'https://new.example/o/1%20%C3%BC?a=b#c',
    ]);
  });

  test.each([
    'javascript:alert(1)',
    'https://a@evil.example/',
    'https:///x',
    'evil.example',
    '',
    'https://a b/',
  ])('that gives neither a URL nor a path is 502: %s', (text) => {
    expect(at(() => text)).toMatchObject({ status: 502, failure: { code: 'TG_UPSTREAM_VALUE' } });
  });

  test('and 400 where the request went into it', () => {
    const to = ({ params }: { params: { host: string } }) => `https://${params.host}/`;
    expect(at(to, { params: { host: 'a@evil.example' } }).status).toBe(400);
  });

  test('in parts is checked as text is', () => {
    const host = (({ request }: { request: { headers: Record<string, string> } }) =>
      request.headers['x-host']) as never;
    expect(problems({ host })[0]!.message).toMatch(/open redirect/);
  });
});

describe('CRLF injection', () => {
  test('a value with CR and LF is encoded', () => {
    expect(location({ to: '/{params.x}?q={params.x}' }, {}, { params: { x: 'a\r\nset-cookie: b' } })).toMatch(
      /^\/a%0D%0Aset-cookie%3A%20b\?q=a%0D%0A/,
    );
  });

  test('from a function too', () => {
    const to = (() => '/a\r\nset-cookie: b') as RedirectConfig['to'];
    expect(location({ to })).toBe('/a%0D%0Aset-cookie:%20b');
  });

  test('whatever is filled in, Location is visible ASCII and stays on its host', () => {
    const compiled = compileRedirect(
      {
        status: 307,
        to: 'https://a.example/{params.x}/b?c={params.y}#{params.z}',
        scheme: null,
        host: null,
        path: null,
      },
      requestScope,
    );
    const text = fc.string({ unit: fc.nat(0xffff).map((code) => String.fromCharCode(code)) });
    fc.assert(
      fc.property(text, text, text, (x, y, z) => {
        const made = compiled(exchangeOf(), variables({ params: { x, y, z } }));
        if (made.status === 400) return;
        const to = getHeader(made.headers, 'location')!;
        expect(to).toMatch(/^[\x21-\x7e]+$/);
        expect(new URL(to).host).toBe('a.example');
      }),
    );
  });
});
