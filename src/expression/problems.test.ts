import { describe, expect, it } from 'vitest';
import { problemsOf } from './fixtures.ts';
import {
  callScope,
  compileExpression,
  errorScope,
  requestScope,
  responseScope,
  routeScope,
  type Scope,
} from './index.ts';

const problems = (source: string, scope: Scope = requestScope, options = {}): string[] =>
  problemsOf(source, (text) => compileExpression(text, scope, options));

describe('names', () => {
  it.each([
    ['request.heders["x-a"] == "on"', 'heders @8: there is no member "heders" here; did you mean "headers"?'],
    ['reqest.method == "GET"', 'reqest @0: there is no variable "reqest"; did you mean "request"?'],
    [
      'request.zzz',
      'zzz @8: there is no member "zzz" here; there are method, path, host, scheme, ip, url, id, headers, query, cookies, queries, body',
    ],
    [
      'request.headers["X-Beta"] == "on"',
      '"X-Beta" @16: names of headers stand in lower case here; write "x-beta"',
    ],
    [
      'request.headers.x-beta',
      'beta @18: there is no variable "beta"; a name with a dash is written ["x-beta"]',
    ],
    ['auth.permisions', 'permisions @5: there is no member "permisions" here; did you mean "permissions"?'],
    [
      'response.status == 200',
      'response @0: there is no variable "response"; there are request, params, auth; a text stands in quotes',
    ],
    [
      'admin in auth.permissions',
      'admin @0: there is no variable "admin"; there are request, params, auth; a text stands in quotes',
    ],
    ['has(request.heders)', 'heders @12: there is no member "heders" here; did you mean "headers"?'],
    [
      'request.method.startWith("G")',
      'startWith @15: there is no function "startWith"; did you mean "startsWith"?',
    ],
    ['lenght(request.path)', 'lenght @0: there is no function "lenght"'],
    ['request.path.exist(x, true)', 'exist @13: there is no function "exist"; did you mean "exists"?'],
    ['request.path.size', 'size @13: string has no member "size"'],
  ])('%s', (source, message) => {
    expect(problems(source)[0]).toBe(message);
  });

  it("a route's parameters are known", () => {
    const scope = routeScope(requestScope, ['customer'], []);
    expect(problems('params.custmer == "1"', scope)).toEqual([
      'custmer @7: there is no member "custmer" here; did you mean "customer"?',
    ]);
    expect(problems('params.x', routeScope(requestScope, [], []))).toEqual([
      'x @7: there is no member "x" here; it has none',
    ]);
  });

  it("response, error and a call's result have their own members", () => {
    expect(problems('response.staus == 200', responseScope)[0]).toMatch(/did you mean "status"/);
    expect(problems('error.titel', errorScope)[0]).toMatch(/did you mean "title"/);
    const scope = callScope({ orders: 'one', items: 'each' });
    expect(problems('orders.bdy', scope)[0]).toMatch(/did you mean "body"/);
    expect(problems('items.map(i, i.stats)', scope)[0]).toMatch(/did you mean "status"/);
    expect(problems('items[0].status == orders.status && orders.body.x == 1', scope)).toEqual([]);
  });

  it('variables may be called like types, functions and macros', () => {
    const scope = callScope({
      list: 'one',
      map: 'one',
      type: 'one',
      size: 'one',
      has: 'one',
      import: 'one',
      all: 'each',
    });
    expect(
      problems(
        '[list.body, map.body, type.body, size(size.headers), has(has.body), import.status].size() == all.size()',
        scope,
      ),
    ).toEqual([]);
  });
});

