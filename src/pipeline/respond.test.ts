import { describe, expect, test } from 'vitest';
import type { RespondConfig } from '../config/model.ts';
import { ExpressionError, requestScope } from '../expression/index.ts';
import { getHeader, getHeaders } from '../http/headers.ts';
import { mediaTypeOf } from '../http/media-type.ts';
import { exchangeOf, variables } from './fixtures.ts';
import { compileRespond } from './respond.ts';

function respond(config: Partial<RespondConfig>, data: Record<string, unknown> = {}) {
  const answer = compileRespond(
    { status: 200, headers: {}, content: { kind: 'none' }, ...config },
    requestScope,
  );
  const { status, headers, body, failure } = answer(exchangeOf(), variables(data));
  return {
    status,
    headers,
    text: body === null ? null : String(body),
    type: getHeader(headers, 'content-type'),
    failure,
  };
}

const template = (text: string): RespondConfig['content'] => ({ kind: 'template', template: text });

describe('respond', () => {
  test('body is literal: braces are no template', () => {
    const made = respond({ content: { kind: 'body', text: '{request.path} {{ü' } });
    expect(made).toMatchObject({
      status: 200,
      text: '{request.path} {{ü',
      type: 'text/plain; charset=utf-8',
    });
  });

  test('template is filled in', () => {
    expect(
      respond({ content: template('hello {params.name}') }, { params: { name: '<bob>' } }),
    ).toMatchObject({
      text: 'hello <bob>',
      type: 'text/plain; charset=utf-8',
    });
  });

  test('the texts inside json are templates', () => {
    const value = {
      who: '{params.name}',
      n: 1,
      list: ['{{x}}', null, true],
      nested: { a: 'is {params.name}' },
    };
    const made = respond({ content: { kind: 'json', value } }, { params: { name: '"b"' } });
    expect(JSON.parse(made.text!)).toEqual({
      who: '"b"',
      n: 1,
      list: ['{x}', null, true],
      nested: { a: 'is "b"' },
    });
    expect(made.type).toBe('application/json');
  });

  test('so are functions inside json, in a config that is code', () => {
    const value = {
      all: [() => '/a', 'x'],
      one: ({ params }: { params: { name: string } }) => params.name,
    };
    const made = respond({ content: { kind: 'json', value } }, { params: { name: '"b"' } });
    expect(JSON.parse(made.text!)).toEqual({ all: ['/a', 'x'], one: '"b"' });
  });

  test('json without templates is made once', () => {
    const answer = compileRespond(
      { status: 200, headers: {}, content: { kind: 'json', value: { a: [1] } } },
      requestScope,
    );
    const first = answer(exchangeOf(), variables({}));
    expect(String(first.body)).toBe('{"a":[1]}');
    expect(answer(exchangeOf(), variables({})).body).toBe(first.body);
  });

  test('a file goes by its ending', () => {
    expect(respond({ content: { kind: 'file', bytes: Buffer.from('x'), type: 'image/png' } })).toMatchObject({
      text: 'x',
      type: 'image/png',
    });
    expect(mediaTypeOf('/a.b/logo.PNG')).toBe('image/png');
    expect(mediaTypeOf('robots.txt')).toBe('text/plain; charset=utf-8');
    expect(mediaTypeOf('README')).toBe('application/octet-stream');
    expect(mediaTypeOf('/a.html/x')).toBe('application/octet-stream');
    expect(mediaTypeOf('x.constructor')).toBe('application/octet-stream');
  });

  test.each<[string, RespondConfig['content']]>([
    ['nothing', { kind: 'none' }],
    ['body', { kind: 'body', text: 'x' }],
    ['template', template('{params.x}')],
    ['json', { kind: 'json', value: 1 }],
    ['file', { kind: 'file', bytes: Buffer.from('x'), type: 'text/html' }],
  ])('all with nosniff, whatever headers say: %s', (_kind, content) => {
    const { headers } = respond(
      { content, headers: { 'X-Content-Type-Options': 'sniff' } },
      { params: { x: '1' } },
    );
    expect(getHeaders(headers, 'x-content-type-options')).toEqual(['nosniff']);
  });

  test('headers say another type, and it is the only one', () => {
    const made = respond({
      content: { kind: 'body', text: 'x' },
      headers: { 'Content-Type': ['text/css', 'text/html'] },
    });
    expect(getHeaders(made.headers, 'content-type')).toEqual(['text/css']);
  });

  test('a type that fails leaves the usual one', () => {
    const made = respond(
      { content: { kind: 'body', text: 'x' }, headers: { 'content-type': '{request.headers.accept}' } },
      { request: { headers: {} } },
    );
    expect(made.type).toBe('text/plain; charset=utf-8');
  });

  test('headers are templates; a list makes several lines, one that fails or is empty is left out', () => {
    const { headers } = respond(
      { headers: { 'x-a': '{params.x}', 'x-b': ['1', '{params.x}'], 'x-c': '{params.none}', 'x-d': '' } },
      { params: { x: 'v' } },
    );
    expect(headers.slice(2)).toEqual(['x-a', 'v', 'x-b', '1', 'x-b', 'v']);
  });

  test('CRLF injection: a header with control characters is left out', () => {
    const { headers } = respond(
      { headers: { 'x-a': 'v{params.x}' } },
      { params: { x: '\r\nset-cookie: a=b' } },
    );
    expect(headers).toEqual(['x-content-type-options', 'nosniff']);
  });

  test.each([204, 205, 304])('status %i has no content and no type', (status) => {
    expect(respond({ status, content: { kind: 'body', text: 'x' } })).toMatchObject({
      status,
      text: null,
      type: undefined,
    });
  });

  test('without content has no type', () => {
    expect(respond({ status: 418 })).toMatchObject({ status: 418, text: null, type: undefined });
  });

  test('one answer’s headers can be changed without changing the next', () => {
    const answer = compileRespond(
      { status: 200, headers: { a: '1' }, content: { kind: 'body', text: 'x' } },
      requestScope,
    );
    answer(exchangeOf(), variables({})).headers.push('b', '2');
    expect(answer(exchangeOf(), variables({})).headers).not.toContain('b');
  });

  test('reports a template that cannot be compiled', () => {
    expect(() => respond({ content: template('{nobody}') })).toThrow(ExpressionError);
    expect(() => respond({ content: { kind: 'json', value: ['{nobody}'] } })).toThrow(ExpressionError);
  });
});

