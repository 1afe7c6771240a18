import type { Headers } from '../../src/http/headers.ts';

/** A message as a parser understood it, whole. Text is latin1. */
export interface Understood {
  /** Method, or status. */
  what: string;
  target: string;
  version: number;
  headers: Headers;
  body: string;
  trailers: Headers;
}

/** What a parser made of a stream of bytes: the messages it took whole, in order, and how it ended. */
export interface Outcome {
  taken: Understood[];
  /** `open`: it waits for more. */
  end: 'open' | 'refused' | 'tunnel';
  /** Why, for the report. */
  why: string;
}

export function describe(outcome: Outcome): string {
  const taken = outcome.taken.map((one) => JSON.stringify(one)).join('\n    ');
  return `${outcome.end} (${outcome.why}) after ${outcome.taken.length} messages\n    ${taken}`;
}
