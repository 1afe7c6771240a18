import type { Clock } from '../../util/clock.ts';
import type { Group } from './keys.ts';

/** How long a group is not asked again after its server gave no answer, in ms. */
const PAUSE = 250;

/**
 * Groups of keys whose server gave no answer a moment ago. On a cluster the link goes on while one of its servers is
 * lost, and who asks that one would wait in vain, each time anew, until a replica has taken over.
 */
export class Silence {
  private readonly clock: Clock;
  private readonly until = new Map<Group, number>();
  private readonly lastReply = new Map<Group, number>();

  constructor(clock: Clock) {
    this.clock = clock;
  }

  holds(group: Group): boolean {
    const until = this.until.get(group);
    return until !== undefined && this.clock.now() < until;
  }

  answered(group: Group): void {
    this.lastReply.set(group, this.clock.now());
    this.until.delete(group);
  }

  /** Told what a call failed with that was begun at `since`. One late answer among others is slowness, not silence. */
  failed(group: Group, since: number, error: unknown): void {
    const isAway = (error as { code?: unknown }).code === 'REDIS_AWAY';
    const last = this.lastReply.get(group) ?? Number.NEGATIVE_INFINITY;
    if (isAway && last < since) this.until.set(group, this.clock.now() + PAUSE);
  }
}
