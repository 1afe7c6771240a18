/**
 * How many slips of the finger lie between two words: letters missing, extra, wrong, or two neighbours
 * swapped (Damerau-Levenshtein, optimal string alignment).
 *
 * @param limit Past it no one asks how many: any number above it is given, as soon as that is known.
 */
export function editDistance(a: string, b: string, limit = Number.POSITIVE_INFINITY): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  let leastOfLast = 0;
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    let leastOfRow = i;
    for (let j = 1; j <= b.length; j++) {
      const changed = a[i - 1] === b[j - 1] ? 0 : 1;
      let least = Math.min(last[j]! + 1, row[j - 1]! + 1, last[j - 1]! + changed);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        least = Math.min(least, beforeLast[j - 2]! + 1);
      }
      row.push(least);
      leastOfRow = Math.min(leastOfRow, least);
    }
    // A row is made of the two before it.
    if (leastOfRow > limit && leastOfLast > limit) return leastOfRow;
    leastOfLast = leastOfRow;
    beforeLast = last;
    last = row;
  }
  return last[b.length]!;
}

/** Past this no word is a slip of another, and comparing would only cost. */
const LONGEST = 64;

/** The candidate that was most likely meant by `word`, or null where none is near. */
export function nearest(word: string, candidates: Iterable<string>): string | null {
  if (word.length > LONGEST) return null;
  const plain = simplified(word);
  const allowed = Math.min(3, Math.floor(plain.length / 3) + (plain.length > 1 ? 1 : 0));
  let best: string | null = null;
  let least = allowed + 1;
  for (const candidate of candidates) {
    if (candidate.length > LONGEST || candidate === word) continue;
    const other = simplified(candidate);
    if (Math.abs(other.length - plain.length) >= least) continue;
    const distance = editDistance(plain, other, least);
    if (distance >= least || distance >= Math.max(plain.length, other.length) / 2 + 0.5) continue;
    best = candidate;
    least = distance;
  }
  return best;
}

/** `max_body`, `max-body` and `MaxBody` are all meant as `maxBody`. */
function simplified(word: string): string {
  return word.toLowerCase().replaceAll(/[-_ ]/g, '');
}
