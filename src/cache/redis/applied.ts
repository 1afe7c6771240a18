import type { Invalidation } from '../fences/index.ts';
import type { FenceHolders } from '../sequence/index.ts';
import type { Message } from './message.ts';
import { STEP } from './numbers.ts';
import type { Unsent } from './unsent.ts';

/** What this node has applied so far, under which number, and whether its workers hold it. */
export class Applied {
  /** The greatest number. */
  newest = 0;
  /** Below it everything is dead. */
  floor = 0;
  /** Resolves when the workers hold all of it. */
  held: Promise<unknown> = Promise.resolve();
  /** More was invalidated here alone than fits between two numbers of Redis. */
  outran = false;
  private readonly holders: FenceHolders;
  private readonly unsent: Unsent;

  constructor(holders: FenceHolders, unsent: Unsent) {
    this.holders = holders;
    this.unsent = unsent;
  }

  /**
   * The newest number is this node's own, and Redis has been told of all that it stands for: only with a newer number
   * of Redis will its fills be good for others, and what others fill for it.
   */
  get isAlone(): boolean {
    return this.newest % STEP !== 0 && this.unsent.isSettled;
  }

  /** @param message Null: nothing with a lower number can be proven fresh. */
  apply(number: number, message: Message | null): void {
    this.newest = Math.max(this.newest, number);
    const isFloor = message === null || message.floor !== null;
    if (isFloor || (message.all && !message.soft)) this.floor = Math.max(this.floor, number);
    const done = isFloor ? this.holders.raiseFloor(number) : this.holders.apply(number, fencesOf(message));
    this.held = Promise.all([this.held, done]);
  }

  /**
   * Under a number of this node's own: greater than all that it has seen, smaller than the next one of Redis, and
   * kept for Redis until it can be told.
   */
  applyHere(message: Message): void {
    this.unsent.add(message);
    this.applyAbove(this.newest, message);
  }

  /**
   * Before numbers up to `number` are applied: what this node alone has invalidated stays above them. Else an entry
   * that another node has filled meanwhile, without knowing of it, would be believed here.
   */
  keepAbove(number: number): void {
    if (number <= this.newest) return;
    for (const message of this.unsent.messages()) this.applyAbove(number, message);
  }

  private applyAbove(number: number, message: Message): void {
    const above = number + 1;
    if (above % STEP === 0) this.outran = true;
    this.apply(above, message);
  }
}

function fencesOf({ tags, prefixes, all, soft, early }: Message): Invalidation {
  return { tags, prefixes, all, soft, ...(early ? { early } : {}) };
}
