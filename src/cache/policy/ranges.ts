/** First and last byte, both included. */
export interface ByteRange {
  first: number;
  last: number;
}

/** More than anybody needs; an attacker would have every byte sent with a part's head. */
const MOST_RANGES = 16;
/** Bytes of a part's head, about: a smaller gap is cheaper to send than to leave out (RFC 9110 §15.3.7.2). */
const PART_OVERHEAD = 80;

/**
 * The ranges of a content of `length` bytes that a Range field asks for (RFC 9110 §14.1.2, §14.2). Null: the field
 * is to be ignored, for it is malformed, of another unit, or greedy. Empty: none can be satisfied (416).
 */
export function parseRanges(text: string, length: number): ByteRange[] | null {
  const set = /^bytes=(.*)$/i.exec(text);
  if (set === null) return null;
  const members = set[1]!
    .split(',')
    .map((member) => member.trim())
    .filter((member) => member !== '');
  if (members.length === 0 || members.length > MOST_RANGES) return null;
  const ranges: ByteRange[] = [];
  for (const member of members) {
    const range = parseMember(member, length);
    if (range === null) return null;
    if (range.first < length && range.first <= range.last) ranges.push(range);
    // Of an empty content a suffix is the whole, which no Content-Range can say.
    else if (length === 0 && member.startsWith('-') && Number(member) !== 0) return null;
  }
  return coalesce(ranges);
}

/** Null where malformed. What can't be satisfied comes back with `first` at or behind the end, or behind `last`. */
function parseMember(member: string, length: number): ByteRange | null {
  const [, first, last] = /^(\d*)-(\d*)$/.exec(member) ?? [];
  if (first === undefined || last === undefined || (first === '' && last === '')) return null;
  if (first === '') return { first: Math.max(0, length - Number(last)), last: length - 1 };
  if (last !== '' && Number(last) < Number(first)) return null;
  return { first: Number(first), last: last === '' ? length - 1 : Math.min(Number(last), length - 1) };
}

/** In the order asked for, unless some overlap or nearly touch: then joined, in the order of the content. */
function coalesce(ranges: ByteRange[]): ByteRange[] {
  const joined: ByteRange[] = [];
  for (const { first, last } of ranges.toSorted((a, b) => a.first - b.first)) {
    const before = joined.at(-1);
    if (before !== undefined && first <= before.last + PART_OVERHEAD)
      before.last = Math.max(before.last, last);
    else joined.push({ first, last });
  }
  return joined.length === ranges.length ? ranges : joined;
}
