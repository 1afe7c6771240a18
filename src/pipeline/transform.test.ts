import { describe, expect, test } from 'vitest';
import type { TransformConfig } from '../config/model.ts';
import { ExpressionError, requestScope, responseScope } from '../expression/index.ts';
import type { Headers } from '../http/headers.ts';
import { variables } from './fixtures.ts';
import { compileQueryOnly, compileTransform, isReservedHeader } from './transform.ts';

type Said = Partial<TransformConfig['headers']>;

function config(headers: Said, only: string[] | null = null): TransformConfig {
  return { headers: { set: {}, add: {}, default: {}, remove: [], only: null, ...headers }, query: { only } };
}

function transformed(
  headers: Headers,
  route: Said,
  data: Record<string, unknown> = {},
  service: Said | null = null,
): Headers {
  const transform = compileTransform(service === null ? null : config(service), config(route), requestScope);
  const changed = headers.slice();
  transform?.apply(changed, variables(data));
  return changed;
}

describe('a header transform', () => {
  test('that says nothing is none', () => {
    expect(compileTransform(config({}), config({}), requestScope)).toBeNull();
    expect(compileTransform(null, config({}), requestScope)).toBeNull();
  });

  test('set replaces every line of the header', () => {
    expect(transformed(['X-A', '1', 'b', '2', 'x-a', '3'], { set: { 'x-a': 'new' } })).toEqual([
      'b',
      '2',
      'x-a',
      'new',
    ]);
  });

  test('add makes one more line', () => {
    expect(transformed(['x-a', '1'], { add: { 'x-a': '2' } })).toEqual(['x-a', '1', 'x-a', '2']);
  });

  test('default holds only where the header is missing', () => {
    expect(transformed(['X-A', '1'], { default: { 'x-a': '2', 'x-b': '3' } })).toEqual([
      'X-A',
      '1',
      'x-b',
      '3',
    ]);
  });

  test('remove takes every line away', () => {
    expect(transformed(['X-A', '1', 'b', '2', 'x-a', '3'], { remove: ['x-A'] })).toEqual(['b', '2']);
  });

  test('only takes all others away', () => {
    expect(transformed(['Accept', '1', 'cookie', '2', 'X-C', '3'], { only: ['accept', 'x-c'] })).toEqual([
      'Accept',
      '1',
      'X-C',
      '3',
    ]);
    expect(transformed(['Accept', '1'], { only: [] })).toEqual([]);
  });

  test('only leaves what frames the message and what the gateway says of the hop', () => {
    const kept = [
      'Host',
      'a',
      'Content-Length',
      '1',
      'content-encoding',
      'br',
      'Sec-WebSocket-Key',
      'k',
      'x-request-id',
      'i',
      'X-Forwarded-For',
      '1',
      'traceparent',
      't',
    ];
    expect(transformed([...kept, 'cookie', 'c'], { only: ['accept'] })).toEqual(kept);
  });

  test('only takes nothing from an answer that is the gateway’s own', () => {
    const transform = compileTransform(null, config({ only: ['etag'], set: { 'x-a': '1' } }), responseScope)!;
    const headers = ['content-type', 'application/problem+json'];
    transform.apply(headers, variables({}), true);
    expect(headers).toEqual(['content-type', 'application/problem+json', 'x-a', '1']);
  });

  test('works in the order only, remove, set, add, default', () => {
    expect(
      transformed(['a', '1', 'b', '2', 'c', '3'], {
        only: ['a', 'b'],
        remove: ['b'],
        set: { c: 'set' },
        add: { c: 'added', b: 'added' },
        default: { c: 'never', b: 'never', d: 'default' },
      }),
    ).toEqual(['a', '1', 'c', 'set', 'c', 'added', 'b', 'added', 'd', 'default']);
  });

  test('can hand a value from a header that it removes to another', () => {
    const headers = ['x-old', 'v'];
    const transform = compileTransform(
      null,
      config({ remove: ['x-old'], set: { 'x-new': '{request.headers["x-old"]}' } }),
      requestScope,
    )!;
    const view = { get: (name: string) => (headers[0] === name ? headers[1] : undefined), entries: () => [] };
    transform.apply(headers, {
      get: (name) => (name === 'request' ? new Map([['headers', view]]) : undefined),
    });
    expect(headers).toEqual(['x-new', 'v']);
  });

  test('knows the names it gives a value or removes', () => {
    const transform = compileTransform(
      null,
      config({ set: { 'X-A': '1' }, add: { b: '1' }, default: { c: '1' }, remove: ['d'] }),
      requestScope,
    );
    expect([...transform!.gives]).toEqual(['x-a', 'b', 'c', 'd']);
  });

  test('reports a template that cannot be compiled', () => {
    expect(() => compileTransform(null, config({ set: { a: '{nobody.x}' } }), requestScope)).toThrow(
      ExpressionError,
    );
  });
});

