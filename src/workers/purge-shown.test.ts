import { expect, test } from 'vitest';
import { urlTag } from '../cache/index.ts';
import { purgeShown } from './purge-shown.ts';

const purge = { tags: ['a', urlTag('http://shop.test/x'), 'b'], prefixes: ['/shop'], all: false, soft: true };

test('a purge is shown as it was sent: URLs apart from tags', () => {
  expect(purgeShown(purge, 10)).toEqual({
    tags: ['a', 'b'],
    urls: ['http://shop.test/x'],
    prefixes: ['/shop'],
    more: 0,
    all: false,
    soft: true,
  });
});

test('credentials in URLs are masked', () => {
  const url = urlTag('https://ann:pw@shop.test/x?page=2&api_key=s3cret&token=t0k');
  expect(purgeShown({ ...purge, tags: [url], prefixes: ['/x?access_token=abc'] }, 10)).toMatchObject({
    urls: ['https://***@shop.test/x?page=2&api_key=***&token=***'],
    prefixes: ['/x?access_token=***'],
  });
});

test('a purge of many and long names is shown within bounds', () => {
  const shown = purgeShown({ ...purge, tags: Array.from({ length: 5000 }, () => 'x'.repeat(8192)) }, 10);
  expect(shown).toMatchObject({ more: 4991, prefixes: [] });
  expect(JSON.stringify(shown).length).toBeLessThan(11 * 1024);
});
