/** Does a text hold characters above U+FFFF, which JavaScript counts as two? */
function hasSurrogates(text: string): boolean {
  return /[\ud800-\udfff]/.test(text);
}

/** Its characters as CEL counts them: code points. */
export function codePoints(text: string): string[] {
  return hasSurrogates(text) ? Array.from(text) : text.split('');
}

export function codePointLength(text: string): number {
  return hasSurrogates(text) ? countTo(text, text.length) : text.length;
}

/** How many code points end at or before this offset. */
export function countTo(text: string, offset: number): number {
  let count = 0;
  for (let at = 0; at < offset; count++) at += text.codePointAt(at)! > 0xffff ? 2 : 1;
  return count;
}

/** The offset at which the code point number `position` begins; -1 where the text is shorter. */
export function offsetOf(text: string, position: bigint): number {
  if (position < 0n || position > BigInt(text.length)) return -1;
  if (!hasSurrogates(text)) return Number(position);
  let at = 0;
  for (let left = Number(position); left > 0; left--) {
    if (at >= text.length) return -1;
    at += text.codePointAt(at)! > 0xffff ? 2 : 1;
  }
  return at;
}
