/** One thing wrong with a text; `start` and `end` are offsets into it. */
export interface Problem {
  message: string;
  start: number;
  end: number;
  /** How to mend it. */
  advice?: string;
  /** In a value with many texts: the keys that lead to the one meant. */
  path?: readonly (string | number)[];
}

/** An expression or template that can't be compiled; `problems` holds everything that is wrong with it. */
export class ExpressionError extends Error {
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    super(problems.map((problem) => sentence(problem)).join('\n'));
    this.name = 'ExpressionError';
    this.problems = problems;
  }
}

function sentence({ message, advice }: Problem): string {
  return advice === undefined ? message : `${message}; ${advice}`;
}

/**
 * Why an evaluation failed. `absent`: what was read isn't there. `type`: an operation does not take such a
 * value. `budget`: too many steps. `value`: the right type, but not a value that goes (overflow, division by
 * zero, a segment that is `..`). `nul`: CR, LF, NUL or another control character in a header. `null`: what was
 * to be filled in is null.
 */
export type FailureKind = 'absent' | 'type' | 'budget' | 'value' | 'nul' | 'null';

/** Whose value it was: one that the client sent, or any other. */
export type FailureOrigin = 'request' | 'other';

/**
 * An expression that could not be evaluated for this request. Made without a stack, since an absent header
 * in a condition is everyday.
 */
export class EvaluationFailure extends Error {
  readonly kind: FailureKind;
  readonly origin: FailureOrigin;
  private readonly originKnown: boolean;

  constructor(kind: FailureKind, message: string, origin?: FailureOrigin) {
    const limit = Error.stackTraceLimit;
    Error.stackTraceLimit = 0;
    super(message);
    Error.stackTraceLimit = limit;
    this.kind = kind;
    this.origin = origin ?? 'other';
    this.originKnown = origin !== undefined;
  }

  /** The same failure, said of a value with this origin, unless its own is known better. */
  from(origin: FailureOrigin): EvaluationFailure {
    if (this.originKnown || origin === this.origin) return this;
    return new EvaluationFailure(this.kind, this.message, origin);
  }
}
EvaluationFailure.prototype.name = 'EvaluationFailure';
