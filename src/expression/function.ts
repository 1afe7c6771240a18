import { EvaluationFailure } from './failure.ts';
import type { Frame } from './frame.ts';
import type { Type } from './types.ts';
import type { Value } from './value.ts';

/** `method`: `x.f(y)`; `global`: `f(x, y)`; `either`. */
export type CallStyle = 'method' | 'global' | 'either';

/** One way to call a function: the receiver is the first parameter. */
export interface Overload {
  readonly params: readonly Type[];
  /** May depend on the types of the arguments. */
  readonly result: Type | ((args: readonly Type[]) => Type);
  // biome-ignore lint/suspicious/noExplicitAny: the compiler sees to it that arguments fit `params`
  readonly run: (frame: Frame, ...args: any[]) => Value;
}

export interface FunctionEntry {
  readonly style: CallStyle;
  readonly overloads: readonly Overload[];
}

export type FunctionTable = Readonly<Record<string, FunctionEntry>>;

export function overload(
  params: readonly Type[],
  result: Overload['result'],
  run: Overload['run'],
): Overload {
  return { params, result, run };
}

export const method = (...overloads: Overload[]): FunctionEntry => ({ style: 'method', overloads });
export const global = (...overloads: Overload[]): FunctionEntry => ({ style: 'global', overloads });
export const either = (...overloads: Overload[]): FunctionEntry => ({ style: 'either', overloads });

/** An argument of the right type whose value does not go. */
export function badValue(message: string): EvaluationFailure {
  return new EvaluationFailure('value', message);
}
