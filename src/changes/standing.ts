import type { SourceStatus } from './contract.ts';
import type { ToldRows } from './feed.ts';
import type { Settling } from './news.ts';

/** What holds of a source for every node, as its reader tells it. */
export interface Standing {
  /** Hash of the mapping that its changes are read with. */
  readonly mapping: string;
  /** The last one applied; null: none yet. */
  readonly position: string | null;
  /** Nothing that it feeds may be answered from the cache. */
  readonly closed: boolean;
  readonly state: SourceStatus;
  readonly error: string | null;
  /** Milliseconds since all was applied that there was, when it was told; null: that isn't known. */
  readonly age: number | null;
}

/** What only those need to hear who listen when it is told. */
export interface StandingEvent {
  readonly begins?: Settling;
  readonly ends?: string;
  /** What was changed, for people. */
  readonly changed?: ToldRows;
}

export function encodeStanding({ mapping, position, closed, state, error, age }: Standing): string {
  return JSON.stringify([mapping, position, closed ? 1 : 0, state, error, age]);
}

/** Null for what another version has written: then nothing is known of the source. */
export function decodeStanding(text: string): Standing | null {
  try {
    const [mapping, position, closed, state, error, age = null] = JSON.parse(text);
    if (typeof mapping !== 'string') return null;
    return { mapping, position, closed: closed === 1, state, error, age };
  } catch {
    return null;
  }
}

export function encodeEvent({ begins, ends, changed }: StandingEvent): string | null {
  if (begins === undefined && ends === undefined && changed === undefined) return null;
  return JSON.stringify({ ...(begins && { begins }), ...(ends && { ends }), ...(changed && { changed }) });
}

/** Empty for what another version has written. */
export function decodeEvent(text: string | null): StandingEvent {
  if (text === null) return {};
  try {
    return JSON.parse(text) as StandingEvent;
  } catch {
    return {};
  }
}
