import { isUtf8 } from 'node:buffer';

/** Deeper JSON is refused, as by the reader of expressions. */
const MAX_DEPTH = 256;
/** So many members of an object are compared one by one; of more, a set is kept. */
const FEW = 24;

const QUOTE = 34;
const COMMA = 44;
const COLON = 58;
const OPEN_LIST = 91;
const BACKSLASH = 92;
const OPEN_OBJECT = 123;
const CLOSE_OBJECT = 125;
const BROKEN = -1;

/** What stands next. */
const VALUE = 0;
const NAME = 1;
const AFTER = 2;

/*
 * Where an inspection stands, level by level. One for all, since none waits for anything: this runs for each part
 * of each answer, and nothing is made for it.
 */
/** What closes each level. */
const closers = new Uint8Array(MAX_DEPTH);
/** Where the names of each level begin in `names`. */
const begins = new Int32Array(MAX_DEPTH);
/** Of a level with many names: all of them. */
const sets: (Set<number> | null)[] = new Array(MAX_DEPTH).fill(null);
/** Hashes of the names of all levels that are open. */
const names = new Int32Array(MAX_DEPTH * FEW);

/**
 * Is this JSON (RFC 8259)? One pass over the bytes, which makes nothing of them. `twins`: it is, but members of
 * an object may have the same name: whoever passes it on looks closer.
 */
export function inspectJson(bytes: Uint8Array): 'clean' | 'twins' | 'broken' {
  if (!isUtf8(bytes)) return 'broken';
  let at = skipSpace(bytes, 0);
  let next = VALUE;
  let depth = 0;
  let named = 0;
  let twins = false;
  // A loop, not a recursion: how deep it goes is the sender's choice.
  for (;;) {
    if (next === NAME) {
      if (bytes[at] !== QUOTE) return 'broken';
      at = skipName(bytes, at);
      if (at === BROKEN) return 'broken';
      const level = depth - 1;
      const hash = nameHash;
      if (hash === ESCAPED) twins = true;
      else if (named - begins[level]! < FEW && sets[level] === null) {
        for (let i = begins[level]!; i < named; i++) if (names[i] === hash) twins = true;
        names[named++] = hash;
      } else if (isKnown(level, named, hash)) twins = true;
      at = skipSpace(bytes, at);
      if (bytes[at] !== COLON) return 'broken';
      at = skipSpace(bytes, at + 1);
      next = VALUE;
    } else if (next === VALUE) {
      const code = bytes[at]!;
      if (code === QUOTE) at = skipText(bytes, at);
      else if (code !== OPEN_OBJECT && code !== OPEN_LIST) at = skipWord(bytes, at, code);
      else {
        if (depth === MAX_DEPTH) return 'broken';
        closers[depth] = code + 2;
        begins[depth] = named;
        sets[depth] = null;
        depth++;
        at = skipSpace(bytes, at + 1);
        // What was opened may end at once: that is seen where levels end.
        if (bytes[at] !== code + 2) {
          next = code === OPEN_OBJECT ? NAME : VALUE;
          continue;
        }
      }
      if (at === BROKEN) return 'broken';
      next = AFTER;
    } else if (depth === 0) {
      return skipSpace(bytes, at) < bytes.length ? 'broken' : twins ? 'twins' : 'clean';
    } else {
      at = skipSpace(bytes, at);
      const code = bytes[at]!;
      const closer = closers[depth - 1]!;
      if (code === COMMA) {
        next = closer === CLOSE_OBJECT ? NAME : VALUE;
        at = skipSpace(bytes, at + 1);
      } else if (code === closer) {
        at++;
        depth--;
        named = begins[depth]!;
      } else return 'broken';
    }
  }
}

function skipSpace(bytes: Uint8Array, from: number): number {
  let at = from;
  for (;;) {
    const code = bytes[at]!;
    if (code > 32) return at;
    if (code !== 32 && code !== 10 && code !== 13 && code !== 9) return at;
    at++;
  }
}

/** The end of the text that begins at `from`. */
function skipText(bytes: Uint8Array, from: number): number {
  const end = bytes.length;
  for (let at = from + 1; at < end; at++) {
    const code = bytes[at]!;
    if (code === QUOTE) return at + 1;
    if (code < 32) return BROKEN;
    if (code !== BACKSLASH) continue;
    at++;
    const escaped = bytes[at]!;
    if (escaped === 117) {
      if (!isHex(bytes, at + 1)) return BROKEN;
      at += 4;
    } else if (!isEscape(escaped)) return BROKEN;
  }
  return BROKEN;
}

/** `"` `\` `/` b f n r t */
function isEscape(code: number): boolean {
  switch (code) {
    case QUOTE:
    case BACKSLASH:
    case 47:
    case 98:
    case 102:
    case 110:
    case 114:
    case 116:
      return true;
    default:
      return false;
  }
}

function isHex(bytes: Uint8Array, from: number): boolean {
  for (let i = from; i < from + 4; i++) {
    const code = bytes[i] ?? 0;
    const lower = code | 32;
    if (!((code >= 48 && code <= 57) || (lower >= 97 && lower <= 102))) return false;
  }
  return true;
}

/** One letter has many spellings with escapes: whether two such names are equal is found out elsewhere. */
const ESCAPED = 0;
/** Of the name that was read last; never 0 for one without escapes. */
let nameHash = ESCAPED;

/** As `skipText`, for the name of a member. */
function skipName(bytes: Uint8Array, from: number): number {
  const end = bytes.length;
  let hash = 0x11c9dc5;
  for (let at = from + 1; at < end; at++) {
    const code = bytes[at]!;
    if (code === QUOTE) {
      nameHash = hash | 1;
      return at + 1;
    }
    if (code < 32) return BROKEN;
    if (code === BACKSLASH) {
      nameHash = ESCAPED;
      return skipText(bytes, at - 1);
    }
    hash = Math.imul(hash ^ code, 0x01000193);
  }
  return BROKEN;
}

/** Of an object with many members: has it had such a name? Notes it. */
function isKnown(level: number, named: number, hash: number): boolean {
  const set = sets[level] ?? new Set(names.subarray(begins[level], named));
  sets[level] = set;
  if (set.has(hash)) return true;
  set.add(hash);
  return false;
}

/** The end of a number, or of `true`, `false` or `null`. */
function skipWord(bytes: Uint8Array, from: number, code: number): number {
  switch (code) {
    case 116:
      return skipLetters(bytes, from, 'true');
    case 102:
      return skipLetters(bytes, from, 'false');
    case 110:
      return skipLetters(bytes, from, 'null');
    default:
      return skipNumber(bytes, from);
  }
}

function skipLetters(bytes: Uint8Array, from: number, word: string): number {
  for (let i = 0; i < word.length; i++) if (bytes[from + i] !== word.charCodeAt(i)) return BROKEN;
  return from + word.length;
}

function skipNumber(bytes: Uint8Array, from: number): number {
  let at = bytes[from] === 45 ? from + 1 : from;
  at = bytes[at] === 48 ? at + 1 : skipDigits(bytes, at);
  if (at !== BROKEN && bytes[at] === 46) at = skipDigits(bytes, at + 1);
  if (at === BROKEN || (bytes[at]! | 32) !== 101) return at;
  const sign = bytes[at + 1];
  return skipDigits(bytes, sign === 43 || sign === 45 ? at + 2 : at + 1);
}

function skipDigits(bytes: Uint8Array, from: number): number {
  for (let at = from; ; at++) {
    const code = bytes[at]!;
    if (!(code >= 48 && code <= 57)) return at > from ? at : BROKEN;
  }
}