describe('where the type is HTML or XML, filled values are escaped', () => {
  const evil = { params: { x: `<script>alert("1" & '2')</script>` } };

  test.each([
    'text/html',
    'TEXT/HTML; charset=utf-8',
    'application/xhtml+xml',
    'image/svg+xml',
    'application/xml',
    'text/xml',
  ])('script injection: %s', (type) => {
    const { text } = respond(
      { content: template('<p title="{params.x}">{params.x}</p>'), headers: { 'content-type': type } },
      evil,
    );
    expect(text).toMatch(/^<p title="[^"<>]*">[^<>]*<\/p>$/);
    expect(text).toContain('&lt;script&gt;');
  });

  test('script injection: also where the type itself is filled in', () => {
    const headers = { 'content-type': '{request.headers.accept}' };
    const made = (accept: string) =>
      respond({ content: template('{params.x}'), headers }, { ...evil, request: { headers: { accept } } })
        .text;
    expect(made('text/html')).not.toContain('<');
    expect(made('text/plain')).toContain('<script>');
  });

  test('script injection: json under such a type stays JSON, and cannot open a tag', () => {
    const { text } = respond(
      { content: { kind: 'json', value: { a: '{params.x}' } }, headers: { 'content-type': 'text/html' } },
      evil,
    );
    expect(text).not.toMatch(/[<>]/);
    expect(JSON.parse(text!)).toEqual({ a: evil.params.x });
  });

  test('literal markup stays as it was written', () => {
    expect(
      respond({ content: template('<b>{{x}}</b>'), headers: { 'content-type': 'text/html' } }).text,
    ).toBe('<b>{x}</b>');
  });
});

describe('a body that fails', () => {
  test('for what the request did not bring is 400', () => {
    const made = respond({ content: template('{params.none}') }, { params: {} });
    expect(made).toMatchObject({ status: 400, failure: { code: 'TG_REQUEST_VALUE' } });
  });

  test('for anything else is 500, and tells nothing of why', () => {
    const made = respond({ content: template('{auth.claims.none}') }, { auth: { claims: {} } });
    expect(made).toMatchObject({ status: 500, failure: { code: 'TG_EXPRESSION_FAILED' } });
    expect(made.type).toBe('application/problem+json');
    expect(made.text).not.toContain('none');
  });

  test('in json too', () => {
    expect(
      respond({ content: { kind: 'json', value: ['{auth.claims.none}'] } }, { auth: { claims: {} } }).status,
    ).toBe(500);
  });
});
