/** Up to here comparing one by one is faster than hashing a segment. */
const FEW = 4;

/** What stands behind each literal segment. A lookup among few makes no string of the segment. */
export class LiteralChildren<T> {
  private texts: string[] = [];
  private children: T[] = [];
  private map: Map<string, T> | null = null;

  /** The child for the segment that stands in `path` from `start` to `end`. */
  get(path: string, start: number, end: number): T | undefined {
    if (this.map !== null) return this.map.get(path.slice(start, end));
    const { texts } = this;
    for (let i = 0; i < texts.length; i++) {
      const text = texts[i]!;
      if (text.length === end - start && path.startsWith(text, start)) return this.children[i];
    }
    return undefined;
  }

  getOrAdd(text: string, make: () => T): T {
    const known = this.get(text, 0, text.length);
    if (known !== undefined) return known;
    const child = make();
    if (this.map === null && this.texts.length === FEW) {
      this.map = new Map(this.texts.map((known, i) => [known, this.children[i]!]));
    }
    if (this.map !== null) {
      this.map.set(text, child);
    } else {
      this.texts.push(text);
      this.children.push(child);
    }
    return child;
  }
}
