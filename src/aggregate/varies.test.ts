import { describe, expect, it } from 'vitest';
import { compileExpression, requestScope } from '../expression/index.ts';
import { variesBy } from './varies.ts';

const of = (...texts: string[]) =>
  variesBy(texts.map((text) => compileExpression(text, requestScope).mentions));

describe('the answer of an aggregate varies by', () => {
  it.each([
    [
      'nothing where it looks at what stands in the key',
      ['request.path + request.query.a + params.id + request.host'],
      [],
    ],
    [
      'each header that an expression names',
      ['request.headers["x-tenant"]', 'has(request.headers.accept)'],
      ['x-tenant', 'accept'],
    ],
    ['the cookie where it looks at one', ['request.cookies.session'], ['cookie']],
    ['what can not be named where it looks at headers by chance', ['request.headers[params.name]'], '*'],
    ['what can not be named where it looks at the address or the id', ['request.ip', 'request.id'], '*'],
    ['what can not be named where it looks at the whole request', ['json(request)'], '*'],
  ])('%s', (_what, texts, expected) => {
    expect(of(...texts)).toEqual(expected);
  });
});
