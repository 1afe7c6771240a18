/**
 * Recognises patterns that a backtracking engine can't be made slow with, and writes them for it: no groups,
 * no back-references, and after each repetition only what the repetition itself can't take. RE2 in
 * JavaScript costs close to a microsecond a match; this costs a tenth.
 */

type Range = readonly [from: number, to: number];

/** One class of characters and how often it stands. */
interface Item {
  readonly ranges: readonly Range[];
  readonly min: number;
  readonly max: number;
}

interface Sequence {
  readonly items: readonly Item[];
  readonly fromStart: boolean;
  readonly toEnd: boolean;
}

const LAST = 0x10ffff;
/** RE2 refuses to repeat more often. */
const MOST_REPEATS = 1000;
/** A pattern that takes at most so many characters may be tried at every place of a text. */
const MOST_TO_FIND = 64;

const DIGIT: Range[] = [[0x30, 0x39]];
const WORD: Range[] = [
  [0x30, 0x39],
  [0x41, 0x5a],
  [0x5f, 0x5f],
  [0x61, 0x7a],
];
const SPACE: Range[] = [
  [0x09, 0x0a],
  [0x0c, 0x0d],
  [0x20, 0x20],
];
const CLASSES: Readonly<Record<string, readonly Range[]>> = {
  d: DIGIT,
  w: WORD,
  s: SPACE,
  D: complement(DIGIT),
  W: complement(WORD),
  S: complement(SPACE),
};
const CONTROLS: Readonly<Record<string, number>> = { t: 9, n: 10, f: 12, r: 13 };

/** Expressions for the engine that mean the same; null for each that has no such twin. */
export function nativePattern(
  source: string,
  ignoreCase: boolean,
): { whole: RegExp | null; find: RegExp | null } {
  const sequences = new Reader(source, ignoreCase).alternatives();
  if (sequences === null || !sequences.every((sequence) => isDeterministic(sequence.items))) return NONE;
  const body = sequences.map(written).join('|');
  return {
    whole: new RegExp(`^(?:${body})$`, 'u'),
    find: sequences.every(isCheapToFind) ? new RegExp(body, 'u') : null,
  };
}

const NONE = { whole: null, find: null };

/** After a repetition only characters that it can't take itself may follow, so there is one way to match. */
function isDeterministic(items: readonly Item[]): boolean {
  return items.every((item, i) => {
    if (item.min === item.max) return true;
    for (const follower of items.slice(i + 1)) {
      if (overlap(item.ranges, follower.ranges)) return false;
      if (follower.min > 0) return true;
    }
    return true;
  });
}

function isCheapToFind({ items, fromStart }: Sequence): boolean {
  return fromStart || items.reduce((length, item) => length + item.max, 0) <= MOST_TO_FIND;
}

function written({ items, fromStart, toEnd }: Sequence): string {
  return (
    (fromStart ? '^' : '') +
    items.map((item) => classText(item.ranges) + repeatText(item)).join('') +
    (toEnd ? '$' : '')
  );
}

function classText(ranges: readonly Range[]): string {
  return `[${ranges.map(([from, to]) => (from === to ? hex(from) : `${hex(from)}-${hex(to)}`)).join('')}]`;
}

const hex = (code: number): string => `\\u{${code.toString(16)}}`;

function repeatText({ min, max }: Item): string {
  if (min === 1 && max === 1) return '';
  return max === Number.POSITIVE_INFINITY ? `{${min},}` : `{${min},${max}}`;
}

/** Reads a pattern; every method gives null for what it does not know, which is then left to RE2. */
class Reader {
  private readonly characters: string[];
  private readonly ignoreCase: boolean;
  private at = 0;

  constructor(source: string, ignoreCase: boolean) {
    this.characters = Array.from(source);
    this.ignoreCase = ignoreCase;
  }

  alternatives(): Sequence[] | null {
    const sequences: Sequence[] = [];
    do {
      const sequence = this.sequence();
      if (sequence === null) return null;
      sequences.push(sequence);
    } while (this.accept('|'));
    return this.at === this.characters.length ? sequences : null;
  }

  private sequence(): Sequence | null {
    const fromStart = this.accept('^');
    const items: Item[] = [];
    while (this.at < this.characters.length && this.peek() !== '|') {
      if (this.peek() === '$') {
        this.at++;
        return this.at === this.characters.length || this.peek() === '|'
          ? { items, fromStart, toEnd: true }
          : null;
      }
      const item = this.item();
      if (item === null) return null;
      items.push(item);
    }
    return { items, fromStart, toEnd: false };
  }

  private item(): Item | null {
    const ranges = this.ranges();
    if (ranges === null || ranges.length === 0) return null;
    const repeat = this.repeat();
    return repeat === null ? null : { ranges, ...repeat };
  }

  private ranges(): readonly Range[] | null {
    const character = this.take();
    if (character === '[') return this.set();
    if (character === '.') return complement([[10, 10]]);
    if (character === '\\') return this.folded(this.escape());
    if ('^$|()*+?{}]'.includes(character)) return null;
    return this.folded(single(character));
  }

