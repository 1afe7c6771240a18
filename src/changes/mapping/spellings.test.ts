/** A tag of a change must be the tag of every answer that shows the value, however that spells it in JSON. */
import { describe, expect, it } from 'vitest';
import { compileTemplate, parseJson, responseScope, type Value } from '../../expression/index.ts';
import { mappingOf } from '../fixtures.ts';
import { decimalValue } from './values.ts';

const mapping = mappingOf({ 'public.t': ['v:{row.v}'] });

function tagsOfChange(v: Value): string[] {
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
    ['19.90', ['19.90', '19.9', '1.990e1']],
    ['0.00000012', ['0.00000012', '1.2e-7']],
    ['12345678.123456789', ['12345678.123456789', '12345678.12345679']],
    ['-12345678901234567890.50', ['-12345678901234567890.50']],
    ['123456789012345678901234567890', ['123456789012345678901234567890']],
  ])('%s of a numeric column has the tag of each %j', (text, spelled) => {
    for (const json of spelled) expect(tagsOfChange(decimalValue(text))).toContain(tagOfAnswer(json));
  });

  it('that a feed spells as text has the tag of that text and of the number', () => {
    expect(tagsOfChange('19.90')).toEqual(['v:19.90', 'v:19.9']);
    expect(tagsOfChange('5.00')).toEqual(['v:5.00', 'v:5']);
    expect(tagsOfChange('1.2.3')).toEqual(['v:1.2.3']);
    expect(tagsOfChange('007')).toEqual(['v:007']);
  });
});
