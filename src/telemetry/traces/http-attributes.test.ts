import { expect, it } from 'vitest';
import { sentAttributes } from './http-attributes.ts';

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
