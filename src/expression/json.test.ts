import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { exchangeOf, problemsOf, show } from './fixtures.ts';
import {
  compileJsonTemplates,
  Duration,
  ExchangeVariables,
  type ExpressionError,
  JsonError,
  parseJson,
  requestScope,
  Timestamp,
  toJson,
  Uint,
  type Value,
} from './index.ts';

const read = (text: string, duplicates: 'reject' | 'last' = 'reject'): Value =>
  parseJson(text, { duplicates });

describe('parseJson', () => {
  it.each([
    ['1', '1'],
    ['-0', '0'],
    ['1.0', '1.0'],
    ['1e2', '100.0'],
    ['-1.5E-1', '-0.15'],
    ['123456789012345678901234567890', '123456789012345678901234567890'],
    ['9007199254740993', '9007199254740993'],
    ['"a\\n\\u00e4\\ud83d\\ude00\\/"', '"a\\nä😀/"'],
    ['"\\ud800"', '"\\ud800"'],
    [' [ 1 , [ ] , { } ] ', '[1, [], {}]'],
    ['{"a":{"b":null},"c":[true,false]}', '{"a": {"b": null}, "c": [true, false]}'],
    ['{"__proto__":1,"constructor":2}', '{"__proto__": 1, "constructor": 2}'],
    ['""', '""'],
  ])('reads %s as %s', (text, shown) => {
    expect(show(read(text))).toBe(shown);
    expect(show(read(Buffer.from(text) as unknown as string))).toBe(shown);
  });

  it.each([
    '',
    ' ',
    '01',
    '+1',
    '1.',
    '.5',
    '1e',
    '- 1',
    'NaN',
    'tru',
    'nul',
    '"a',
    '"\t"',
    '"\\x"',
    '"\\u12"',
    '[1,]',
    '[1 2]',
    '{"a":1,}',
    '{a:1}',
    '{"a" 1}',
    '{"a":}',
    '{,}',
    '[',
    '{',
    '1 2',
    '[1]]',
    "'a'",
    '\ufeff1',
    '1e999',
  ])('refuses %j', (text) => {
    expect(() => read(text)).toThrow(JsonError);
  });

  it('a member that stands twice is refused, or the last one counts', () => {
    expect(() => read('{"a":1,"b":2,"a":3}')).toThrow('the member "a" stands twice at offset 13');
    expect(() => read('{"a":1,"\\u0061":3}')).toThrow(JsonError);
    expect(show(read('{"a":1,"b":2,"a":3}', 'last'))).toBe('{"b": 2, "a": 3}');
  });

  it('bounds depth and digits', () => {
    expect(() => read('['.repeat(100_000))).toThrow(JsonError);
    expect(() => read(`${'['.repeat(256)}${']'.repeat(256)}`)).not.toThrow();
    expect(() => read('{"a":'.repeat(257))).toThrow('nested more than 256 levels deep');
    expect(() => read('1'.repeat(1001))).toThrow('an integer of more than 1000 digits');
  });

  it('refuses bytes that are no UTF-8', () => {
    expect(() => parseJson(Buffer.from([0x22, 0xff, 0x22]), { duplicates: 'last' })).toThrow(
      'the bytes are not valid UTF-8',
    );
  });

  it('accepts and means what JSON.parse does', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        expect(JSON.parse(toJson(read(text, 'last')))).toEqual(JSON.parse(text));
      }),
    );
    const almost = fc.string({
      unit: fc.constantFrom(...'{}[]",:0123.-eE+ tfn\\u"a'.split('')),
      maxLength: 12,
    });
    fc.assert(
      fc.property(almost, (text) => {
        const accepts = (parse: () => unknown): boolean => {
          try {
            parse();
            return true;
          } catch {
            return false;
          }
        };
        expect(accepts(() => read(text, 'last'))).toBe(accepts(() => JSON.parse(text)));
      }),
      { numRuns: 2000 },
    );
  });
});

describe('toJson', () => {
  it('writes every kind of value', () => {
    const value = new Map<Value, Value>([
      ['big', 12345678901234567890n],
      ['double', 1.5],
      ['uint', new Uint(7n)],
      ['bytes', Buffer.from([255])],
      ['time', new Timestamp(0n)],
      ['span', new Duration(1_500_000_000n)],
      ['list', [null, true, 'a"\u2028\ud800']],
      [1n, 'int key'],
      ['__proto__', new Map()],
    ]);
    expect(toJson(value)).toBe(
      '{"big":12345678901234567890,"double":1.5,"uint":7,"bytes":"/w==","time":"1970-01-01T00:00:00Z","span":"1.5s","list":[null,true,"a\\"\u2028\ufffd"],"1":"int key","__proto__":{}}',
    );
  });

  it('keeps integers of any size exactly', () => {
    fc.assert(
      fc.property(fc.bigInt(), (integer) => {
        expect(toJson(read(String(integer)))).toBe(String(integer));
      }),
    );
  });
});

describe('JSON with templates in its texts', () => {
  const variables = new ExchangeVariables(exchangeOf('/a', [], { id: '"7"' }));
  const render = (value: unknown): string =>
    compileJsonTemplates(value, requestScope).render(variables).toString();

  it('fills them in, as texts', () => {
    expect(
      render({
        id: 'order {params.id}',
        n: [1, true, null, 1.5],
        deep: { '{x}': '{{}}' },
        size: '{size(params.id)}',
      }),
    ).toBe('{"id":"order \\"7\\"","n":[1,true,null,1.5],"deep":{"{x}":"{}"},"size":"3"}');
    expect(render('{request.path}')).toBe('"/a"');
    expect(render(12345678901234567890n)).toBe('12345678901234567890');
  });

  it('without any is made once', () => {
    const template = compileJsonTemplates({ a: ['b'] }, requestScope);
    expect(template.render(variables)).toBe(template.render(variables));
  });

  it('tells where in the value a problem stands, all of them', () => {
    const value = { a: ['ok', 'x {reqest.path}'], b: '}' };
    expect(problemsOf('', () => compileJsonTemplates(value, requestScope))).toHaveLength(2);
    try {
      compileJsonTemplates(value, requestScope);
    } catch (error) {
      expect((error as ExpressionError).problems).toMatchObject([
        { path: ['a', 1], start: 3, end: 9 },
        { path: ['b'], start: 0, end: 1 },
      ]);
    }
  });
});