  private escape(): readonly Range[] | null {
    const character = this.take();
    if (Object.hasOwn(CLASSES, character)) return CLASSES[character]!;
    if (Object.hasOwn(CONTROLS, character)) return [[CONTROLS[character]!, CONTROLS[character]!]];
    return /^[!-/:-@[-`{-~]$/.test(character) ? single(character) : null;
  }

  private set(): readonly Range[] | null {
    const negated = this.accept('^');
    const ranges: Range[] = [];
    let first = true;
    while (!this.accept(']')) {
      const part = this.setPart(first);
      if (part === null) return null;
      ranges.push(...part);
      first = false;
    }
    const folded = this.folded(ranges);
    return folded === null || ranges.length === 0 ? null : negated ? complement(folded) : folded;
  }

  private setPart(first: boolean): readonly Range[] | null {
    const from = this.setCharacter();
    if (from === null) return null;
    const isDash =
      from.length === 1 &&
      from[0]![0] === 0x2d &&
      this.characters[this.at - 1] === '-' &&
      this.characters[this.at - 2] !== '\\';
    if (isDash && !first && this.peek() !== ']') return null;
    if (this.peek() !== '-' || this.characters[this.at + 1] === ']') return from;
    if (isDash) return null;
    this.at++;
    const to = this.setCharacter();
    if (to === null || !isSingle(from) || !isSingle(to) || to[0]![0] < from[0]![0]) return null;
    return [[from[0]![0], to[0]![0]]];
  }

  private setCharacter(): readonly Range[] | null {
    const character = this.take();
    if (character === '\\') return this.escape();
    return character === '' || character === '[' || character === ']' ? null : single(character);
  }

  private repeat(): { min: number; max: number } | null {
    const repeat = this.repeatSign();
    if (repeat === null) return null;
    const next = this.peek();
    const doubled = repeat !== ONCE && (next === '?' || next === '+' || next === '*' || next === '{');
    return doubled ? null : repeat;
  }

  private repeatSign(): { min: number; max: number } | null {
    if (this.accept('*')) return { min: 0, max: Number.POSITIVE_INFINITY };
    if (this.accept('+')) return { min: 1, max: Number.POSITIVE_INFINITY };
    if (this.accept('?')) return { min: 0, max: 1 };
    if (this.peek() !== '{') return ONCE;
    const match = /^\{(\d{1,4})(,(\d{0,4}))?\}/.exec(this.characters.slice(this.at, this.at + 12).join(''));
    if (match === null) return null;
    this.at += match[0].length;
    const min = Number(match[1]);
    const max = match[2] === undefined ? min : match[3] === '' ? Number.POSITIVE_INFINITY : Number(match[3]);
    const bounded = min <= MOST_REPEATS && (max <= MOST_REPEATS || max === Number.POSITIVE_INFINITY);
    return bounded && min <= max && max > 0 ? { min, max } : null;
  }

  /** Adds the other case, as RE2 folds it: the long s and the Kelvin sign are letters of ASCII too. */
  private folded(ranges: readonly Range[] | null): readonly Range[] | null {
    if (ranges === null || !this.ignoreCase) return ranges;
    const folded = new Set<number>();
    for (const [from, to] of ranges) {
      if (to > 0x7f) return null;
      for (let code = from; code <= to; code++) {
        folded.add(code);
        const letter = String.fromCharCode(code);
        folded.add(letter.toLowerCase().charCodeAt(0));
        folded.add(letter.toUpperCase().charCodeAt(0));
        if (letter === 'k' || letter === 'K') folded.add(0x212a);
        if (letter === 's' || letter === 'S') folded.add(0x17f);
      }
    }
    return [...folded].sort((a, b) => a - b).map((code) => [code, code] as const);
  }

  private peek(): string | undefined {
    return this.characters[this.at];
  }

  private take(): string {
    return this.characters[this.at++] ?? '';
  }

  private accept(character: string): boolean {
    if (this.peek() !== character) return false;
    this.at++;
    return true;
  }
}

const ONCE = { min: 1, max: 1 };

function single(character: string): readonly Range[] | null {
  const code = character.codePointAt(0);
  if (code === undefined || (code >= 0xd800 && code <= 0xdfff)) return null;
  return [[code, code]];
}

function isSingle(ranges: readonly Range[]): boolean {
  return ranges.length === 1 && ranges[0]![0] === ranges[0]![1];
}

function overlap(left: readonly Range[], right: readonly Range[]): boolean {
  return left.some(([from, to]) => right.some(([otherFrom, otherTo]) => from <= otherTo && otherFrom <= to));
}

function complement(ranges: readonly Range[]): Range[] {
  const rest: Range[] = [];
  let next = 0;
  for (const [from, to] of [...ranges].sort((a, b) => a[0] - b[0])) {
    if (from > next) rest.push([next, from - 1]);
    next = Math.max(next, to + 1);
  }
  if (next <= LAST) rest.push([next, LAST]);
  return rest;
}
