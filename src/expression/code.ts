import type { Frame } from './frame.ts';
import type { Type } from './types.ts';
import type { Value } from './value.ts';

export type Run = (frame: Frame) => Value;

/** A compiled piece of an expression. */
export interface Code {
  readonly type: Type;
  readonly run: Run;
  /** There where the value is the same for every evaluation. */
  readonly constant?: Value;
}

export function constantCode(type: Type, value: Value): Code {
  return { type, run: () => value, constant: value };
}
