import { ExpressionError } from './failure.ts';

const SIMPLE: Record<string, string> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
  '?': '?',
  '"': '"',
  "'": "'",
  '`': '`',
};
const ESCAPE =
  /\\(?:([abfnrtv\\?"'`])|[xX]([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-3][0-7]{2})|([\s\S]?))|[^\\]+/g;

/** The text that a string literal between its quotes stands for. `at` is its offset, for error messages. */
export function readText(literal: string, raw: boolean, at: number): string {
  if (raw || !literal.includes('\\')) return literal;
  let text = '';
  for (const match of literal.matchAll(ESCAPE)) {
    const [whole, simple, hex, short, long, octal] = match;
    if (simple !== undefined) text += SIMPLE[simple]!;
    else if (hex ?? short ?? long)
      text += codePoint(Number.parseInt((hex ?? short ?? long)!, 16), whole, at + match.index);
    else if (octal !== undefined) text += String.fromCharCode(Number.parseInt(octal, 8));
    else text += whole.startsWith('\\') ? unknownEscape(whole, at + match.index) : whole;
  }
  return text;
}

/** The bytes that a bytes literal stands for: its characters in UTF-8, `\xHH` and octals as single bytes. */
export function readBytes(literal: string, raw: boolean, at: number): Uint8Array {
  if (raw || !literal.includes('\\')) return Buffer.from(literal);
  const parts: Buffer[] = [];
  for (const match of literal.matchAll(ESCAPE)) {
    const [whole, simple, hex, short, long, octal] = match;
    if (simple !== undefined) parts.push(Buffer.from(SIMPLE[simple]!));
    else if (hex !== undefined) parts.push(Buffer.of(Number.parseInt(hex, 16)));
    else if (octal !== undefined) parts.push(Buffer.of(Number.parseInt(octal, 8)));
    else if (short ?? long) unknownEscape(whole, at + match.index);
    else parts.push(Buffer.from(whole.startsWith('\\') ? unknownEscape(whole, at + match.index) : whole));
  }
  return Buffer.concat(parts);
}

function codePoint(code: number, written: string, at: number): string {
  if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) {
    throw new ExpressionError([
      { message: `${written} is no Unicode character`, start: at, end: at + written.length },
    ]);
  }
  return String.fromCodePoint(code);
}

function unknownEscape(written: string, at: number): never {
  const advice = 'write \\\\ for a backslash, or r"…" for a text without escapes';
  throw new ExpressionError([
    { message: `${written} is no escape sequence here`, start: at, end: at + written.length, advice },
  ]);
}
