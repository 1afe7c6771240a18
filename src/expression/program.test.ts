import { describe, expect, it } from 'vitest';
import type { Expression } from '../config/model.ts';
import { exchangeOf, failureOf, show } from './fixtures.ts';
import {
  callScope,
  compileExpression,
  ExchangeVariables,
  parseJson,
  ResponseVariables,
  reads,
  requestScope,
  responseScope,
  routeScope,
} from './index.ts';

const variables = new ExchangeVariables(exchangeOf('/a?x=1', ['X-A', 'on'], { id: '7' }));
const evaluate = (source: Expression): string =>
  show(compileExpression(source, requestScope).evaluate(variables));

describe('mentions', () => {
  const mentions = (source: string): string[] =>
    [...compileExpression(source, responseScope).mentions].sort();

  it('names what is read, with the way to it', () => {
    expect(mentions('request.headers["x-a"] == "on" && params.id == auth.subject')).toEqual([
      'auth.subject',
      'params.id',
      'request.headers',
      'request.headers.x-a',
    ]);
    expect(mentions('response.body.items.map(i, i.sku)')).toEqual(['response.body', 'response.body.items']);
    expect(mentions('request.headers[request.path]')).toEqual(['request.headers', 'request.path']);
    expect(mentions('has(request.body.a)')).toEqual(['request.body', 'request.body.a']);
  });

  it('names a variable alone only where all of it is read', () => {
    expect(mentions('json(request)')).toEqual(['request']);
    expect(mentions('json(request) + request.path')).toEqual(['request', 'request.path']);
    expect(mentions('request.path + json(request)')).toEqual(['request', 'request.path']);
    expect(mentions('params.map(p, params[p])')).toEqual(['params']);
  });

  it("does not take a loop's variable for one of the scope", () => {
    expect(mentions('[{"path": 1}].map(request, request.path)')).toEqual([]);
  });

  it('tells whether something is read, also as part of a whole', () => {
    expect(reads(new Set(['request.body', 'request.body.a']), 'request.body')).toBe(true);
    expect(reads(new Set(['request']), 'request.body')).toBe(true);
    expect(reads(new Set(['request.path']), 'request.body')).toBe(false);
  });
});

describe('failures', () => {
  const failure = (source: Expression, options = {}) =>
    failureOf(() =>
      compileExpression(source, responseScope, options).evaluate(
        new ResponseVariables(variables, { status: 200, headers: [] }),
      ),
    );

  it('say what is missing, and whose it was', () => {
    expect(failure('request.headers["x-b"] == "on"')).toMatchObject({
      kind: 'absent',
      origin: 'request',
      message: 'request.headers has no "x-b"',
    });
    expect(failure('response.headers.etag + request.path')).toMatchObject({
      kind: 'absent',
      origin: 'other',
    });
    expect(failure('int(request.path)')).toMatchObject({
      kind: 'value',
      origin: 'request',
      message: '"/a" is no int',
    });
    expect(failure('int("x" + string(response.status))')).toMatchObject({ kind: 'value', origin: 'other' });
    expect(failure('request.body.a')).toMatchObject({ kind: 'absent', message: 'request has no "body"' });
  });

  it('a value of another type than the key expects is one', () => {
    expect(failure('dyn(1)', { expects: 'bool' })).toMatchObject({
      kind: 'type',
      message: 'the value must be bool, but is int',
    });
  });

  it('have no stack, so that they cost little', () => {
    expect(failure('request.query.none').stack).not.toContain('at ');
  });
});

describe('functions of a TypeScript config', () => {
  const body = parseJson('{"n": 5, "big": 12345678901234567890, "o": {"__proto__": 1}, "l": [1]}', {
    duplicates: 'last',
  });
  const withBody = new ExchangeVariables(exchangeOf('/a?x=1&x=2', ['X-A', 'on'], { id: '7' }));
  withBody.body = body;

  it('see the variables as objects, and give values', () => {
    expect(
      evaluate(
        (({ request }: { request: { headers: Record<string, string> } }) =>
          request.headers['x-a'] === 'on') as Expression,
      ),
    ).toBe('true');
    expect(
      evaluate((({ params }: { params: { id: string } }) => ({
        id: Number(params.id),
        half: 0.5,
        list: [1, null],
      })) as Expression),
    ).toBe('{"id": 7, "half": 0.5, "list": [1, null]}');
    const program = compileExpression(
      (({ request }: { request: { body: Record<string, unknown> } }) => [
        request.body.n,
        request.body.big,
        Object.keys(request.body),
      ]) as Expression,
      requestScope,
    );
    expect(show(program.evaluate(withBody))).toBe('[5, 12345678901234567890, ["n", "big", "o", "l"]]');
  });

  it('read absent members as undefined', () => {
    expect(
      evaluate(
        (({ request }: { request: { headers: Record<string, string>; body: unknown } }) =>
          request.headers.nope === undefined && request.body === undefined) as Expression,
      ),
    ).toBe('true');
    expect(
      evaluate(
        (({ request }: { request: { headers: object } }) =>
          'x-a' in request.headers && !('y' in request.headers)) as Expression,
      ),
    ).toBe('true');
    expect(
      evaluate((({ request }: { request: { queries: object } }) =>
        Object.entries(request.queries)) as Expression),
    ).toBe('[["x", ["1"]]]');
  });

  it('mention what their text names', () => {
    const { mentions } = compileExpression(
      (({ request, params }: { request: { body: unknown }; params: object }) => [
        request.body,
        params,
      ]) as Expression,
      requestScope,
    );
    expect([...mentions].sort()).toEqual(['params', 'request.body']);
  });

  it('that hand a variable on may read any of it, but no body of a request', () => {
    const helper = (value: unknown) => JSON.stringify(value);
    type All = Record<'request' | 'params' | 'auth' | 'orders', unknown>;
    const scope = routeScope(callScope({ orders: 'one' }), ['id'], ['*']);
    const mentions = (source: (variables: All) => unknown) =>
      [...compileExpression(source as Expression, scope).mentions].sort();
    expect(mentions(({ orders }) => helper(orders))).toEqual(['orders']);
    expect(mentions(({ auth }) => helper(auth))).toEqual(['auth']);
    expect(mentions(({ params }) => helper(params))).toEqual(['params']);
    expect(mentions(({ params }) => (params as Record<string, string>)['*'])).toEqual(['params.*']);
    const cookies = ({ request }: All) => (request as { cookies: Record<string, string> }).cookies;
    expect(mentions(({ request }) => cookies({ request } as All).auth)).toEqual(['request.cookies']);
    const members = mentions(({ request }) => helper(request));
    expect(members).toContain('request.cookies');
    expect(members).not.toContain('request');
    expect(members).not.toContain('request.body');
  });

  it.each([
    ['gives nothing', () => undefined, 'absent'],
    [
      'throws',
      () => {
        throw new TypeError('x is undefined');
      },
      'value',
    ],
    ['gives a promise', async () => true, 'type'],
    ['gives a function', () => () => 1, 'type'],
    [
      'gives a cycle',
      () => {
        const a: unknown[] = [];
        a.push(a);
        return a;
      },
      'value',
    ],
  ])('one that %s fails', (_, source, kind) => {
    expect(
      failureOf(() => compileExpression(source as Expression, requestScope).evaluate(variables)).kind,
    ).toBe(kind);
  });
});
