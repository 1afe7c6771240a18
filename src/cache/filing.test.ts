import { describe, expect, it } from 'vitest';
import { urlTag } from './fences/index.ts';
import { Filing } from './filing.ts';
import type { QueryRule } from './query-rule.ts';

const PAGE: QueryRule = { kind: 'only', names: ['page', 'size'] };
const NO_UTM: QueryRule = { kind: 'ignore', names: ['utm_*'], sort: false };
const SORTED: QueryRule = { kind: 'ignore', names: [], sort: true };

function reached(rules: QueryRule[], { urls = [], prefixes = [] }: { urls?: string[]; prefixes?: string[] }) {
  const what = { tags: ['plain', ...urls.map(urlTag)], prefixes, all: false, soft: true };
  return new Filing(rules).reach(what);
}

describe('an invalidation', () => {
  it.each<[QueryRule[], string, string[]]>([
    [[PAGE], '?size=2&x=1&page=3', ['?page=3&size=2']],
    [[PAGE], '?x=1', ['']],
    [[PAGE], '', []],
    [[NO_UTM], '?b=2&utm_source=x&a=1', ['?b=2&a=1']],
    [[NO_UTM], '?b=2', []],
    [[SORTED], '?b=2&a=%62&%61=1', ['?a=%62&%61=1&b=2']],
    [[PAGE, NO_UTM, SORTED], '?page=1&b=2&utm_x=3', ['?page=1', '?page=1&b=2', '?b=2&page=1&utm_x=3']],
    [[{ kind: 'all' }], '?b=2&a=1', []],
  ])('under %j of /a%s reaches %j as well', (rules, query, more) => {
    const url = `https://shop.test/a${query}`;
    const tags = ['plain', ...[query, ...more].map((one) => urlTag(`https://shop.test/a${one}`))];
    expect(reached(rules, { urls: [url] })).toEqual({ tags, prefixes: [], all: false, soft: true });
  });

  it.each<[QueryRule[], string, string[]]>([
    [[SORTED], '/a?b=', ['/a?b=', '/a?']],
    [[PAGE], 'https://shop.test/a?x', ['https://shop.test/a?x', 'https://shop.test/a?']],
    [[PAGE], '/a', ['/a']],
    [[{ kind: 'all' }], '/a?b', ['/a?b']],
  ])('under %j of the prefix %s reaches %j', (rules, prefix, prefixes) => {
    expect(reached(rules, { prefixes: [prefix] })).toMatchObject({ tags: ['plain'], prefixes });
  });
});
