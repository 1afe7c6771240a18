import { EvaluationFailure } from './failure.ts';
import type { Value, Variables } from './value.ts';

/** Steps that one evaluation may take, unless its compiler says otherwise. */
export const DEFAULT_BUDGET = 100_000;

/** Characters that are made or read for one step. */
const CHARACTERS_PER_STEP = 16;

const EXHAUSTED = new EvaluationFailure('budget', 'the expression takes more steps than one evaluation may');

/** One evaluation: its variables, the steps it has left, and the variables of its (at most two) loops. */
export class Frame {
  readonly variables: Variables;
  private left: number;
  outer: Value = null;
  inner: Value = null;

  constructor(variables: Variables, budget: number) {
    this.variables = variables;
    this.left = budget;
  }

  spend(steps: number): void {
    this.left -= steps;
    if (this.left < 0) throw EXHAUSTED;
  }

  /** Pays for text of this length. */
  spendText(length: number): void {
    this.spend(1 + length / CHARACTERS_PER_STEP);
  }
}
