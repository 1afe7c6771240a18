/** A link of a queue. */
export interface Link {
  next: Link | null;
  previous: Link | null;
}

/** First in, first out; anything can also leave from the middle, without a search. */
export class Queue<T extends Link> {
  private head: T | null = null;
  private tail: T | null = null;
  size = 0;

  get first(): T | null {
    return this.head;
  }

  push(item: T): void {
    item.previous = this.tail;
    item.next = null;
    if (this.tail === null) this.head = item;
    else this.tail.next = item;
    this.tail = item;
    this.size++;
  }

  remove(item: T): void {
    const { previous, next } = item;
    if (previous === null) this.head = next as T | null;
    else previous.next = next;
    if (next === null) this.tail = previous as T | null;
    else next.previous = previous;
    item.previous = null;
    item.next = null;
    this.size--;
  }
}
