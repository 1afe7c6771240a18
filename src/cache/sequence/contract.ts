import type { Invalidation } from '../fences/index.ts';

/**
 * Numbers the invalidations of a node and carries each to every holder of a cache. One stands in each node: in
 * the supervisor, or in the process of a gateway that is its own.
 */
export interface SequenceLog {
  /**
   * Resolves with its number once the invalidation is durable and no worker of this node will answer what it
   * unseats. Rejects with an `Unavailable` where the log that nodes share can't be reached: this node then
   * holds it all the same. With notes, all nodes hear of these right behind it; where one of their authors has
   * lost its seat, nothing of it is done, and it rejects with a `Superseded`.
   */
  invalidate(what: Invalidation, notes?: readonly Note[]): Promise<number>;
  /** Everything older is dead: a gap, a lost epoch, a source that lost its place. As `invalidate` otherwise. */
  raiseFloor(why: string): Promise<number>;
  state(): SequenceState;
  /** Null: no other node hears of this log. */
  readonly seats: Seats | null;
  close(): Promise<void>;
}

/** What the reader of a change source tells all nodes through the log, which understands nothing of it. */
export interface Note {
  /** Name of the source. */
  readonly topic: string;
  /** Must have the seat of the topic. */
  readonly author: string;
  /** All that holds of it from now on: kept, for nodes that come later. */
  readonly standing: string;
  /** What only those hear who listen now. */
  readonly event: string | null;
}

/** One node at a time has the seat of a topic, for as long as it asks for it again and again. */
export interface Seats {
  /** Takes the seat or renews it, in one step; `force`: from whoever has it. Rejects where the log is away. */
  take(topic: string, author: string, options: { ms: number; force?: boolean }): Promise<Seated>;
  /** So that the next need not wait for its end. Never rejects. */
  leave(topic: string, author: string): Promise<void>;
}

export interface Seated {
  /** `new`: it was another's, nobody's, or nothing stands that its author has told. */
  readonly mine: 'new' | 'renewed' | false;
  /** What the last note said; null: there was none. */
  readonly standing: string | null;
  /** Another node has asked for it within the last seconds. */
  readonly wanted: boolean;
}

/** Another node has taken the seat of who wrote a note. */
export class Superseded extends Error {
  readonly code = 'SUPERSEDED';
  readonly topic: string;

  constructor(topic: string) {
    super(`another node reads ${topic} now`);
    this.topic = topic;
  }
}

/** Hears what is told through the log, in its order. `held`: once the holders have every fence up to there. */
export interface NoteHearer {
  /** Before the fences that it came with are given to the holders. */
  foretold(notes: readonly Note[]): void;
  /** After that. */
  noted(notes: readonly Note[], held: Promise<unknown>): void;
  /** All that stands, by topic; null: some may have been missed. */
  standing(all: ReadonlyMap<string, string> | null, held: Promise<unknown>): void;
}

export interface SequenceState {
  readonly sequence: number;
  readonly floor: number;
  /** To the log that nodes share; null where there is none. */
  readonly connected: boolean | null;
}

/** The log that nodes share can't be reached. */
export class Unavailable extends Error {
  readonly code = 'UNAVAILABLE';
}

/** To all workers of a node. Each call resolves once every one of them holds it, or its lease has run out. */
export interface FenceHolders {
  apply(number: number, what: Invalidation): Promise<void>;
  raiseFloor(number: number): Promise<void>;
  /**
   * The shared log is complete up to what it held at `asOf` (`clock.now()` of this process): from there the time
   * runs for which tagged answers may still be given from memory.
   */
  synced(asOf: number): void;
  readonly notes?: NoteHearer;
}
