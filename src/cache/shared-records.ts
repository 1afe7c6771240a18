import type { Clock } from '../util/clock.ts';
import type { Entry } from './entry.ts';
import { currentAge } from './policy/index.ts';
import type { EntryHead, SharedStore } from './shared-store.ts';

/** What is no answer to anybody, and yet kept where nodes share it. */
export interface SharedRecord {
  readonly bytes: Buffer;
  readonly tags: readonly string[];
  /** Number of the newest invalidation from before it was found out. */
  readonly sequence: number;
  /** Milliseconds since 1970 at which it goes. */
  readonly until: number;
}

/** Small records beside the entries of the cache: under the same fences, and encrypted as they are. */
export class SharedRecords {
  private readonly store: () => SharedStore | null;
  private readonly clock: Clock;
  private readonly familiesOf: (tags: readonly string[]) => readonly string[];

  /**
   * @param store The one that nodes share now; null: none.
   * @param familiesOf What a record carries beside its tags, so that changes whose tags can't be known reach it too.
   */
  constructor(
    store: () => SharedStore | null,
    clock: Clock,
    familiesOf: (tags: readonly string[]) => readonly string[],
  ) {
    this.store = store;
    this.clock = clock;
    this.familiesOf = familiesOf;
  }

  /** Null: there is none that no fence unseats, or nobody can tell in time. Never rejects. */
  async get(key: string): Promise<SharedRecord | null> {
    const isFresh = (head: EntryHead) => currentAge(head, this.clock.wall()) < head.lifetime;
    const found = await (this.store()?.get(key, (heads) => heads.findIndex(isFresh)) ?? null);
    if (found === null) return null;
    const { body, tags, sequence, responseAt, lifetime } = found;
    return { bytes: body, tags, sequence, until: responseAt + lifetime * 1000 };
  }

  /** In the background; given up where the store is away or slow. */
  put(key: string, { bytes, tags, sequence, until }: SharedRecord): void {
    const now = this.clock.wall();
    const entry: Entry = {
      ...NO_ANSWER,
      headers: [],
      body: bytes,
      tags: [...tags, ...this.familiesOf(tags)],
      sequence,
      requestAt: now,
      responseAt: now,
      lifetime: (until - now) / 1000,
    };
    void this.store()?.put(key, entry, NO_ANSWER.url);
  }

  delete(key: string): void {
    this.store()?.delete(key);
  }
}

/** What makes an entry an answer, left empty. No URL and no prefix of one reaches it. */
const NO_ANSWER = {
  status: 200,
  ageAtResponse: 0,
  staleWhileRevalidate: 0,
  staleIfError: 0,
  mustRevalidate: true,
  noCache: false,
  varyOn: [],
  varyValues: [],
  private: true,
  etag: undefined,
  lastModified: undefined,
  url: '',
} as const;
