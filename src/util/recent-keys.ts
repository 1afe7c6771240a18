import { boundedText, ownText } from './own-text.ts';

/**
 * What is known of keys that strangers choose, in bounded memory: the newest, in two generations. When the younger one
 * is full it takes the place of the older, which is forgotten as a whole.
 */
export class RecentKeys<V> {
  private young = new Map<string, V>();
  private old = new Map<string, V>();
  private readonly generation: number;
  private readonly forgotten: (keys: ReadonlyMap<string, V>) => void;

  /**
   * @param generation Keys in each of the two.
   * @param forgotten Hears of those that are known no longer; a long key goes by its hash.
   */
  constructor(generation: number, forgotten: (keys: ReadonlyMap<string, V>) => void = () => {}) {
    this.generation = generation;
    this.forgotten = forgotten;
  }

  get empty(): boolean {
    return this.young.size === 0 && this.old.size === 0;
  }

  set(key: string, value: V): void {
    this.young.set(ownText(boundedText(key)), value);
    if (this.young.size < this.generation) return;
    if (this.old.size > 0) this.forgotten(this.old);
    this.old = this.young;
    this.young = new Map();
  }

  get(key: string): V | undefined {
    const name = boundedText(key);
    return this.young.get(name) ?? this.old.get(name);
  }

  /** True where it was known. */
  delete(key: string): boolean {
    const name = boundedText(key);
    const [young, old] = [this.young.delete(name), this.old.delete(name)];
    return young || old;
  }
}
