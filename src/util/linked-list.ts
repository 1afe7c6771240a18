/** What stands in a list: in one at a time. */
export interface Linked {
  after: Linked | null;
  before: Linked | null;
}

/**
 * Items in the order in which they came. Any can leave from the middle, without a search.
 *
 * Also for what comes and goes with each request or connection, in the place of a Set: that has a new table every so
 * often, to which the one before points. Once a full collection has moved one to the old space, each later one is kept
 * by the one before, with all that stood in it, until the next full collection. This holds nothing that has left it.
 */
export class LinkedList<T extends Linked> implements Iterable<T> {
  private head: T | null = null;
  private tail: T | null = null;
  size = 0;

  get first(): T | null {
    return this.head;
  }

  has(item: T): boolean {
    return item.before !== null || this.head === item;
  }

  push(item: T): void {
    item.before = this.tail;
    item.after = null;
    if (this.tail === null) this.head = item;
    else this.tail.after = item;
    this.tail = item;
    this.size++;
  }

  /** True where it stood in it. */
  remove(item: T): boolean {
    if (!this.has(item)) return false;
    const { before, after } = item;
    if (before === null) this.head = after as T | null;
    else before.after = after;
    if (after === null) this.tail = before as T | null;
    else after.before = before;
    item.before = null;
    item.after = null;
    this.size--;
    return true;
  }

  find(which: (item: T) => boolean): T | null {
    for (let item = this.head; item !== null; item = item.after as T | null) if (which(item)) return item;
    return null;
  }

  /** The one that is given may leave meanwhile; others may not. */
  *[Symbol.iterator](): Iterator<T> {
    for (let item = this.head; item !== null; ) {
      const after = item.after as T | null;
      yield item;
      item = after;
    }
  }
}
