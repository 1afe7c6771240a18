import { describe, expect, test } from 'vitest';
import { PathPatternError } from './path-error.ts';
import { parsePathPattern } from './path-pattern.ts';

/** The error of a pattern, with the part it is about. */
function slip(pattern: string): { at: string; message: string; advice: string | undefined } {
  try {
    parsePathPattern(pattern, false);
  } catch (error) {
    if (!(error instanceof PathPatternError)) throw error;
    expect(error.end).toBeGreaterThanOrEqual(error.start);
    expect(error.end).toBeLessThanOrEqual(pattern.length);
    return { at: pattern.slice(error.start, error.end), message: error.message, advice: error.advice };
  }
  throw new Error(`${pattern} was taken`);
}

describe('a slip in a path is pointed at, named and mended', () => {
  test.each<[pattern: string, at: string, message: RegExp, advice: RegExp]>([
    ['orders', 'orders', /begins with `\/`/, /write `\/orders`/],
    ['', '', /begins with `\/`/, /write `\/`/],
    ['^/orders$', '^/orders$', /begins with `\/`/, /`~\^\/orders\$` makes it a regular expression/],
    ['*', '*', /begins with `\/`/, /write `\/\*`/],
    ['/a/{id', '{id', /not closed/, /`{name}`.*`%7B`/],
    ['/a/{id/b', '{id/b', /not closed/, /./],
    ['/a/{id{x}}', '{id{x}}', /not closed/, /./],
    ['/a/id}', '}', /closes nothing/, /open a name/],
    ['/a/{}', '{}', /hold no name/, /write `{name}`/],
    ['/a/{~[0-9]+}', '{~', /hold no name/, /`{id~\[0-9\]\+}`/],
    ['/{id}/{id}', '{id}', /`id` stands twice/, /something else/],
    ['/{a}-{a}', '{a}', /`a` stands twice/, /something else/],
    ['/*/a', '*', /only stand at its end/, /`{name}`/],
    ['/{rest*}/a', '*', /only stand at its end/, /`{name}`/],
    ['/{rest*}/', '*', /only stand at its end/, /`~RE2`/],
    ['/a*', '*', /a segment of its own/, /`{name}`/],
    ['/a*b/c', '*', /a segment of its own/, /`~RE2`/],
    ['/a/**', '*', /a segment of its own/, /one `\*`/],
    ['/a/*.png', '*', /a segment of its own/, /`~RE2`/],
    ['/a-{rest*}', '{rest*}', /whole segments/, /`\/{name\*}`/],
    ['/{rest*}.png', '{rest*}', /whole segments/, /`\/{name\*}`/],
    ['/{id:integer}', 'integer', /no type "integer"/, /did you mean `int`/],
    ['/{id:nit}', 'nit', /no type "nit"/, /did you mean `int`/],
    ['/{id:guid}', 'guid', /no type "guid"/, /did you mean `uuid`/],
    ['/{id:colour}', 'colour', /no type "colour"/, /`int` and `uuid`.*`{name~RE2}`/],
    ['/{id:}', '}', /no type ""/, /`int` and `uuid`/],
    ['/{id~[a-z}', '{id~[a-z}', /not closed/, /./],
    ['/{id~}', '{id~}', /pattern is empty/, /write `{id}`/],
    ['/{id~(?=a)b}', '(?=a)b', /looks ahead/, /RE2: no look-around/],
    ['/{id~a(}', 'a(', /./, /RE2/],
    ['~/a/(b', '/a/(b', /./, /RE2/],
    ['~(a)\\1', '\\1', /./, /back-references/],
    ['/{a}{b}', '{a}{b}', /where one name ends/, /`{a}-{b}`/],
    ['/{order-id}', 'order-id', /no name that `params.NAME`/, /`{order_id}`/],
    ['/{1st}', '1st', /no name/, /`{_1st}`/],
    ['/{ id }', ' id ', /no name/, /`{id}`/],
    ['/{\u00e9t\u00e9}', '\u00e9t\u00e9', /no name/, /./],
    ['/{in}', 'in', /can't be written in CEL/, /another name/],
    ['/{true}', 'true', /can't be written in CEL/, /another name/],
    ['/{id*x}', 'x', /follow `\*`/, /`{name\*}`/],
    ['/a?b=c', '?', /no query/, /under `query`/],
    ['/a#b', '#', /no fragment/, /`%23`/],
    ['/a\\b', '\\', /a backslash never matches/, /refused/],
    ['/a%5Cb', '%5C', /a backslash never matches/, /refused/],
    ['/a%00', '%00', /a control character never matches/, /refused/],
    ['/a\tb', '\t', /a control character never matches/, /refused/],
    ['/a%b', '%', /two hex digits/, /`%25`/],
    ['/100%', '%', /two hex digits/, /`%25`/],
    ['/a%FF', 'a%FF', /not UTF-8/, /refused/],
    ['/a\ud800', 'a\ud800', /not UTF-8/, /refused/],
    ['/..', '..', /leads out/, /without it/],
    ['/a/../../b', '..', /leads out/, /without it/],
    ['/{x}/../b', '..', /leads out/, /without it/],
  ])('%s', (pattern, at, message, advice) => {
    const found = slip(pattern);
    expect(found.message).toMatch(message);
    expect(found.advice).toMatch(advice);
    expect(found.at).toBe(at);
  });
});

describe('a path of the file is read as', () => {
  test.each([
    ['/a/b', { kind: 'exact', path: '/a/b' }],
    ['/', { kind: 'exact', path: '/' }],
    ['/a/', { kind: 'exact', path: '/a/' }],
    ['/caf\u00e9/%7e', { kind: 'exact', path: '/caf%C3%A9/~' }],
    ['/v1/things:batch', { kind: 'exact', path: '/v1/things:batch' }],
    ['/{x}', { kind: 'segments', segments: [{ kind: 'name', name: 'x' }] }],
    [
      '/a/*',
      {
        kind: 'segments',
        segments: [
          { kind: 'literal', text: 'a' },
          { kind: 'rest', name: '*' },
        ],
      },
    ],
    ['/{rest*}', { kind: 'segments', segments: [{ kind: 'rest', name: 'rest' }] }],
    [
      '/{x}/',
      {
        kind: 'segments',
        segments: [
          { kind: 'name', name: 'x' },
          { kind: 'literal', text: '' },
        ],
      },
    ],
    ['/{a}-{b}', { kind: 'segments', segments: [{ kind: 'pattern', names: ['a', 'b'] }] }],
    ['/{x~a/b}', { kind: 'segments', segments: [{ kind: 'pattern', names: ['x'] }] }],
    ['~/a', { kind: 'regex' }],
  ])('%s', (pattern, expected) => {
    expect(parsePathPattern(pattern, false)).toMatchObject(expected);
  });
});
