import type { ConfigIssue } from '../model.ts';
import type { Range, Source } from '../source/source.ts';
import { placesOf } from './places.ts';

/** Where an issue stands: counted from 1, columns in characters. */
export interface Location {
  line: number;
  column: number;
  /** How much of the line is meant, at least 1. */
  length: number;
}

/** Null where the source can't be pointed into. */
export function locate(issue: ConfigIssue, source: Source): Location | null {
  if (source.text === null) return null;
  const range = issue.at ?? rangeOf(issue, source);
  return locationOf(range ?? [0, 0], source.text);
}

/** The line, from 1, at which a key stands; null where the source can't be pointed into. */
export function lineOf(path: readonly (string | number)[], source: Source): number | null {
  const range = source.text === null ? null : source.find(path, true);
  return range === null ? null : lineAt(lineStarts(source.text!), range[0]);
}

/** The other of two things that clash. */
export function locateOther(issue: ConfigIssue, source: Source): Location | null {
  if (issue.also === undefined || source.text === null) return null;
  const range = source.find(issue.also.path, issue.also.atKey ?? true);
  return range === null ? null : locationOf(range, source.text);
}

function rangeOf(issue: ConfigIssue, source: Source): Range | null {
  const range = source.find(issue.path, issue.atKey ?? false);
  if (range === null || issue.span === undefined) return range;
  return spanIn(range, issue, source) ?? range;
}

/** Offsets into a value become offsets into the file. */
function spanIn(range: Range, issue: ConfigIssue, source: Source): Range | null {
  const value = valueAt(source.value, issue.path);
  const [start, end] = issue.span!;
  if (typeof value !== 'string') return null;
  const places = placesOf(value, source.text!.slice(range[0], range[1]));
  if (places === null) return null;
  const from = places[start] ?? places.at(-1)!;
  const to = end > start ? (places[end - 1] ?? from) : from;
  return [range[0] + from, range[0] + to + 1];
}

/** What stands at a path of keys. */
export function valueAt(value: unknown, path: readonly (string | number)[]): unknown {
  let at = value;
  for (const step of path) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, step)) return undefined;
    at = (at as Record<string | number, unknown>)[step];
  }
  return at;
}

function locationOf([start, end]: Range, text: string): Location {
  const offset = Math.min(start, text.length);
  const starts = lineStarts(text);
  const line = lineAt(starts, offset);
  const lineStart = starts[line - 1]!;
  const lineEnd = (starts[line] ?? text.length + 1) - 1;
  const meant = text.slice(offset, Math.min(Math.max(end, offset), lineEnd)).trimEnd();
  return { line, column: length(text.slice(lineStart, offset)) + 1, length: Math.max(1, length(meant)) };
}

let lastText = '';
let lastStarts = [0];

/** Offsets at which the lines of a text begin. The last answer is kept: issues come by the file. */
export function lineStarts(text: string): readonly number[] {
  if (text === lastText) return lastStarts;
  lastText = text;
  lastStarts = [0];
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) lastStarts.push(at + 1);
  return lastStarts;
}

/** The line, from 1, that holds an offset. */
function lineAt(starts: readonly number[], offset: number): number {
  let low = 0;
  let high = starts.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (starts[middle]! <= offset) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** In characters as people count them, not in UTF-16 units. */
function length(text: string): number {
  return [...text].length;
}
