import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Template } from '../config/model.ts';
import { cpuTimeOf } from '../testkit/index.ts';
import { exchangeOf, failureOf, problemsOf } from './fixtures.ts';
import {
  compileTemplate,
  DYN,
  ExchangeVariables,
  extendScope,
  LayeredVariables,
  requestScope,
  type TemplateOptions,
  Timestamp,
  type Value,
} from './index.ts';

const scope = extendScope(requestScope, { v: DYN, w: DYN });
const below = new ExchangeVariables(exchangeOf('/a?x=1', ['X-A', 'on'], { id: '7' }));

function compile(source: Template, into: TemplateOptions['into'] = 'text') {
  return compileTemplate(source, scope, { into });
}

function render(
  source: Template,
  values: Record<string, Value> = {},
  into: TemplateOptions['into'] = 'text',
): string {
  return compile(source, into).render(new LayeredVariables(below, values));
}

const renderAll = (
  source: Template,
  values: Record<string, Value>,
  into: TemplateOptions['into'] = 'text',
): string[] => compile(source, into).renderAll(new LayeredVariables(below, values));

const problems = (source: string, into: TemplateOptions['into'] = 'text'): string[] =>
  problemsOf(source, (text) => compile(text, into));

describe('templates', () => {
  it.each([
    ['plain', 'plain'],
    ['', ''],
    ['order:{params.id}', 'order:7'],
    ['{request.method}{request.path}', 'GET/a'],
    ['{ request.method }', 'GET'],
    ['a {{b}} c', 'a {b} c'],
    ['{{{params.id}}}', '{7}'],
    ['{{{{', '{{'],
    ['{{"a": "{params.id}"}}', '{"a": "7"}'],
  ])('%s is %s', (source, text) => {
    expect(render(source)).toBe(text);
  });

  it('braces of maps and texts inside an expression do not end it', () => {
    expect(render('{ {"a": {"b": 1}}.a.b }')).toBe('1');
    expect(render('{"}"}')).toBe('}');
    expect(render("{'{' + \"}\" + r'\\}'}!")).toBe('{}\\}!');
    expect(render('{size({"a": 1})}{size({})}')).toBe('10');
  });

  it.each<[Value, string]>([
    ['text', 'text'],
    [12345678901234567890n, '12345678901234567890'],
    [1.5, '1.5'],
    [2, '2'],
    [true, 'true'],
    [new Timestamp(0n), '1970-01-01T00:00:00Z'],
    [Buffer.from('ä'), 'ä'],
  ])('fills %s in as %s', (value, text) => {
    expect(render('<{v}>', { v: value })).toBe(`<${text}>`);
  });

  it.each<[string, Value]>([
    ['null', null],
    ['a list', ['a']],
    ['a map', new Map()],
    ['bytes that are no text', Buffer.from([0xff])],
  ])('%s fails', (_, value) => {
    expect(() => render('<{v}>', { v: value })).toThrow();
  });

  it('a list makes one text for each element', () => {
    expect(renderAll('t:{v}', { v: ['a', 1n] })).toEqual(['t:a', 't:1']);
    expect(renderAll('{v}-{w}', { v: ['a', 'b'], w: [1n, 2n] })).toEqual(['a-1', 'a-2', 'b-1', 'b-2']);
    expect(renderAll('{v}', { v: [] })).toEqual([]);
    expect(renderAll('{v}', { v: 'a' })).toEqual(['a']);
    expect(failureOf(() => renderAll('{v}', { v: ['a', null] })).kind).toBe('type');
    expect(failureOf(() => renderAll('{v}', { v: [['a']] })).kind).toBe('type');
  });

  it('knows when nothing is filled in, and what is read', () => {
    expect(compile('a{{b').constant).toBe('a{b');
    expect(compile('{params.id}').constant).toBe(null);
    expect(compile('{params.id}{request.headers.a}').mentions).toEqual(
      new Set(['params.id', 'request.headers', 'request.headers.a']),
    );
  });

  it('may be a function', () => {
    expect(render((({ params }: { params: { id: string } }) => `id-${params.id}`) as Template)).toBe('id-7');
    expect(renderAll((() => ['a', 'b']) as Template, {})).toEqual(['a', 'b']);
    expect(failureOf(() => render((() => null) as Template)).kind).toBe('type');
  });

  it('any text with its braces doubled stands for itself', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const source = text.replaceAll('{', '{{').replaceAll('}', '}}');
        expect(compile(source).constant).toBe(text);
      }),
    );
  });

  it('literals and filled texts stand next to each other, whatever they are', () => {
    const part = fc.oneof(
      fc.string().map((text) => ({ source: text.replaceAll('{', '{{').replaceAll('}', '}}'), text })),
      fc.string({ unit: 'grapheme' }).map((text) => ({ source: `{${JSON.stringify(text)}}`, text })),
      fc.constant({ source: '{params.id}', text: '7' }),
      fc.constant({ source: '{ {"}": "{"}["}"] }', text: '{' }),
    );
    fc.assert(
      fc.property(fc.array(part), (parts) => {
        expect(render(parts.map(({ source }) => source).join(''))).toBe(
          parts.map(({ text }) => text).join(''),
        );
      }),
    );
  });
});

