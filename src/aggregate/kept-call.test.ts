import { describe, expect, it } from 'vitest';
import type { Value, Variables } from '../expression/index.ts';
import { Exchange } from '../http/exchange.ts';
import type { Headers } from '../http/headers.ts';
import { CallVariables } from './call-variables.ts';
import { keepVariables } from './kept-call.ts';

function exchangeOf(path: string, headers: Headers = [], method = 'GET'): Exchange {
  const origin = { listener: 'main', scheme: 'http', address: '127.0.0.1', port: 80 } as const;
  const responder = { inform() {}, respond() {} };
  const exchange = new Exchange(origin, responder, method, path, 'shop.test', 11, headers, null, 0);
  exchange.path = path;
  return exchange;
}

/** Keeps a call that sees `item`; what it sees then, or null. */
function kept(item: Value, client = exchangeOf('/page')): CallVariables | null {
  const call = exchangeOf('/orders/1');
  call.variables = new CallVariables(client, { get: (name) => (name === 'item' ? item : undefined) });
  const again = exchangeOf('/orders/1');
  return keepVariables(call, again, ['item']) === null ? null : (again.variables as CallVariables);
}

const textOf = (variables: Variables, name: string) => String(variables.get(name));

describe('a call that is made again', () => {
  it.each([
    ['a text', 'A-1'],
    ['an integer of any size', 2n ** 80n],
    ['a double', 2],
    [
      'an object',
      new Map<Value, Value>([
        ['sku', 'A-1'],
        ['sizes', [1n, 2.5, null, true]],
      ]),
    ],
  ])('has its item as it was: %s', (_what, item) => {
    const found = kept(item as Value)!.get('item');
    expect(found).toEqual(item);
    if (typeof item === 'object') expect(found).not.toBe(item);
  });

  it.each([
    ['is too much', 'x'.repeat(20_000)],
    ['is too many', new Array(1000).fill(1n)],
    ['is no plain data', new Date()],
    ['is made when it is asked for', { get: () => 1n, entries: () => [] }],
  ])('is none where its item %s', (_what, item) => {
    expect(kept(item as Value)).toBeNull();
  });

  it('has the request of its client, without who that was', () => {
    const client = exchangeOf('/page/7', ['Accept-Language', 'de', 'Authorization', 'x', 'Cookie', 'a=1']);
    const variables = kept('A-1', client)!;
    expect(variables.client).not.toBe(client);
    expect(variables.client.headers).toEqual(['Accept-Language', 'de']);
    const request = variables.get('request') as { get(name: string): Value };
    expect(request.get('path')).toBe('/page/7');
    expect(textOf(variables.strict(), 'item')).toBe('A-1');
  });

  it('is none where its client wanted more than an answer', () => {
    expect(kept('A-1', exchangeOf('/page', [], 'POST'))).toBeNull();
  });
});
