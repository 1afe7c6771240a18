import type { Invalidation, SequenceLog, SharedStoreState } from '../cache/index.ts';

/** What one worker tells of its cache, asked on the topic `cache`. */
export interface WorkerCacheState {
  /** Of its memory. Bytes; `limit` is what it may hold. */
  readonly entries: number;
  readonly bytes: number;
  readonly limit: number;
  readonly hits: number;
  readonly misses: number;
  readonly evictions: number;
  /** Null: there is no second level. */
  readonly redis: SharedStoreState | null;
}

/** What the caches of a node have counted: also those of workers that are gone, or don't answer. */
export interface CacheCounts {
  readonly hits: number;
  readonly misses: number;
  readonly evictions: number;
  /** Entries that were to be kept in Redis and were not. */
  readonly dropped: number;
}

/** Those of the workers that answer, and what was counted in all. */
export interface CachesTold {
  readonly states: readonly WorkerCacheState[];
  readonly counts: CacheCounts;
}

/** The caches of a node together: what `GET /v1/cache` answers. */
export interface CacheView extends Omit<WorkerCacheState, 'redis'> {
  /** Number of the newest invalidation. */
  readonly sequence: number;
  /** Everything that was filled before it is dead. */
  readonly floor: number;
  /** `since` as text (ISO 8601); `log`: whether the log of invalidations is followed. */
  readonly redis: (Omit<SharedStoreState, 'since'> & { since: string; log: boolean | null }) | null;
}

/** What the admin listener asks of the caches of a node. */
export interface CacheControl {
  cache(): Promise<CacheView>;
  /**
   * Resolves once no worker of this node will serve what was purged. Rejects with code UNAVAILABLE where the
   * other nodes could not be told; on this node it is done all the same.
   */
  purge(what: Invalidation): Promise<{ sequence: number }>;
}

/** @param caches Asks every worker of the node. */
export function cacheControl(
  sequence: Pick<SequenceLog, 'invalidate' | 'state'>,
  caches: () => Promise<CachesTold>,
): CacheControl {
  return {
    cache: async () => together(await caches(), sequence.state()),
    purge: async (what) => ({ sequence: await sequence.invalidate(what) }),
  };
}

function together(
  { states, counts }: CachesTold,
  { sequence, floor, connected }: ReturnType<SequenceLog['state']>,
): CacheView {
  const sum = (key: 'entries' | 'bytes' | 'limit') => states.reduce((total, state) => total + state[key], 0);
  const { dropped, ...counted } = counts;
  return {
    entries: sum('entries'),
    bytes: sum('bytes'),
    limit: sum('limit'),
    ...counted,
    sequence,
    floor,
    redis: redisOf(states, dropped, connected),
  };
}

/** Each worker has its own connection: if one lost it, that is what an operator must see. */
function redisOf(
  states: readonly WorkerCacheState[],
  dropped: number,
  log: boolean | null,
): CacheView['redis'] {
  const told = states.flatMap(({ redis }) => (redis === null ? [] : [redis]));
  const shown = told.find(({ state }) => state === 'away') ?? told[0];
  if (shown === undefined) return null;
  return {
    state: shown.state,
    since: new Date(shown.since).toISOString(),
    reason: shown.reason,
    full: told.some(({ full }) => full),
    dropped,
    log,
  };
}
