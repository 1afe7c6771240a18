import { ExpressionError } from './failure.ts';
import { readBytes, readText } from './literals.ts';
import { Uint, type Value } from './value.ts';

export type TokenKind = 'end' | 'name' | 'quotedName' | 'literal' | 'operator';

/** `text` is the name or operator as written; `value` counts for literals alone. */
export interface Token {
  kind: TokenKind;
  text: string;
  value: Value;
  start: number;
  end: number;
}

const SPACE = /(?:[ \t\n\r\f]|\/\/[^\n]*)*/y;
const NAME = /[A-Za-z_][A-Za-z0-9_]*/y;
const QUOTED_NAME = /`([A-Za-z0-9_./ -]+)`/y;
const NUMBER =
  /0[xX][0-9a-fA-F]+[uU]?|(?:\d+\.\d+(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?|\d+[eE][+-]?\d+)|\d+[uU]?/y;
const STRING = /([rR]?[bB]?|[bB][rR])("""|'''|"|')/y;
const OPERATOR = /\|\||&&|==|!=|<=|>=|[<>+\-*/%!?:.,()[\]{}]/y;

const INT_MAX = 2n ** 63n;
const UINT_MAX = 2n ** 64n - 1n;

/** Reads the token at or after `from`. Throws an ExpressionError for what is none. */
export function readToken(source: string, from: number): Token {
  const start = matchAt(SPACE, source, from)!.length + from;
  if (start >= source.length)
    return { kind: 'end', text: '', value: null, start: source.length, end: source.length };
  const opening = execAt(STRING, source, start);
  if (opening !== null) return readString(source, start, opening[1]!.toLowerCase(), opening[2]!);
  const name = matchAt(NAME, source, start);
  if (name !== null) return { kind: 'name', text: name, value: null, start, end: start + name.length };
  const number = matchAt(NUMBER, source, start);
  if (number !== null) return readNumber(source, start, number);
  const operator = matchAt(OPERATOR, source, start);
  if (operator !== null)
    return { kind: 'operator', text: operator, value: null, start, end: start + operator.length };
  const quoted = execAt(QUOTED_NAME, source, start);
  if (quoted !== null)
    return { kind: 'quotedName', text: quoted[1]!, value: null, start, end: start + quoted[0].length };
  return unexpected(source, start);
}

function unexpected(source: string, at: number): never {
  const character = String.fromCodePoint(source.codePointAt(at)!);
  throw syntaxError(`"${character}" is not part of CEL`, at, at + character.length, SIMILAR[character]);
}

const SIMILAR: Record<string, string> = {
  '=': 'equality is written ==',
  '&': 'and is written &&',
  '|': 'or is written ||',
  '“': 'texts stand in straight quotes',
  '”': 'texts stand in straight quotes',
};

function readNumber(source: string, start: number, text: string): Token {
  const end = start + text.length;
  const next = matchAt(NAME, source, end);
  if (next !== null)
    throw syntaxError(`"${text}${next}" is neither a number nor a name`, start, end + next.length);
  return { kind: 'literal', text, value: numberValue(text, start, end), start, end };
}

function numberValue(text: string, start: number, end: number): Value {
  if (/^\d*\.|^\d+[eE]/.test(text)) {
    const value = Number(text);
    if (!Number.isFinite(value)) throw syntaxError(`${text} is larger than any double`, start, end);
    return value;
  }
  if (/[uU]$/.test(text)) {
    const value = BigInt(text.slice(0, -1));
    if (value > UINT_MAX) throw syntaxError(`${text} is larger than any uint`, start, end);
    return new Uint(value);
  }
  const value = BigInt(text);
  // 2^63 itself is an int only behind a minus sign; the parser sees to that.
  if (value > INT_MAX) throw syntaxError(`${text} is larger than any int`, start, end);
  return value;
}

function readString(source: string, start: number, prefix: string, quote: string): Token {
  const from = start + prefix.length + quote.length;
  const raw = prefix.includes('r');
  const close = closingQuote(source, from, quote, raw);
  if (close < 0)
    throw syntaxError(
      'this text has no closing quote',
      start,
      Math.min(source.length, from + 20),
      `close it with ${quote}`,
    );
  const text = source.slice(from, close);
  const value = prefix.includes('b') ? readBytes(text, raw, from) : readText(text, raw, from);
  return { kind: 'literal', text, value, start, end: close + quote.length };
}

function closingQuote(source: string, from: number, quote: string, raw: boolean): number {
  for (let i = from; i < source.length; i++) {
    if (source.startsWith(quote, i)) return i;
    if (source[i] === '\n' && quote.length === 1) return -1;
    if (source[i] === '\\' && !raw) i++;
  }
  return -1;
}

export function syntaxError(message: string, start: number, end: number, advice?: string): ExpressionError {
  return new ExpressionError([
    advice === undefined ? { message, start, end } : { message, start, end, advice },
  ]);
}

function execAt(pattern: RegExp, source: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(source);
}

function matchAt(pattern: RegExp, source: string, at: number): string | null {
  return execAt(pattern, source, at)?.[0] ?? null;
}
