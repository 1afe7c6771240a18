/** Up to this length the engine's own search, whose worst case is the product of both lengths, is harmless. */
const SHORT = 16;

/**
 * Where `part` stands in `text` at or after `from`, or -1: as `indexOf`, but linear also for texts chosen
 * to make that slow (Knuth-Morris-Pratt).
 */
export function indexOfLinear(text: string, part: string, from: number): number {
  if (part.length <= SHORT || text.length - from <= part.length) return text.indexOf(part, from);
  return new Search(part).next(text, from);
}

/** A search for one part that is made ready once and then repeated. */
export class Search {
  private readonly part: string;
  /** For each position: how much of the part's beginning stands just before it, in the part itself. */
  private readonly borders: Int32Array | null;

  constructor(part: string) {
    this.part = part;
    this.borders = part.length <= SHORT ? null : bordersOf(part);
  }

  next(text: string, from: number): number {
    const { part, borders } = this;
    if (borders === null) return text.indexOf(part, from);
    let matched = 0;
    for (let i = from; i < text.length; i++) {
      const unit = text.charCodeAt(i);
      while (matched > 0 && part.charCodeAt(matched) !== unit) matched = borders[matched]!;
      if (part.charCodeAt(matched) === unit) matched++;
      if (matched === part.length) return i - matched + 1;
    }
    return -1;
  }
}

function bordersOf(part: string): Int32Array {
  const borders = new Int32Array(part.length + 1);
  let length = 0;
  for (let i = 1; i < part.length; i++) {
    while (length > 0 && part.charCodeAt(i) !== part.charCodeAt(length)) length = borders[length]!;
    if (part.charCodeAt(i) === part.charCodeAt(length)) length++;
    borders[i + 1] = length;
  }
  return borders;
}
