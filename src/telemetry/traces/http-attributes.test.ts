import { expect, it } from 'vitest';
import { Exchange } from '../../http/exchange.ts';
import { askedAttributes, sentAttributes } from './http-attributes.ts';

it.each([
  ['/a', '/a', undefined],
  ['/a?', '/a', ''],
  ['/a?to=/b?c=1&d=2', '/a', 'to=/b?c=1&d=2'],
  ['/a??', '/a', '?'],
])('of %s the query is all that follows its first question mark', (target, path, query) => {
  const origin = { listener: 'main', scheme: 'http', address: '127.0.0.1', port: 80 } as const;
  const responder = { inform() {}, respond() {} };
  const exchange = new Exchange(origin, responder, 'GET', target, 'shop.test', 11, [], null, 0);
  const told = askedAttributes(exchange, new Set());
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
