import type { ConfigIssue } from '../model.ts';

/** Offsets into the text of a file. */
export type Range = readonly [start: number, end: number];

/** A config as it was read: its value, and where in the text each part of it stands. */
export interface Source {
  /** As it is shown to the user. */
  readonly file: string;
  /** Null for a module: nothing in it can be pointed at. */
  readonly text: string | null;
  readonly value: unknown;
  /** Where a path of keys stands, or the nearest thing around it. */
  find(path: readonly (string | number)[], atKey: boolean): Range | null;
  /** Values that must not be printed. */
  secrets(): readonly Range[];
}

/** What parsing gives: with an error in the syntax, `value` is undefined. */
export interface Parsed {
  source: Source;
  issues: ConfigIssue[];
}

/** A source in which nothing can be pointed at but the text itself. */
export function unparsed(file: string, text: string | null): Source {
  return { file, text, value: undefined, find: () => null, secrets: () => [] };
}

export function syntaxIssue(message: string, at: Range, advice?: string): ConfigIssue {
  const issue: ConfigIssue = {
    code: 'TG_CONFIG_SYNTAX',
    severity: 'error',
    path: [],
    at: [at[0], at[1]],
    message,
  };
  if (advice !== undefined) issue.advice = advice;
  return issue;
}