describe('a value of a header', () => {
  const subject = { set: { 'x-user': '{auth.subject}' } };

  test('is a template', () => {
    expect(transformed([], subject, { auth: { subject: 'bob' } })).toEqual(['x-user', 'bob']);
  });

  test('that fails leaves the header out, and the client’s own copy never passes', () => {
    expect(transformed(['X-User', 'root'], subject, { auth: {} })).toEqual([]);
    expect(transformed(['X-User', 'root'], subject, {})).toEqual([]);
  });

  test('that is empty leaves the header out, and the client’s own copy never passes', () => {
    expect(transformed(['X-User', 'root'], subject, { auth: { subject: '' } })).toEqual([]);
    expect(transformed(['X-User', 'root'], { set: { 'x-user': '' } })).toEqual([]);
  });

  test('header smuggling by underscores and case: no spelling that a service could take for a set or removed one passes', () => {
    const headers = ['X_User', 'root', 'X-USER', 'root', 'x_uSER', 'root', 'X-User-Id', '1'];
    expect(transformed(headers, subject, { auth: { subject: 'bob' } })).toEqual([
      'X-User-Id',
      '1',
      'x-user',
      'bob',
    ]);
    expect(transformed(headers, { remove: ['x-user'] })).toEqual(['X-User-Id', '1']);
    expect(transformed(['x-user', 'root'], { set: { X_User: 'bob' } })).toEqual(['X_User', 'bob']);
  });

  test('that is a list makes one line for each element', () => {
    expect(
      transformed([], { set: { 'x-p': '{auth.permissions}' } }, { auth: { permissions: ['a', '', 'b'] } }),
    ).toEqual(['x-p', 'a', 'x-p', 'b']);
    expect(
      transformed(['x-p', 'root'], { set: { 'x-p': '{auth.permissions}' } }, { auth: { permissions: [] } }),
    ).toEqual([]);
  });

  test('in a list of templates that fails leaves out its line alone', () => {
    expect(
      transformed([], { add: { 'x-p': ['a', '{auth.subject}', '{params.x}'] } }, { params: { x: 'c' } }),
    ).toEqual(['x-p', 'a', 'x-p', 'c']);
  });

  test.each(['a\r\nx-admin: 1', 'a\nb', 'a\rb', 'a\0b'])(
    'CRLF injection: control characters of the request leave it out: %j',
    (subject) => {
      expect(
        transformed(
          [],
          { set: { 'x-user': 'u:{auth.subject}' }, add: { 'x-b': '{auth.subject}' } },
          { auth: { subject } },
        ),
      ).toEqual([]);
    },
  );

  test('CRLF injection: control characters in an element of a list leave its line out', () => {
    const made = transformed(
      [],
      { set: { 'x-p': '{auth.permissions}' } },
      { auth: { permissions: ['a\r\nb: c', 'd'] } },
    );
    expect(made.join('')).not.toMatch(/[\r\n]/);
  });

  test('has no white space around it', () => {
    expect(transformed([], { set: { a: '  {params.x}\t' } }, { params: { x: ' v' } })).toEqual(['a', 'v']);
  });

  test('beyond a byte a character goes out as UTF-8', () => {
    const [, value] = transformed([], { set: { a: '{params.x}' } }, { params: { x: '€é' } });
    expect(Buffer.from(value!, 'latin1').toString()).toBe('€é');
  });

  test('in a response sees the answer', () => {
    const transform = compileTransform(
      null,
      config({ set: { 'x-status': '{string(response.status)}' } }),
      responseScope,
    )!;
    const headers: Headers = [];
    transform.apply(headers, variables({ response: { status: 201, headers: {} } }));
    expect(headers).toEqual(['x-status', '201']);
  });
});

describe('route over service', () => {
  test('both hold where they speak of different headers', () => {
    expect(transformed(['c', '1', 'd', '1'], { set: { b: 'route' }, remove: ['d'] }, {}, { set: { a: 'service' }, remove: ['c'] })).toEqual([
      'a', 'service', 'b', 'route',
    ]); // biome-ignore format: pairs
  });

  test('name by name the route replaces what the service says', () => {
    expect(transformed([], { set: { 'X-A': 'route' } }, {}, { set: { 'x-a': 'service' } })).toEqual([
      'X-A',
      'route',
    ]);
    expect(transformed([], { add: { a: 'route' } }, {}, { add: { a: 'service', b: 'service' } })).toEqual([
      'b',
      'service',
      'a',
      'route',
    ]);
    expect(transformed(['a', '1'], { remove: ['a'] }, {}, { set: { a: 'service' } })).toEqual([]);
    expect(transformed(['a', '1'], { add: { a: 'route' } }, {}, { remove: ['a'] })).toEqual([
      'a',
      '1',
      'a',
      'route',
    ]);
    expect(transformed([], { set: { a: '{auth.subject}' } }, {}, { set: { a: 'service' } })).toEqual([]);
  });

  test('the route’s only replaces the service’s', () => {
    expect(transformed(['a', '1', 'b', '1'], { only: ['b'] }, {}, { only: ['a'] })).toEqual(['b', '1']);
    expect(transformed(['a', '1', 'b', '1'], {}, {}, { only: ['a'] })).toEqual(['a', '1']);
  });

  test('query: the route’s only replaces the service’s', () => {
    expect(compileQueryOnly(config({}, ['a']), config({}, ['b']))).toEqual(new Set(['b']));
    expect(compileQueryOnly(config({}, ['a']), config({}))).toEqual(new Set(['a']));
    expect(compileQueryOnly(null, config({}))).toBeNull();
  });
});

describe('headers that cannot be set', () => {
  test.each([
    'content-length', 'transfer-encoding', 'trailer', 'expect', 'connection', 'keep-alive', 'te', 'upgrade', 'proxy-connection',
    'proxy-authorization', 'proxy-authenticate', 'http2-settings', 'host', 'x-auth-subject', 'x-auth-permissions', 'x_auth_subject', ':path',
  ])('%s', (name) => {
    expect(isReservedHeader(name)).toBe(true);
  }); // biome-ignore format: names

  test.each(['x-a', 'content-type', 'x-forwarded-prefix', 'authorization', 'set-cookie', 'cache-control'])(
    'but %s can',
    (name) => {
      expect(isReservedHeader(name)).toBe(false);
    },
  );
});
