/** What a text means; how that looks is the terminal's. */
export type Tone = 'plain' | 'strong' | 'quiet' | 'good' | 'look' | 'act';

/** A part of a line. */
export type Piece = readonly [text: string, tone?: Tone];
export type Line = readonly Piece[];

const CODES: Readonly<Record<Tone, string>> = {
  plain: '',
  strong: '\x1b[1m',
  quiet: '\x1b[2m',
  good: '\x1b[36m',
  look: '\x1b[33m',
  act: '\x1b[31m',
};
const RESET = '\x1b[0m';

/** A line as text, at most so many columns wide: what is cut off says so. */
export function paint(line: Line, columns: number, colour: boolean): string {
  let left = columns;
  let text = '';
  for (const [piece, tone = 'plain'] of line) {
    const shown = fitted(piece, left);
    left -= widthOf(shown);
    text += colour && CODES[tone] !== '' && shown !== '' ? `${CODES[tone]}${shown}${RESET}` : shown;
    if (shown !== harmless(piece)) break;
  }
  return text.trimEnd();
}

/** A text, at most so many columns wide. */
export function fitted(text: string, columns: number): string {
  const clean = harmless(text);
  if (widthOf(clean) <= columns) return clean;
  let width = 0;
  let kept = '';
  for (const point of clean) {
    width += widthOf(point);
    if (width > columns - 1) break;
    kept += point;
  }
  return columns < 1 ? '' : `${kept}…`;
}

/** A text on as many lines as it takes, broken between words. */
export function wrapped(text: string, columns: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const line = lines.at(-1);
    if (line === undefined || widthOf(line) + 1 + widthOf(word) > columns) lines.push(word);
    else lines[lines.length - 1] = `${line} ${word}`;
  }
  return lines;
}

/** A text in a column of a table: cut or filled up with spaces, numbers to the right. */
export function cell(text: string, columns: number, right = false): string {
  const shown = fitted(text, columns);
  const gap = ' '.repeat(Math.max(0, columns - widthOf(shown)));
  return right ? gap + shown : shown + gap;
}

/** Names and keys come from configs and databases: none of them steers the terminal. */
function harmless(text: string): string {
  return text.replaceAll(/[\x00-\x1f\x7f-\x9f\u200b\u200e\u200f\u2028-\u202e\u2066-\u2069]/g, '·');
}

const WIDE =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/u;

/** Columns that a text takes up. */
export function widthOf(text: string): number {
  if (/^[\x20-\x7e]*$/.test(text)) return text.length;
  let width = 0;
  for (const point of text) if (!/\p{Mn}|\p{Me}|\u200d/u.test(point)) width += WIDE.test(point) ? 2 : 1;
  return width;
}
