import type { CacheConfig } from '../config/model.ts';
import type { LinkParts } from '../redis/index.ts';
import { canonicalTag } from '../util/canonical-tag.ts';
import type { Invalidation } from './fences/index.ts';
import { Filing } from './filing.ts';
import { openSequence, placeOf } from './levels.ts';
import type { QueryRule } from './query-rule.ts';
import {
  type FenceHolders,
  LocalSequence,
  type Note,
  type Seats,
  type SequenceLog,
  type SequenceState,
} from './sequence/index.ts';

/** Where invalidations of a node go: also told when another sequence begins, which makes all numbers void. */
export interface NodeHolders extends Omit<FenceHolders, 'synced'> {
  reset(): Promise<void>;
}

/**
 * The sequence of a node, whichever the config in force asks for. A config that moves it elsewhere begins a new
 * one: what was numbered by the old is forgotten everywhere first.
 */
export class NodeSequence implements SequenceLog {
  private readonly holders: NodeHolders;
  private readonly parts: LinkParts;
  private log: SequenceLog;
  private place = '';
  /** Where the sequence in force stands (`placeOf`); empty until there is one that a config names. */
  at = '';
  private rules: readonly QueryRule[] = [];
  private filing = new Filing([]);
  private maxUnsynced = Number.POSITIVE_INFINITY;
  private syncedAt = Number.NEGATIVE_INFINITY;

  constructor(holders: NodeHolders, parts: LinkParts) {
    this.holders = holders;
    this.parts = parts;
    this.log = new LocalSequence(this.holdersNow());
  }

  /**
   * Follows the sequence that a config names; at first, and after each reload.
   *
   * @param rules How its routes bring queries into their keys.
   */
  async follow(config: CacheConfig, rules: readonly QueryRule[]): Promise<void> {
    // For a moment, some workers are still at the config before.
    this.filing = new Filing([...this.rules, ...rules]);
    this.rules = rules;
    this.maxUnsynced = config.redis === null ? Number.POSITIVE_INFINITY : config.maxUnsynced;
    const place = placeOf(config);
    if (place === this.place) return;
    this.at = '';
    const moved = this.place !== '';
    this.place = place;
    const old = this.log;
    this.syncedAt = Number.NEGATIVE_INFINITY;
    if (moved) await this.holders.reset();
    if (moved) this.holders.notes?.standing(null, Promise.resolve());
    this.log = await openSequence(config, this.holdersNow(), this.parts);
    if (place === this.place) this.at = place;
    await old.close();
  }

  private holdersNow(): FenceHolders {
    const { holders } = this;
    return {
      apply: (number, what) => holders.apply(number, what),
      raiseFloor: (number) => holders.raiseFloor(number),
      synced: (asOf) => {
        this.syncedAt = Math.max(this.syncedAt, asOf);
      },
      ...(holders.notes === undefined ? {} : { notes: holders.notes }),
    };
  }

  invalidate(what: Invalidation, notes?: readonly Note[]): Promise<number> {
    const tags = what.tags.map(canonicalTag);
    return this.log.invalidate(this.filing.reach({ ...what, tags }), notes);
  }

  get seats(): Seats | null {
    return this.log.seats;
  }

  raiseFloor(why: string): Promise<number> {
    return this.log.raiseFloor(why);
  }

  state(): SequenceState {
    return this.log.state();
  }

  /** Milliseconds from now for which tagged entries may be answered from memory; null: without bound. */
  syncedFor(): number | null {
    if (this.maxUnsynced === Number.POSITIVE_INFINITY) return null;
    return Math.max(0, this.syncedAt + this.maxUnsynced - this.parts.clock.now());
  }

  close(): Promise<void> {
    return this.log.close();
  }
}
