import { codePointLength, codePoints, countTo, offsetOf } from './code-points.ts';
import type { Frame } from './frame.ts';
import { badValue, either, type FunctionTable, method, overload } from './function.ts';
import { indexOfLinear, Search } from './search.ts';
import { BOOL, BYTES, INT, LIST, listOf, MAP, STRING } from './types.ts';
import type { Fields, Value } from './value.ts';

const TEXTS = listOf(STRING);

/** Functions on texts: CEL's own, and those of its strings extension. Positions count code points. */
export const TEXT_FUNCTIONS: FunctionTable = {
  size: {
    style: 'either',
    overloads: [
      overload([STRING], INT, (frame, text: string) => {
        frame.spendText(text.length);
        return BigInt(codePointLength(text));
      }),
      overload([BYTES], INT, (_, bytes: Uint8Array) => BigInt(bytes.length)),
      overload([LIST], INT, (_, list: Value[]) => BigInt(list.length)),
      overload([MAP], INT, (frame, map: ReadonlyMap<Value, Value> | Fields) =>
        BigInt(countMembers(frame, map)),
      ),
    ],
  },
  startsWith: method(
    overload([STRING, STRING], BOOL, (frame, text: string, start: string) => {
      frame.spendText(start.length);
      return text.startsWith(start);
    }),
  ),
  endsWith: method(
    overload([STRING, STRING], BOOL, (frame, text: string, end: string) => {
      frame.spendText(end.length);
      return text.endsWith(end);
    }),
  ),
  contains: method(
    overload([STRING, STRING], BOOL, (frame, text: string, part: string) => find(frame, text, part, 0) >= 0),
  ),
  split: either(
    overload([STRING, STRING], TEXTS, (frame, text: string, separator: string) =>
      split(frame, text, separator, -1n),
    ),
    overload([STRING, STRING, INT], TEXTS, split),
  ),
  join: either(
    overload([TEXTS], STRING, (frame, list: string[]) => join(frame, list, '')),
    overload([TEXTS, STRING], STRING, join),
  ),
  replace: either(
    overload([STRING, STRING, STRING], STRING, (frame, text: string, from: string, to: string) =>
      replace(frame, text, from, to, -1n),
    ),
    overload([STRING, STRING, STRING, INT], STRING, replace),
  ),
  trim: either(
    overload([STRING], STRING, (frame, text: string) => {
      frame.spendText(text.length);
      return trim(text);
    }),
  ),
  substring: either(
    overload([STRING, INT], STRING, (frame, text: string, from: bigint) =>
      substring(frame, text, from, null),
    ),
    overload([STRING, INT, INT], STRING, substring),
  ),
  indexOf: either(
    overload([STRING, STRING], INT, (frame, text: string, part: string) => indexOf(frame, text, part, 0n)),
    overload([STRING, STRING, INT], INT, indexOf),
  ),
  lowerAscii: either(
    overload([STRING], STRING, (frame, text: string) => {
      frame.spendText(text.length);
      return text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
    }),
  ),
  upperAscii: either(
    overload([STRING], STRING, (frame, text: string) => {
      frame.spendText(text.length);
      return text.replace(/[a-z]+/g, (letters) => letters.toUpperCase());
    }),
  ),
};

function countMembers(frame: Frame, map: ReadonlyMap<Value, Value> | Fields): number {
  if (map instanceof Map) return map.size;
  let count = 0;
  for (const _ of map.entries()) count++;
  frame.spend(count);
  return count;
}

function find(frame: Frame, text: string, part: string, from: number): number {
  frame.spendText(text.length - from + part.length);
  return indexOfLinear(text, part, from);
}

function split(frame: Frame, text: string, separator: string, limit: bigint): string[] {
  frame.spendText(text.length + separator.length);
  if (limit === 0n) return [];
  if (separator === '') return splitCharacters(frame, text, limit);
  const search = new Search(separator);
  const parts: string[] = [];
  let from = 0;
  while (limit < 0n || BigInt(parts.length) < limit - 1n) {
    const at = search.next(text, from);
    if (at < 0) break;
    frame.spend(1);
    parts.push(text.slice(from, at));
    from = at + separator.length;
  }
  parts.push(text.slice(from));
  return parts;
}

function splitCharacters(frame: Frame, text: string, limit: bigint): string[] {
  frame.spend(text.length);
  const characters = codePoints(text);
  if (limit < 0n || limit >= BigInt(characters.length)) return characters;
  const kept = Number(limit) - 1;
  return [...characters.slice(0, kept), characters.slice(kept).join('')];
}

function join(frame: Frame, list: readonly string[], separator: string): string {
  let length = Math.max(0, list.length - 1) * separator.length;
  for (const text of list) length += text.length;
  frame.spend(list.length);
  frame.spendText(length);
  return list.join(separator);
}

function replace(frame: Frame, text: string, from: string, to: string, limit: bigint): string {
  let left = limit < 0n ? Number.POSITIVE_INFINITY : Number(limit);
  if (left === 0) return text;
  if (from === '') return replaceBetween(frame, text, to, left);
  frame.spendText(text.length + from.length);
  const search = new Search(from);
  const parts: string[] = [];
  let at = 0;
  while (left-- > 0) {
    const next = search.next(text, at);
    if (next < 0) break;
    frame.spend(1);
    frame.spendText(to.length);
    parts.push(text.slice(at, next));
    at = next + from.length;
  }
  parts.push(text.slice(at));
  return parts.join(to);
}

/** The empty text stands before each character and at the end. */
function replaceBetween(frame: Frame, text: string, to: string, limit: number): string {
  frame.spend(text.length);
  const characters = codePoints(text);
  const count = Math.min(limit, characters.length + 1);
  frame.spendText(count * to.length);
  let result = '';
  for (let i = 0; i <= characters.length; i++) result += (i < count ? to : '') + (characters[i] ?? '');
  return result;
}

/** Without white space around it, as Unicode has it: JavaScript counts U+FEFF, and U+0085 it doesn't. */
function trim(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && WHITE_SPACE.test(text[start]!)) start++;
  while (end > start && WHITE_SPACE.test(text[end - 1]!)) end--;
  return text.slice(start, end);
}

const WHITE_SPACE = /\p{White_Space}/u;

function substring(frame: Frame, text: string, from: bigint, to: bigint | null): string {
  frame.spendText(text.length);
  const start = offsetOf(text, from);
  const end = to === null ? text.length : offsetOf(text, to);
  if (start < 0 || end < start) {
    throw badValue(
      `substring(${to === null ? from : `${from}, ${to}`}) does not lie in a text of ${codePointLength(text)} characters`,
    );
  }
  return text.slice(start, end);
}

function indexOf(frame: Frame, text: string, part: string, from: bigint): bigint {
  const start = offsetOf(text, from);
  if (start < 0)
    throw badValue(`indexOf() can not begin at ${from} in a text of ${codePointLength(text)} characters`);
  frame.spendText(text.length);
  const at = find(frame, text, part, start);
  return BigInt(at <= 0 ? at : countTo(text, at));
}
