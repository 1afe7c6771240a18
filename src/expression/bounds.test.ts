import { describe, expect, it } from 'vitest';
import { cpuTimeOf } from '../testkit/index.ts';
import { failureOf, problemsOf } from './fixtures.ts';
import { compileExpression, compileTemplate, DYN, extendScope, requestScope, type Value } from './index.ts';

const scope = extendScope(requestScope, { list: DYN, text: DYN, part: DYN, map: DYN });

function run(source: string, values: Record<string, Value>, budget?: number): Value {
  const program = compileExpression(source, scope, budget === undefined ? {} : { budget });
  return program.evaluate({ get: (name) => values[name] });
}

/** How a run under attack ends, and that it ends soon: far below what one slow request may hold a worker. */
function endsSoon(source: string, values: Record<string, Value>): string {
  let kind = '';
  const taken = cpuTimeOf(() => {
    kind = failureOf(() => run(source, values)).kind;
  });
  expect(taken).toBeLessThan(250);
  return kind;
}

const numbers = (count: number): Value[] => Array.from({ length: count }, (_, i) => BigInt(i));

describe('attacks on the time of a worker', () => {
  it('a pattern that backtracks for ever elsewhere takes linear time', () => {
    const short = { text: `${'a'.repeat(30)}!` };
    const taken = cpuTimeOf(() => {
      expect(run('text.matches("(a|a)*$") && !text.matches("^(a|a)*$")', short)).toBe(true);
      expect(run('text.matches("(a*)*b")', { text: 'a'.repeat(10_000) })).toBe(false);
    });
    expect(taken).toBeLessThan(250);
  });

  it('three loops in one another are refused when the config is loaded', () => {
    const problems = problemsOf('list.all(a, list.all(b, list.all(c, a + b + c >= 0)))', (source) =>
      compileExpression(source, scope),
    );
    expect(problems).toEqual([
      'list.all(c, a + b + c >= 0) @24: all() nests more than 2 loops; at most two loops may stand inside each other',
    ]);
  });

  it('two loops over 5,000 items end when the budget does', () => {
    expect(endsSoon('list.all(a, list.all(b, a + b >= 0))', { list: numbers(5000) })).toBe('budget');
  });

  it('a budget that is used up is absorbed by no "||"', () => {
    expect(endsSoon('list.all(a, list.all(b, a + b >= 0)) || true', { list: numbers(5000) })).toBe('budget');
    expect(endsSoon('list.exists(a, list.all(b, a + b >= 0) || true)', { list: numbers(200_000) })).toBe(
      'budget',
    );
  });

  it.each([
    ['list.map(a, list.map(b, text))', 'many texts'],
    ['list.map(a, text + text)', 'joined texts'],
    ['list.map(a, list + list)', 'joined lists'],
    ['text.replace("", text)', 'a text put between all characters of itself'],
    ['text.replace("a", text)', 'a text put for all characters of itself'],
    ['list.map(a, text).join(text)', 'a long separator'],
    ['list.map(a, text.split(""))', 'texts taken apart'],
    ['list.map(a, list).flatten().map(b, list).flatten()', 'flattened lists'],
    ['list.map(a, json(list))', 'the JSON of long lists'],
    ['list.map(a, merge(map, map))', 'merged maps'],
    ['list.map(a, list.sort())', 'sorted lists'],
    ['list.map(a, list.distinct())', 'lists without duplicates'],
    ['list.filter(a, list == list.map(b, b))', 'compared lists'],
    ['list.filter(a, a in list.map(b, b))', 'searched lists'],
    ['list.filter(a, text.contains(part))', 'a part that is nearly everywhere'],
    ['list.map(a, text.indexOf(part))', 'the place of such a part'],
    ['list.map(a, text.split(part))', 'texts split at such a part'],
    ['list.map(a, text.replace(part, ""))', 'such a part replaced'],
    ['list.filter(a, text.matches("a+b"))', 'long texts matched'],
    ['list.map(a, sha256(text))', 'hashes of long texts'],
    ['list.map(a, base64(text))', 'base64 of long texts'],
    ['list.map(a, text.lowerAscii().upperAscii().trim())', 'long texts changed'],
    ['list.filter(a, text == part + part)', 'long texts compared'],
    ['list.map(a, timestamp(a).getHours("Zone/" + string(a)))', 'time zones that do not exist'],
    ['list.map(a, inCidr("10.0.0.1", list.map(b, "10.0.0.0/8")))', 'address ranges read at run time'],
  ])('%s ends soon: %s', (source) => {
    const values = {
      list: numbers(3000),
      text: 'a'.repeat(50_000),
      part: `${'a'.repeat(500)}b${'a'.repeat(500)}`,
      map: new Map<Value, Value>(numbers(3000).map((i) => [i, i])),
    };
    expect(['budget', 'value']).toContain(endsSoon(source, values));
  });

  it('a part chosen to make a search slow is found, or not, in linear time', () => {
    const text = 'a'.repeat(500_000);
    const part = `${'a'.repeat(1000)}b${'a'.repeat(1000)}`;
    const taken = cpuTimeOf(() => {
      expect(run('text.contains(part)', { text, part })).toBe(false);
      expect(run('(text + part).indexOf(part) == 500000', { text, part }, 1_000_000)).toBe(true);
    });
    expect(taken).toBeLessThan(250);
  });

  it('combinations of several lists in one template end with the budget', () => {
    const template = compileTemplate('{list}{list}', scope);
    const values = { list: numbers(3000) };
    expect(failureOf(() => template.renderAll({ get: (name) => values[name as 'list'] })).kind).toBe(
      'budget',
    );
  });
});

describe('the budget', () => {
  it('lets 1,000 items through a loop of ordinary size', () => {
    expect(run('list.filter(i, i % 2 == 0 && i > 10).map(i, i * 2).size()', { list: numbers(1000) })).toBe(
      494n,
    );
  });

  it('lets a body of 1 MiB be hashed and written as JSON', () => {
    expect(run('sha256(text).size()', { text: 'x'.repeat(2 ** 20) })).toBe(64n);
    expect(run('json(text).size() > 1000', { text: 'x'.repeat(2 ** 19) })).toBe(true);
  });

  it('is as large as its key says', () => {
    expect(failureOf(() => run('list.all(i, i >= 0)', { list: numbers(100) }, 50)).kind).toBe('budget');
    expect(run('list.all(a, list.all(b, a + b >= 0))', { list: numbers(400) }, 1_000_000)).toBe(true);
  });
});

describe('sources that are too deep', () => {
  const deep = (count: number, open: string, close: string): string =>
    open.repeat(count) + 1 + close.repeat(count);

  it.each([
    ['brackets', deep(5000, '(', ')')],
    ['lists', deep(5000, '[', ']')],
    ['signs', `${'-'.repeat(5000)}x`],
    ['sums', Array(5000).fill('1').join(' + ')],
    ['members', `request${'.a'.repeat(5000)}`],
    ['conditions', `${'true ? 1 : '.repeat(5000)}1`],
  ])('%s are refused, not a crash', (_, source) => {
    expect(problemsOf(source, (text) => compileExpression(text, scope))[0]).toMatch(
      /nests more than 250 levels/,
    );
  });

  it('a thousand alternatives are fine', () => {
    const source = Array.from({ length: 1000 }, (_, i) => `request.method == "M${i}"`).join(' || ');
    expect(compileExpression(source, scope).mentions).toEqual(new Set(['request.method']));
  });
});
