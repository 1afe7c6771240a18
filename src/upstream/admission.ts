import { type Linked, LinkedList } from '../util/linked-list.ts';

/** Someone who waits for a place. Hears `admitted` once, unless it leaves before. */
export interface Applicant extends Linked {
  admitted(): void;
}

/** How many wait for a service, for a place or for a connection, and how many may. */
export class Pending {
  max: number;
  count = 0;

  constructor(max: number) {
    this.max = max;
  }

  get full(): boolean {
    return this.count >= this.max;
  }
}

/**
 * Bounds what is under way to a service: up to `maxRequests` at once, the next wait in the order they came,
 * each until its own client's deadline. So a slow service holds no more of the gateway than its share.
 */
export class Admission {
  max: number;
  active = 0;
  private readonly pending: Pending;
  private readonly waiting = new LinkedList<Applicant>();
  private admitting = false;

  constructor(max: number, pending: Pending) {
    this.max = max;
    this.pending = pending;
  }

  /** `true`: go ahead. `false`: wait for `admitted`. Null: there is no place to wait either. */
  enter(applicant: Applicant): boolean | null {
    if (this.active < this.max) {
      this.active++;
      return true;
    }
    if (this.pending.full) return null;
    this.pending.count++;
    this.waiting.push(applicant);
    return false;
  }

  /** Gives up waiting. */
  withdraw(applicant: Applicant): void {
    if (this.waiting.remove(applicant)) this.pending.count--;
  }

  /** A place is free again. */
  leave(): void {
    this.active--;
    // One that is admitted may leave at once, as all do behind an open breaker: a loop, or they would use up the stack.
    if (this.admitting) return;
    this.admitting = true;
    while (this.active < this.max) {
      const next = this.waiting.first;
      if (next === null) break;
      this.waiting.remove(next);
      this.pending.count--;
      this.active++;
      next.admitted();
    }
    this.admitting = false;
  }
}
