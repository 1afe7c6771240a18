/** What `check --connect` finds of a source: nothing is made or changed. */
export interface SourceFinding {
  /** Null: it is in order. */
  readonly error: string | null;
  /** What would work, but worse than it could. */
  readonly advice: readonly string[];
}

export const IN_ORDER: SourceFinding = { error: null, advice: [] };
