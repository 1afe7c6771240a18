import { expect, it } from 'vitest';
import { Exchange, type Origin, type Responder } from '../http/exchange.ts';
import type { Headers } from '../http/headers.ts';
import {
  CelType,
  compileExpression,
  DOUBLE,
  Duration,
  DYN,
  EvaluationFailure,
  ExchangeVariables,
  ExpressionError,
  extendScope,
  INT,
  LayeredVariables,
  type Problem,
  parseJson,
  requestScope,
  type Scope,
  Timestamp,
  Uint,
  type Value,
  type Variables,
} from './index.ts';
import { hasMembers } from './value.ts';

/** What the expressions of the tests see beside `request`. */
export const tableScope: Scope = extendScope(requestScope, {
  x: DYN,
  y: DYN,
  i: INT,
  d: DOUBLE,
  j: DYN,
  missing: DYN,
});

export const tableVariables = (): Variables =>
  new LayeredVariables(new ExchangeVariables(exchangeOf('/orders/42?a=1&a=2&b=x+y')), {
    x: 5n,
    y: 2.5,
    i: 7n,
    d: 0.5,
    j: parseJson(
      '{"n":1,"f":1.5,"s":"text","l":[1,2,3],"o":{"constructor":"c","__proto__":"p"},"z":null,"big":123456789012345678901234567890,"e":[]}',
      { duplicates: 'reject' },
    ),
  });

const origin: Origin = { listener: 'main', scheme: 'http', address: '192.0.2.7', port: 80 };
const responder: Responder = { inform: () => {}, respond: () => {} };

/** A request as the pipeline hands it on. */
export function exchangeOf(
  target: string,
  headers: Headers = [],
  params: Record<string, string> = {},
): Exchange {
  const exchange = new Exchange(origin, responder, 'GET', target, 'shop.example:8080', 11, headers, null, 0);
  const mark = target.indexOf('?');
  exchange.path = mark < 0 ? target : target.slice(0, mark);
  exchange.query = mark < 0 ? null : target.slice(mark + 1);
  exchange.host = 'shop.example';
  exchange.id = 'r-1';
  exchange.params = params;
  return exchange;
}

/** A value as one would write it in CEL. */
export function show(value: Value): string {
  if (typeof value === 'number') return Number.isInteger(value) ? value.toFixed(1) : String(value);
  if (typeof value === 'string') return JSON.stringify(value);
  if (value === null || typeof value === 'bigint' || typeof value === 'boolean') return String(value);
  if (value instanceof Uint) return `${value.value}u`;
  if (value instanceof Uint8Array) return `b"${Buffer.from(value).toString('hex')}"`;
  if (value instanceof Timestamp) return new Date(Number(value.nanoseconds / 1_000_000n)).toISOString();
  if (value instanceof Duration) return `${Number(value.nanoseconds) / 1e6}ms`;
  if (value instanceof CelType) return value.name;
  if (Array.isArray(value)) return `[${value.map(show).join(', ')}]`;
  if (!hasMembers(value)) throw new Error('no CEL value');
  return `{${[...value.entries()].map(([key, member]) => `${show(key)}: ${show(member)}`).join(', ')}}`;
}

/**
 * Gives the value as CEL text; `!kind` where the evaluation fails, `?` and the first problem's message where
 * it is refused when loaded.
 */
export function outcome(source: string, scope = tableScope, variables = tableVariables()): string {
  try {
    return show(compileExpression(source, scope).evaluate(variables));
  } catch (error) {
    if (error instanceof EvaluationFailure) return `!${error.kind}`;
    if (error instanceof ExpressionError) return `? ${error.problems[0]!.message}`;
    throw error;
  }
}

/** Each line is one promise: `expression  =>  value`. A line that begins with `#` is a heading. */
export function checkTable(table: string): void {
  const rows = table.split('\n').filter((line) => line.trim() !== '' && !line.trim().startsWith('#'));
  it.each(rows.map((row) => row.trim().split(/\s+=>\s+/) as [string, string]))(
    '%s is %s',
    (source, expected) => {
      expect(outcome(source)).toBe(expected);
    },
  );
}

/** What `compile` finds wrong, each with the text that is meant. */
export function problemsOf(source: string, compile: (source: string) => unknown): string[] {
  try {
    compile(source);
    return [];
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error;
    return error.problems.map((problem) => told(source, problem));
  }
}

function told(source: string, { message, advice, start, end }: Problem): string {
  const word = source.slice(start, end);
  return `${word} @${start}: ${message}${advice === undefined ? '' : `; ${advice}`}`;
}

/** The failure that `run` ends in. */
export function failureOf(run: () => unknown): EvaluationFailure {
  try {
    run();
  } catch (error) {
    if (error instanceof EvaluationFailure) return error;
    throw error;
  }
  throw new Error('it did not fail');
}
