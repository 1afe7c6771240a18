import type { Params } from '../http/exchange.ts';
import type { PathPattern } from './path-pattern.ts';
import type { SegmentMatcher } from './segment-matcher.ts';

/** Which part of a path goes under which name. `depth` counts segments from 0. */
export type Capture =
  | { readonly kind: 'name'; readonly depth: number; readonly name: string }
  | {
      readonly kind: 'pattern';
      readonly depth: number;
      readonly matcher: SegmentMatcher;
      readonly names: string[];
    }
  | { readonly kind: 'rest'; readonly depth: number; readonly name: string };

/** Null where the pattern has no names. */
export function capturesOf(pattern: PathPattern): Capture[] | null {
  if (pattern.kind !== 'segments') return null;
  const captures: Capture[] = [];
  for (const [depth, segment] of pattern.segments.entries()) {
    if (segment.kind === 'pattern') captures.push({ ...segment, depth });
    else if (segment.kind !== 'literal') captures.push({ kind: segment.kind, depth, name: segment.name });
  }
  return captures;
}

/**
 * An object that inherits nothing (`constructor` in a path is no name of it), yet is as fast as any other:
 * `Object.create(null)` makes a hash table.
 */
class Bag {
  [name: string]: string;
}
Object.setPrototypeOf(Bag.prototype, null);
Reflect.deleteProperty(Bag.prototype, 'constructor');

/** The decoded parameters of a path that matched. */
export function readParams(captures: readonly Capture[], path: string): Params {
  const params = new Bag();
  let at = 0;
  let depth = 0;
  for (const capture of captures) {
    for (; depth < capture.depth; depth++) at = segmentEnd(path, at);
    if (capture.kind === 'rest') {
      params[capture.name] = decode(path.slice(at + 1));
      break;
    }
    const text = decode(path.slice(at + 1, segmentEnd(path, at)));
    if (capture.kind === 'name') {
      params[capture.name] = text;
    } else {
      const values = capture.matcher.capture(text);
      for (let i = 0; i < values.length; i++) params[capture.names[i]!] = values[i]!;
    }
  }
  return params;
}

/** The rest as it stands in the path, with its leading slash; null where there is none among the captures. */
export function restAt(captures: readonly Capture[], path: string): string | null {
  const last = captures[captures.length - 1];
  if (last === undefined || last.kind !== 'rest') return null;
  let at = 0;
  for (let depth = 0; depth < last.depth; depth++) at = segmentEnd(path, at);
  return path.slice(at);
}

/** Where the segment whose slash stands at `at` ends. */
export function segmentEnd(path: string, at: number): number {
  const next = path.indexOf('/', at + 1);
  return next < 0 ? path.length : next;
}

/** Can't fail: normalised paths hold UTF-8 alone, and no sequence crosses a slash. */
export function decode(text: string): string {
  return text.includes('%') ? decodeURIComponent(text) : text;
}
