/** A tag of a change must be the tag of every answer that shows the value, however that spells it in JSON. */
import { describe, expect, it } from 'vitest';
import { compileTemplate, parseJson, responseScope, type Value } from '../../expression/index.ts';
import type { Cell } from '../contract.ts';
import { mappingOf } from '../fixtures.ts';
import { decimalCell, paddedCell, tinyCell } from './values.ts';

const mapping = mappingOf({ 'public.t': ['v:{row.v}'] });

function tagsOfChange(v: Cell): string[] {
  const touched = mapping.touched();
  touched.add({ table: 'public.t', op: 'insert', before: null, after: new Map([['v', v]]) });
  return [...touched.tags];
}

const template = compileTemplate('v:{response.body.v}', responseScope, { pure: true });

function tagOfAnswer(json: string): string {
  const body = parseJson(Buffer.from(`{"v":${json}}`), { duplicates: 'last' });
  const response = new Map<Value, Value>([['body', body]]);
  const get = (name: string) => (name === 'response' ? response : undefined);
  return template.renderAll({ get } as Parameters<typeof template.renderAll>[0])[0]!;
}

describe('a decimal', () => {
  it.each([
    ['19.90', ['19.90', '19.9', '1.990e1', '"19.90"', '"19.9"']],
    ['5.00', ['5', '5.0', '"5.00"']],
    ['0.10000000', ['0.1', '"0.10000000"']],
    ['0.00000012', ['0.00000012', '1.2e-7']],
    ['12345678.123456789', ['12345678.123456789', '12345678.12345679']],
    ['-12345678901234567890.50', ['-12345678901234567890.50', '"-12345678901234567890.50"']],
    ['123456789012345678901234567890', ['123456789012345678901234567890']],
  ])('%s of a numeric column has the tag of each %j', (text, spelled) => {
    for (const json of spelled) expect(tagsOfChange(decimalCell(text))).toContain(tagOfAnswer(json));
  });

  it('that a feed spells as text has the tag of that text and of the number', () => {
    expect(tagsOfChange('19.90')).toEqual(['v:19.90', 'v:19.9']);
    expect(tagsOfChange('5.00')).toEqual(['v:5.00', 'v:5']);
    expect(tagsOfChange('1.2.3')).toEqual(['v:1.2.3']);
    expect(tagsOfChange('007')).toEqual(['v:007']);
  });
});

it('a TINYINT of 0 or 1 has the tags of the number and of the boolean, for some services show the one, some the other', () => {
  expect(tagsOfChange(tinyCell(1n))).toEqual(['v:1', 'v:true']);
  expect(tagsOfChange(tinyCell(0n))).toEqual(['v:0', 'v:false']);
  expect(tagsOfChange(tinyCell(2n))).toEqual(['v:2']);
});

it('a CHAR(n) has the tag of its text with the spaces at its end and of that without, of a feed too', () => {
  expect(tagsOfChange(paddedCell('ab   '))).toEqual(['v:ab', 'v:ab   ']);
  expect(tagsOfChange(paddedCell('a b'))).toEqual(['v:a b']);
  expect(tagsOfChange('ab   ')).toEqual(['v:ab   ', 'v:ab']);
});

describe('a tag of several values', () => {
  const wide = mappingOf({ 'public.t': ['{row.a}:{row.b}:{row.c}:{row.d}', 'x:{row.b}'] });
  const tagsOf = (row: Record<string, Cell>) => {
    const touched = wide.touched();
    touched.add({ table: 'public.t', op: 'insert', before: null, after: new Map(Object.entries(row)) });
    return [...touched.tags];
  };

  it('has each spelling of one beside each of the others', () => {
    const tags = tagsOf({ a: decimalCell('1.50'), b: tinyCell(1n), c: 7n, d: 'd' });
    expect(tags).toEqual(['1.5:1:7:d', '1.50:1:7:d', '1.5:true:7:d', '1.50:true:7:d', 'x:1', 'x:true']);
  });

  it('is all that its template could have yielded where there are too many', () => {
    const long = decimalCell('12345678.12345678900');
    const tags = tagsOf({ a: long, b: long, c: long, d: long });
    expect(tags).toContain(wide.families[0]);
    expect(tags).toContain('x:12345678.12345678900');
    expect(tags).not.toContain(wide.families[1]);
  });
});

it('a text that looks like a decimal may be asked for what only a text has', () => {
  const complaints: string[] = [];
  const lower = mappingOf({ 'public.t': ['v:{row.v.lowerAscii()}'] }, (_table, why) => complaints.push(why));
  const touched = lower.touched();
  touched.add({ table: 'public.t', op: 'insert', before: null, after: new Map([['v', '19.90']]) });
  expect([...touched.tags]).toEqual(['v:19.90']);
  expect(touched.skipped).toBe(0);
  expect(complaints).toEqual([]);
});
