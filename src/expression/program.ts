import type { Expression } from '../config/model.ts';
import { Compiler } from './compiler.ts';
import { EvaluationFailure, ExpressionError, type FailureOrigin } from './failure.ts';
import { DEFAULT_BUDGET, Frame } from './frame.ts';
import { originOf } from './mentions.ts';
import { compileFunction } from './native.ts';
import { parseExpression } from './parse.ts';
import type { Scope } from './scope.ts';
import { accepts, BOOL, DYN, INT, LIST, STRING, type Type, typeName, typeText } from './types.ts';
import type { Value, Variables } from './value.ts';
import { type CallKinds, verbatimNodes } from './verbatim.ts';

/** A compiled expression. */
export interface Program {
  /** Throws an EvaluationFailure. */
  evaluate(variables: Variables): Value;
  /**
   * What it reads, as dotted paths with all their beginnings: `request.headers`, `request.headers.x-a`,
   * `params.id`. A variable's bare name is there only where the whole of it is used.
   */
  readonly mentions: ReadonlySet<string>;
}

export interface ExpressionOptions {
  /** Anything else is an error, now or at run time. */
  readonly expects?: 'bool' | 'int' | 'string' | 'list' | 'any';
  /** Steps that one evaluation may take. */
  readonly budget?: number;
  /** Refuses `now()`: the same request gives the same value. */
  readonly pure?: boolean;
  /** Calls whose bodies may be taken over as they came, as a `Verbatim`, where nothing looks into them. */
  readonly verbatim?: CallKinds;
}

const EXPECTED: Readonly<Record<NonNullable<ExpressionOptions['expects']>, Type>> = {
  bool: BOOL,
  int: INT,
  string: STRING,
  list: LIST,
  any: DYN,
};

/** Compiles CEL, or takes a function from a TypeScript config. Throws an ExpressionError with all problems. */
export function compileExpression(
  source: Expression,
  scope: Scope,
  options: ExpressionOptions = {},
): Program {
  const expected = EXPECTED[options.expects ?? 'any'];
  const { run, mentions } =
    typeof source === 'function'
      ? compileFunction(source, scope)
      : compileText(source, scope, expected, options);
  const budget = options.budget ?? DEFAULT_BUDGET;
  const origin = originOf(mentions);
  const evaluate = (variables: Variables): Value => {
    try {
      const value = run(new Frame(variables, budget));
      if (expected.kind !== 'dyn' && !isExpected(expected, value)) throw unexpected(expected, value);
      return value;
    } catch (error) {
      throw failureFrom(error, origin);
    }
  };
  return { evaluate, mentions };
}

function compileText(source: string, scope: Scope, expected: Type, options: ExpressionOptions) {
  const node = parseExpression(source);
  const compiler = new Compiler(source, scope, options.pure ?? false);
  if (options.verbatim !== undefined) compiler.verbatim = verbatimNodes(node, options.verbatim);
  const { type, run } = compiler.compile(node);
  if (!accepts(expected, type))
    compiler.problem(node, `this must be ${typeText(expected)}, but is ${typeText(type)}`);
  if (compiler.problems.length > 0) throw new ExpressionError(compiler.problems);
  return { run, mentions: compiler.mentions };
}

function isExpected(expected: Type, value: Value): boolean {
  if (expected.kind === 'bool') return typeof value === 'boolean';
  if (expected.kind === 'int') return typeof value === 'bigint';
  return expected.kind === 'string' ? typeof value === 'string' : Array.isArray(value);
}

function unexpected(expected: Type, value: Value): EvaluationFailure {
  return new EvaluationFailure('type', `the value must be ${typeText(expected)}, but is ${typeName(value)}`);
}

/** Whatever an evaluation threw (a text too long for the engine, say) as a failure. */
export function failureFrom(error: unknown, origin: FailureOrigin): EvaluationFailure {
  if (error instanceof EvaluationFailure) return error.from(origin);
  return new EvaluationFailure('value', error instanceof Error ? error.message : String(error), origin);
}
