/** A path pattern that can't be understood. `start` and `end` are offsets into the pattern's text. */
export class PathPatternError extends Error {
  readonly start: number;
  readonly end: number;
  /** What to write instead. */
  readonly advice?: string;

  constructor(message: string, start: number, end: number, advice?: string) {
    super(message);
    this.name = 'PathPatternError';
    this.start = start;
    this.end = end;
    if (advice !== undefined) this.advice = advice;
  }
}
