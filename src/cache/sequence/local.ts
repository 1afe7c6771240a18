import type { Invalidation } from '../fences/index.ts';
import type { FenceHolders, SequenceLog, SequenceState } from './contract.ts';

/** The sequence of a node that shares its cache with no other: a counter. */
export class LocalSequence implements SequenceLog {
  private readonly holders: FenceHolders;
  private sequence = 0;
  private floor = 0;
  readonly seats = null;

  constructor(holders: FenceHolders) {
    this.holders = holders;
  }

  async invalidate(what: Invalidation): Promise<number> {
    const number = ++this.sequence;
    if (what.all && !what.soft) this.floor = number;
    await this.holders.apply(number, what);
    return number;
  }

  async raiseFloor(): Promise<number> {
    const number = ++this.sequence;
    this.floor = number;
    await this.holders.raiseFloor(number);
    return number;
  }

  state(): SequenceState {
    return { sequence: this.sequence, floor: this.floor, connected: null };
  }

  async close(): Promise<void> {}
}
