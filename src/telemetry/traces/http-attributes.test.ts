import { expect, it } from 'vitest';
import { Exchange } from '../../http/exchange.ts';
import type { Headers } from '../../http/headers.ts';
import { askedAttributes, sentAttributes } from './http-attributes.ts';

function asked(target: string, headers: Headers = []): Exchange {
  const origin = { listener: 'main', scheme: 'http', address: '127.0.0.1', port: 80 } as const;
  const responder = { inform() {}, respond() {} };
  return new Exchange(origin, responder, 'GET', target, 'shop.test', 11, headers, null, 0);
}

it('what a client calls itself is read as UTF-8, and cut where it goes on and on', () => {
  const agent = (value: string) =>
    askedAttributes(asked('/', ['User-Agent', value]), new Set())['user_agent.original'] as string;
  expect(agent('caf\u00c3\u00a9/1')).toBe('café/1');
  expect(Buffer.byteLength(agent('x'.repeat(30_000)))).toBe(1024);
});

it('an address of IPv6 is told without brackets', () => {
  const exchange = asked('/');
  exchange.host = '[::1]';
  expect(askedAttributes(exchange, new Set())['server.address']).toBe('::1');
  const sent = sentAttributes('http://[::1]:4001', 'GET', '/a', new Set());
  expect(sent).toMatchObject({ 'server.address': '::1', 'url.full': 'http://[::1]:4001/a' });
});

it.each([
  ['/a', '/a', undefined],
  ['/a?', '/a', ''],
  ['/a?to=/b?c=1&d=2', '/a', 'to=/b?c=1&d=2'],
  ['/a??', '/a', '?'],
])('of %s the query is all that follows its first question mark', (target, path, query) => {
  const told = askedAttributes(asked(target), new Set());
  expect([told['url.path'], told['url.query']]).toEqual([path, query]);
});

it.each([
  ['http://127.0.0.1:4001', '127.0.0.1', 4001, 'http://127.0.0.1:4001/a?key=***'],
  ['https://shop.example', 'shop.example', 443, 'https://shop.example/a?key=***'],
  ['h2://shop.example', 'shop.example', 443, 'https://shop.example/a?key=***'],
  ['h2c://shop.example', 'shop.example', 80, 'http://shop.example/a?key=***'],
  ['unix:/run/shop.sock', '/run/shop.sock', undefined, undefined],
])(
  'the target %s is told by its address, and no credential stands in its URL',
  (target, address, port, full) => {
    expect(sentAttributes(target, 'GET', '/a?key=hunter2', new Set())).toEqual({
      'http.request.method': 'GET',
      'server.address': address,
      'server.port': port,
      'url.path': '/a',
      'url.full': full,
    });
  },
);