describe('types', () => {
  it.each([
    [
      'request.method == 1',
      'request.method == 1 @0: string and int are never equal; convert one: int(text), or string(number)',
    ],
    [
      'request.query.page > 1',
      'request.query.page > 1 @0: ">" does not compare string with int; convert one: int(text), or string(number)',
    ],
    [
      'request.method + 1 == "a"',
      'request.method + 1 @0: "+" does not take string and int; convert one: int(text), or string(number)',
    ],
    [
      'request.path.startsWith(1)',
      'request.path.startsWith(1) @0: startsWith() does not take (string, int); it takes (string, string), what stands before the dot counted first',
    ],
    [
      '"read" in request.path',
      '"read" in request.path @0: "in" looks into a list or a map, not into string; a part of a text is asked for by text.contains(part)',
    ],
    ['1 in auth.permissions', '1 in auth.permissions @0: int is never in a list of string'],
    ['request.path && true', 'request.path @0: each side of "&&" must be bool, not string'],
    [
      'request.headers["set-cookie"] == "a"',
      'request.headers["set-cookie"] == "a" @0: list(string) and string are never equal',
    ],
    [
      'request.path.matches("(?=a)")',
      '"(?=a)" @21: the pattern looks ahead or behind with "(?=", which RE2 does not do; patterns have the syntax of RE2',
    ],
    [
      'request.path.matches(request.host)',
      'request.host @21: the pattern of matches() must be a literal text; so it is checked when the config is loaded',
    ],
    [
      'inCidr(request.ip, ["10.0.0.0/33"])',
      '["10.0.0.0/33"] @19: the prefix of "10.0.0.0/33" must be 0 to 32',
    ],
    [
      'inCidr(request.ip)',
      'inCidr(request.ip) @0: inCidr() has too few arguments; write inCidr(request.ip, ["10.0.0.0/8"])',
    ],
    ['size(request.path, 2)', 'size(request.path, 2) @0: size() takes 1 argument, not 2'],
    ['split(request.path)', 'split(request.path) @0: split() takes 2 or 3 arguments, not 1'],
    [
      'true ? request.path : 1',
      'true ? request.path : 1 @0: the two sides of ":" are string and int; make them one type, or write dyn(…) around one',
    ],
  ])('%s', (source, message) => {
    expect(problems(source)).toEqual([message]);
  });

  it('what a key expects is asked for when the config is loaded', () => {
    expect(problems('request.path', requestScope, { expects: 'bool' })).toEqual([
      'request.path @0: this must be bool, but is string',
    ]);
    expect(problems('request.body', requestScope, { expects: 'bool' })).toEqual([]);
    expect(problems('request.query.a', requestScope, { expects: 'list' })).toHaveLength(1);
  });

  it('now() is refused where the same request must give the same value', () => {
    expect(problems('string(now())', requestScope, { pure: true })).toEqual([
      'now @7: now() can not stand here; the same request must give the same value each time',
    ]);
  });
});

describe('syntax', () => {
  it.each([
    ['', ' @0: the text ends where a value should stand'],
    ['1 +', ' @3: the text ends where a value should stand'],
    ['(1', ' @2: the text ends where ")" should stand'],
    ['1 2', '2 @2: "2" stands where the end of the expression should'],
    ['request.', ' @8: the text ends where the name of a member should stand'],
    ['request.method = "GET"', '= @15: "=" is not part of CEL; equality is written =='],
    ['true & false', '& @5: "&" is not part of CEL; and is written &&'],
    ['a # b', '# @2: "#" is not part of CEL'],
    ['"abc', '"abc @0: this text has no closing quote; close it with "'],
    ['12abc', '12abc @0: "12abc" is neither a number nor a name'],
    ['[1, 2', ' @5: the text ends where "]" should stand'],
    ['{"a" 1}', '1 @5: "1" stands where ":" should'],
    ['request.?a', '? @8: optional values (?) are not offered here; ask with has() first'],
    ['[?a]', '? @1: optional values (?) are not offered here; ask with has() first'],
    [
      '"a\\qb"',
      '\\q @2: \\q is no escape sequence here; write \\\\ for a backslash, or r"…" for a text without escapes',
    ],
    ['Thing{a: 1}', '{ @5: "{" stands where the end of the expression should'],
    ['in', 'in @0: "in" stands where a value should'],
  ])('%s', (source, message) => {
    expect(problems(source)).toEqual([message]);
  });

  it('all problems of one expression are told at once', () => {
    expect(problems('request.heders == 1 && foo.bar || sizee("a") > 0')).toEqual([
      'heders @8: there is no member "heders" here; did you mean "headers"?',
      'foo @23: there is no variable "foo"; there are request, params, auth; a text stands in quotes',
      'sizee @34: there is no function "sizee"; did you mean "size"?',
    ]);
  });
});
