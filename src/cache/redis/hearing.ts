import { isAfter, type Position } from './follower.ts';

/** Questions for how far the log reaches, whose answers this node has not heard up to. */
const MOST = 16;

/** Up to when a node has heard all that the log held. */
export class Hearing {
  private readonly asked: { at: number; reaches: Position }[] = [];

  /** At `at` it was asked how far the log reaches, and the answer was `reaches`. */
  told(at: number, reaches: Position): void {
    this.asked.push({ at, reaches });
    if (this.asked.length > MOST) this.asked.shift();
  }

  /** Heard as far as `position`: the latest time up to which nothing is missing, or null where none is new. */
  heard(position: Position): number | null {
    let upTo: number | null = null;
    while (this.asked.length > 0 && !isAfter(this.asked[0]!.reaches, position)) upTo = this.asked.shift()!.at;
    return upTo;
  }

  /** Since when something is missing; null where nothing is. */
  get behindSince(): number | null {
    return this.asked[0]?.at ?? null;
  }
}
