import type { Message } from './message.ts';
import { merged } from './message.ts';

/** One invalidation, and who waits for its number. */
export interface Item {
  readonly message: Message;
  resolve(number: number): void;
  reject(error: Error): void;
}

/** Invalidations that go to Redis under one number. */
export interface Batch {
  readonly items: readonly Item[];
  readonly message: Message;
}

/** Invalidations in their order. What gathers while one batch is under way goes together with the next. */
export class Batches {
  private queue: Item[] = [];

  get size(): number {
    return this.queue.length;
  }

  add(item: Item): void {
    this.queue.push(item);
  }

  /** The first of them and all after it that may share its number; null where there is none. */
  next(): Batch | null {
    const [first] = this.queue;
    if (first === undefined) return null;
    let { message } = first;
    let count = 1;
    for (; count < this.queue.length; count++) {
      const both = merged(message, this.queue[count]!.message);
      if (both === null) break;
      message = both;
    }
    const items = this.queue.slice(0, count);
    this.queue = this.queue.slice(count);
    return { items, message };
  }

  rejectAll(error: Error): void {
    for (const item of this.queue.splice(0)) item.reject(error);
  }
}
