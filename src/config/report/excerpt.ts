import { MASK } from '../../util/secret.ts';
import { isReference } from '../../util/secret-looks.ts';
import type { Source } from '../source/source.ts';
import { type Location, lineStarts } from './locate.ts';
import { secretsByLook } from './secrets.ts';

/** A line as it may be shown. */
export interface ShownLine {
  line: string;
  /** What stands before the mark, as white space of the same width. */
  pad: string;
  /** Characters to mark. */
  length: number;
}

/** Longer lines (a minified file) are cut to what stands around the mark. */
const WIDEST = 110;

/** The line of a location: without its secrets, cut to a readable width, with the mark moved accordingly. */
export function shownLine(location: Location, source: Source): ShownLine {
  const { text, start } = lineAt(source.text ?? '', location.line);
  const characters = [...text];
  const mark = location.column - 1;
  const before = characters.slice(0, mark).join('').length;
  const meant = characters.slice(mark, mark + location.length).join('').length;
  const masked = mask(text, before, before + meant, [
    ...rangesWithin(text, start, source),
    ...secretsByLook(text),
  ]);
  const { line, from, to } = cut(masked);
  const pad = [...line.slice(0, from)].map(blank).join('');
  return { line, pad, length: Math.max(1, columnsOf(line.slice(from, to))) };
}

/** A terminal gives these two columns. */
const WIDE =
  /[\p{Script=Han}\p{Script=Hangul}\p{Script=Hiragana}\p{Script=Katakana}\p{Emoji_Presentation}\u3000-\u303e\uff01-\uff60]/u;
/** And these none. */
const NARROWEST = /\p{Mn}|\p{Me}|\p{Cf}/u;
const WIDE_SPACE = '\u3000';

/** White space as wide as the character, so that the mark stands below what is meant. */
function blank(character: string): string {
  if (character === '\t') return '\t';
  if (NARROWEST.test(character)) return '';
  return WIDE.test(character) ? WIDE_SPACE : ' ';
}

function columnsOf(text: string): number {
  return [...text].reduce((sum, one) => sum + (NARROWEST.test(one) ? 0 : WIDE.test(one) ? 2 : 1), 0);
}

function lineAt(text: string, number: number): { text: string; start: number } {
  const start = lineStarts(text)[number - 1] ?? 0;
  const end = text.indexOf('\n', start);
  const line = text.slice(start, end < 0 ? text.length : end).replace(/\r$/, '');
  // A terminal would obey them.
  return { text: line.replace(/[\x00-\x08\x0b-\x1f\x7f]/g, '\ufffd'), start };
}

function rangesWithin(line: string, lineStart: number, source: Source): (readonly [number, number])[] {
  const ranges: [number, number][] = [];
  for (const [start, end] of source.secrets()) {
    const from = Math.max(start - lineStart, 0);
    const to = Math.min(end - lineStart, line.length);
    if (from < to && !isReference(line.slice(from, to))) ranges.push([from, to]);
  }
  return ranges;
}

interface Marked {
  line: string;
  from: number;
  to: number;
}

/** Replaces each range by a mask; offsets of the mark follow. */
function mask(line: string, from: number, to: number, ranges: (readonly [number, number])[]): Marked {
  const sorted = [...ranges].sort((a, b) => a[0] - b[0]);
  let result = '';
  let at = 0;
  const moved = { from, to };
  for (const [start, end] of sorted) {
    if (end <= at) continue;
    const begin = Math.max(start, at);
    if (begin === at && at > 0 && result.endsWith(MASK)) {
      at = end;
      continue;
    }
    const left = result.length + (begin - at);
    if (from >= end) moved.from = from + (left + MASK.length - end);
    else if (from > begin) moved.from = left;
    if (to >= end) moved.to = to + (left + MASK.length - end);
    else if (to > begin) moved.to = left + MASK.length;
    result += line.slice(at, begin) + MASK;
    at = end;
  }
  return { line: result + line.slice(at), ...moved };
}

function cut({ line, from, to }: Marked): Marked {
  if (line.length <= WIDEST) return { line, from, to };
  const start = Math.max(0, Math.min(from - 40, line.length - WIDEST));
  const end = Math.min(line.length, start + WIDEST);
  const head = start > 0 ? '…' : '';
  const tail = end < line.length ? '…' : '';
  const shift = head.length - start;
  return { line: head + line.slice(start, end) + tail, from: from + shift, to: Math.min(to, end) + shift };
}
