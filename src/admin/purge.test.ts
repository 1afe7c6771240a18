import { expect, test } from 'vitest';
import { urlTag } from '../cache/index.ts';
import { readPurge } from './purge.ts';

const nothing = { tags: [], prefixes: [], all: false, soft: false };

test('a purge names tags, urls, prefixes or all; soft or hard', () => {
  expect(readPurge({ tags: ['order:42', 'order:42'] })).toEqual({ ...nothing, tags: ['order:42'] });
  expect(readPurge({ all: true, soft: true })).toEqual({ ...nothing, all: true, soft: true });
  expect(readPurge({ prefixes: ['/shop/', 'https://Shop.Example/a'], all: false })).toEqual({
    ...nothing,
    prefixes: ['/shop/', 'https://shop.example/a'],
  });
});

test.for([
  ['HTTPS://Shop.Example:443/a/../b//c?x=%41#part', 'https://shop.example/b/c?x=%41'],
  ['http://shop.example', 'http://shop.example/'],
  ['http://shop.example:8080?q', 'http://shop.example:8080/?q'],
  ['http://[::1]:8080/%7euser/%2f', 'http://[::1]:8080/~user/%2F'],
] as const)('the URL %s is spelled as requests are: %s', ([given, spelled]) => {
  expect(readPurge({ urls: [given] })).toEqual({ ...nothing, tags: [urlTag(spelled)] });
});

test('a prefix of a host alone is all of that host, not of those that begin so', () => {
  expect(readPurge({ prefixes: ['https://shop.example'] })).toEqual({
    ...nothing,
    prefixes: ['https://shop.example/'],
  });
});

test.for([
  ['/a//b/../C%2f%7e', '/a/C%2F~'],
  ['/a/.', '/a/.'],
  ['/a/..', '/a/..'],
  ['/a/%', '/a/%'],
  ['/a/%c', '/a/%C'],
  ['/caf%c3', '/caf%C3'],
  ['/caf%c3%a9', '/caf%C3%A9'],
  ['/a?', '/a?'],
  ["HTTP://Shop.Example.:80/a?x='%2", 'http://shop.example/a?x=%27%2'],
  ['https://shop.example:443?x', 'https://shop.example/?x'],
  ['/a#part', '/a'],
] as const)('the prefix %s is spelled as requests are: %s', ([given, spelled]) => {
  expect(readPurge({ prefixes: [given] })).toEqual({ ...nothing, prefixes: [spelled] });
});

test.for<[unknown, string]>([
  [undefined, 'The body is not a JSON object.'],
  [[], 'The body is not a JSON object.'],
  [{}, 'Nothing is named: say "tags", "urls", "prefixes" or "all": true.'],
  [{ all: false, tags: [] }, 'Nothing is named: say "tags", "urls", "prefixes" or "all": true.'],
  [{ tag: 'a' }, '"tag" is not a member; there are tags, urls, prefixes, all, soft.'],
  [{ tags: 'a' }, '"tags" is not a list of texts.'],
  [{ tags: [42] }, 'In "tags" stands 42, which is no text.'],
  [{ tags: [''] }, 'In "tags" stands an empty text.'],
  [{ tags: ['\0url http://a/'] }, 'In "tags" stands a text with a control character in it.'],
  [{ all: 'true' }, '"all" is true or false.'],
  [{ tags: ['a'], soft: 1 }, '"soft" is true or false.'],
  [
    { urls: ['/orders/42'] },
    'In "urls" stands "/orders/42", which is not absolute: write http://HOST/PATH or https://HOST/PATH.',
  ],
  [{ urls: ['http://'] }, 'In "urls" stands "http://", which is not a valid URL.'],
  [{ urls: ['http://bob@shop/'] }, 'In "urls" stands "http://***@shop/", which is not a valid URL.'],
  [{ urls: ['http://shop/%zz'] }, 'In "urls" stands "http://shop/%zz", which is not a valid URL.'],
  [
    { prefixes: ['shop/'] },
    'In "prefixes" stands "shop/": write https://HOST/PATH for one host, or /PATH for every host.',
  ],
  [{ prefixes: ['/caf\u00e9'] }, 'In "prefixes" stands "/caf\u00e9", which no valid URL begins with.'],
  [
    { prefixes: ['http://bob@shop/'] },
    'In "prefixes" stands "http://***@shop/", which no valid URL begins with.',
  ],
])('%j is refused: %s', ([body, why]) => {
  expect(readPurge(body)).toBe(why);
});

test.for([
  { urls: ['http://bob:hunter2@shop.example/a'] },
  { urls: ['/a?token=hunter2'] },
  { prefixes: ['http://bob:hunter2@shop.example:99999/'] },
])('what is wrong with %j is told without its secrets', (body) => {
  const why = readPurge(body);
  expect(why).toContain('***');
  expect(why).not.toContain('hunter2');
});
