import type { Entry } from './entry.ts';

/** All of an entry but its content: enough to choose a variant by. */
export type EntryHead = Omit<Entry, 'body'>;

export interface SharedStoreState {
  readonly state: 'connected' | 'away';
  /** Wall clock, ms. */
  readonly since: number;
  /** Why it is away; null where it is there. */
  readonly reason: string | null;
  /** It has no room: what it holds is read, and nothing new is kept. */
  readonly full: boolean;
  /** Entries that were to be stored and weren't: it was away, full or too slow. */
  readonly dropped: number;
}

/** The second level: entries that all workers and nodes share. */
export interface SharedStore {
  /**
   * The best stored variant: `choose` gets the heads of those that no fence in the store unseats, and picks one
   * by its index, or none (-1). Null: nothing there, or the store is away. Never rejects, and ends within the
   * store's timeout. The caller compares what it gets with its own fences once more.
   */
  get(key: string, choose: (variants: readonly EntryHead[]) => number): Promise<Entry | null>;
  /** In the background, bounded; resolves once it is there or given up, never rejects; dropped where the store is slow or away. `url`: what purges by URL or prefix name. */
  put(key: string, entry: Entry, url: string): Promise<void>;
  delete(key: string): void;
  /**
   * Collapsed forwarding across nodes. `mine`: the caller fills it, and calls `release` when done; should it die, its
   * claim ends within `ms`. `theirs`: another one does. `away`: nobody can tell; go on alone.
   */
  claim(key: string, ms: number): Promise<'mine' | 'theirs' | 'away'>;
  release(key: string): void;
  /** Resolves when nobody claims the key any more (filled or given up), when the store is lost, or after `ms`. */
  settled(key: string, ms: number): Promise<void>;
  /** Is this the first time that anybody names it, or was it named within `ms` already? `away`: nobody can tell. */
  once(name: string, ms: number): Promise<'first' | 'again' | 'away'>;
  /** The secret that all share who share the store: `own` from now on where there is none. Null: nobody can tell now. */
  secret(own: string): Promise<string | null>;
  describe(): SharedStoreState;
  close(): Promise<void>;
}