describe('problems of templates', () => {
  it.each([
    ['a {reqest.path} b', ['reqest @3: there is no variable "reqest"; did you mean "request"?']],
    ['a}b', ['} @1: this "}" closes nothing; write }} for a brace as it is']],
    [
      'a {request.path',
      [
        ' @15: the text ends where "}" should stand; close the expression with "}", or write {{ for a brace as it is',
      ],
    ],
    [
      '{',
      [
        ' @1: the text ends where a value should stand; close the expression with "}", or write {{ for a brace as it is',
      ],
    ],
    ['{}', ['} @1: "}" stands where a value should']],
    [
      '{request.heders} {1 +} {params}',
      [
        'heders @9: there is no member "heders" here; did you mean "headers"?',
        '} @21: "}" stands where a value should',
      ],
    ],
    ['x {params}', ['params @3: map can not be filled into a text; json(value) makes a text of it']],
    ['{null}', ['null @1: null can not be filled into a text; json(value) makes a text of it']],
  ])('%s', (source, expected) => {
    expect(problems(source)).toEqual(expected);
  });

  it('a list is one only where one text is needed', () => {
    expect(problems('{auth.permissions}')).toEqual([]);
    expect(problems('{auth.permissions}', 'header')).toEqual([]);
    expect(problems('{auth.permissions}', 'queryValue')).toEqual([
      'auth.permissions @1: list(string) can not be filled into a text; join it, or take one element',
    ]);
  });
});

describe('where a value goes', () => {
  it.each(['\r', '\n', '\0', '\x01', '\x7f'])('%j in a header fails', (character) => {
    expect(failureOf(() => render('a{v}', { v: `x${character}y` }, 'header'))).toMatchObject({ kind: 'nul' });
  });

  it('a header loses the blanks around it, and carries other characters as UTF-8', () => {
    expect(render(' {v}\t', { v: ' a b ' }, 'header')).toBe('a b');
    for (const text of ['ä', 'ä€', '日本'])
      expect(Buffer.from(render('ß{v}', { v: text }, 'header'), 'latin1').toString()).toBe(`ß${text}`);
    const blanks = { v: `a${' '.repeat(200_000)}b` };
    expect(cpuTimeOf(() => expect(render('{v}', blanks, 'header')).toHaveLength(200_002))).toBeLessThan(100);
    expect(problems('a\nb', 'header')).toEqual(['a\nb @0: a header can not hold control characters']);
  });

  it('HTML is escaped in what is filled in alone', () => {
    expect(render('<b title="{v}">', { v: `<a href='x'>&"` }, 'html')).toBe(
      '<b title="&lt;a href=&#39;x&#39;&gt;&amp;&quot;">',
    );
  });

  it('a value of a query is encoded as one', () => {
    expect(render('q={v}', { v: 'a b&c=d/ä+#?%\ud800' }, 'queryValue')).toBe(
      'q=a%20b%26c%3Dd%2F%C3%A4%2B%23%3F%25%EF%BF%BD',
    );
  });

  it.each(['', 'a/b', 'a:b', 'a@b', 'a b', 'ä', 'a%2e', '[::1]'])('%j in a part of a host fails', (value) => {
    expect(failureOf(() => render('{v}.example', { v: value }, 'authority')).kind).toBe('value');
  });

  it('a whole host is a valid authority', () => {
    for (const host of ['a.example', 'a.example:8080', '[::1]:80', '127.0.0.1'])
      expect(render('{v}', { v: host }, 'authority')).toBe(host);
    for (const host of ['', 'a/b', 'u@h', 'a:b', 'a:99999', 'a b', '[x]'])
      expect(failureOf(() => render('{v}', { v: host }, 'authority')).kind).toBe('value');
    expect(render('{v}.example:8080', { v: 'a' }, 'authority')).toBe('a.example:8080');
    expect(problems('a b', 'authority')).toEqual(['a b @0: this is not a host with an optional port']);
    expect(failureOf(() => render('{v}', { v: 'a:b' }, 'scheme')).kind).toBe('value');
    expect(render('{v}', { v: 'https' }, 'scheme')).toBe('https');
  });

  it('tells whose value it was', () => {
    const failure = (source: string, values = {}) => failureOf(() => render(source, values, 'authority'));
    expect(failure('{request.path}')).toMatchObject({ origin: 'request' });
    expect(failure('{v}', { v: '/' })).toMatchObject({ origin: 'other' });
    expect(failure('{request.query.none}')).toMatchObject({ kind: 'absent', origin: 'request' });
  });
});
