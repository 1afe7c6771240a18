import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseJson } from '../expression/index.ts';
import { inspectJson } from './inspect-json.ts';
import { withoutTwins } from './last-twins.ts';

const bytes = (text: string) => Buffer.from(text);

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

describe('the inspection of JSON', () => {
  it('takes all that JSON.stringify makes, and finds no twins in it', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 8 }), fc.constantFrom(undefined, 2), (text, indent) => {
        const written = JSON.stringify(JSON.parse(text), null, indent);
        const found = inspectJson(bytes(written));
        // A name with an escape in it is looked at more closely.
        expect(written.includes('\\') ? ['clean', 'twins'] : ['clean']).toContain(found);
      }),
    );
  });

  it('takes and refuses what JSON.parse takes and refuses, whatever is broken about a text', () => {
    const pieces = fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      '"',
      '\\',
      '"a"',
      '"\\u00e9"',
      '\\u12',
      '1',
      '0',
      '-',
      '.',
      'e',
      '+',
      '1.5e3',
      'true',
      'fals',
      'null',
      ' ',
      '\n',
      '\t',
      '\u0001',
      'é',
      '{"a":1}',
    );
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 12 }), (parts) => {
        const text = parts.join('');
        expect(inspectJson(bytes(text)) !== 'broken').toBe(isJson(text));
      }),
      { numRuns: 3000 },
    );
  });

  it.each([
    '',
    ' ',
    '01',
    '1.',
    '.5',
    '-',
    '+1',
    '1e',
    'NaN',
    'Infinity',
    "{'a':1}",
    '{"a":1,}',
    '[1,]',
    '{"a"}',
    '{a:1}',
    '[1 2]',
    '"\\x"',
    '"\\u12g4"',
    '"\n"',
    '{"a":1}}',
    'nul',
    'true false',
    '[',
    '{"a":',
    '"',
    '// no',
    '{"a":1} x',
  ])('refuses %j', (text) => {
    expect(inspectJson(bytes(text))).toBe('broken');
  });

  it('refuses what is no UTF-8', () => {
    expect(inspectJson(Buffer.from([0x22, 0xff, 0x22]))).toBe('broken');
    expect(inspectJson(Buffer.from([0x22, 0xc0, 0x80, 0x22]))).toBe('broken');
  });

  it('takes numbers of any size', () => {
    expect(inspectJson(bytes(`[1e999,${'9'.repeat(5000)},0.${'1'.repeat(5000)}]`))).toBe('clean');
  });

  it('refuses what is nested deeper than 256, and does not recurse to find that out', () => {
    expect(inspectJson(bytes('['.repeat(256) + ']'.repeat(256)))).toBe('clean');
    expect(inspectJson(bytes('['.repeat(257) + ']'.repeat(257)))).toBe('broken');
    expect(inspectJson(bytes('{"a":'.repeat(1_000_000)))).toBe('broken');
  });

  it.each([
    '{"a":1,"a":2}',
    '[{"b":{"a":1,"c":2,"a":3}}]',
    '{"a":1,"\\u0061":2}',
    `{${Array.from({ length: 100 }, (_, i) => `"k${i}":${i}`).join(',')},"k7":1}`,
  ])('finds members that stand twice: %s', (text) => {
    expect(inspectJson(bytes(text))).toBe('twins');
  });

  it('does not take equal names of different objects for twins', () => {
    expect(inspectJson(bytes('[{"a":{"a":1}},{"a":[{"a":2},{"a":3}]}]'))).toBe('clean');
  });

  it('reads 100,000 members of one object in linear time', () => {
    const text = `{${Array.from({ length: 100_000 }, (_, i) => `"k${i}":${i}`).join(',')}}`;
    const started = performance.now();
    expect(inspectJson(bytes(text))).toBe('clean');
    expect(performance.now() - started).toBeLessThan(1000);
  });
});

describe('of members that stand twice', () => {
  it.each([
    ['{"a":1,"a":2}', '{"a":2}'],
    ['{"a":1,"b":[ {"c":1.00, "c":1.50e2} ],"a":{"x":1}}', '{"b":[ { "c":1.50e2} ],"a":{"x":1}}'],
    ['{"a":1,"\\u0061":12345678901234567890}', '{"\\u0061":12345678901234567890}'],
    ['{"__proto__":1,"__proto__":{"x":2},"constructor":3}', '{"__proto__":{"x":2},"constructor":3}'],
    [' { } ', ' { } '],
    ['[ ]', '[ ]'],
    ['{"a":"},]\\"","a":"\\\\"}', '{"a":"\\\\"}'],
  ])('the last alone is left: %s', (text, expected) => {
    expect(withoutTwins(bytes(text)).toString()).toBe(expected);
  });

  const member = fc.tuple(
    fc.constantFrom('a', 'b', '\\u0061', '__proto__', 'constructor'),
    fc.json({ maxDepth: 2 }),
  );
  it('the value is the one that was meant, and no twin is left', () => {
    fc.assert(
      fc.property(fc.array(fc.array(member, { maxLength: 6 }), { maxLength: 4 }), (objects) => {
        const text = `[${objects.map((members) => `{${members.map(([name, value]) => `"${name}": ${value}`).join(' ,')}}`).join(',')}]`;
        const cleaned = withoutTwins(bytes(text)).toString();
        expect(parseJson(cleaned, { duplicates: 'reject' })).toEqual(parseJson(text, { duplicates: 'last' }));
      }),
    );
  });
});
