import { type OwnWrites, placeOf } from '../../cache/index.ts';
import type { CacheConfig, ChangeSourceConfig } from '../../config/model.ts';
import type { Variables } from '../../expression/index.ts';
import type { Exchange } from '../../http/exchange.ts';
import type { Clock } from '../../util/clock.ts';
import type { Random } from '../../util/random.ts';
import type { ChangeLens, ChangeView } from '../view/index.ts';
import { type ClientKey, compileClientKey } from './client-key.ts';
import { ClientWrites } from './client-writes.ts';
import type { WriteNote } from './note.ts';
import { openSharedWrites } from './open-shared.ts';
import type { SharedWrites } from './shared-writes.ts';
import { Written } from './written.ts';

export interface WriteRoomParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly view: ChangeView;
  /** The variables of expressions for a request. */
  variables(exchange: Exchange): Variables;
  /** Tells the node that a client has written. Resolves once each worker has heard of it. */
  tell(source: string, key: string): Promise<unknown>;
}

type Config = { readonly changes: Readonly<Record<string, ChangeSourceConfig>>; readonly cache: CacheConfig };

/** What a worker knows of who has written what. It outlives reloads. */
export class WriteRoom {
  readonly written: Written;
  private readonly parts: WriteRoomParts;
  private shared: SharedWrites | null = null;
  private place = '';
  /** For which tagged entries are answered though the log that nodes share is away; ms. */
  private maxUnsynced = Number.POSITIVE_INFINITY;
  private closed = false;

  constructor(parts: WriteRoomParts) {
    this.parts = parts;
    this.written = new Written(parts.clock);
  }

  get isShared(): boolean {
    return this.shared !== null;
  }

  variables(exchange: Exchange): Variables {
    return this.parts.variables(exchange);
  }

  hear(note: WriteNote): void {
    this.written.hear(note);
    this.parts.view.recheck();
  }

  /** Null where no source tells clients apart. */
  compile({ changes }: Config, lens: ChangeLens | null): OwnWrites | null {
    const keys = new Map<string, ClientKey>();
    for (const { name, readYourWrites } of Object.values(changes))
      if (readYourWrites !== null) keys.set(name, compileClientKey(name, readYourWrites));
    return lens === null || keys.size === 0 ? null : new ClientWrites(this, lens, keys);
  }

  /** At first, and with each config that comes into force. */
  async follow({ changes, cache }: Config): Promise<void> {
    this.maxUnsynced = cache.maxUnsynced;
    const isWanted = Object.values(changes).some(({ readYourWrites }) => readYourWrites !== null);
    const place = isWanted ? placeOf(cache) : '';
    if (place === this.place) return;
    this.place = place;
    const old = this.shared;
    this.shared = null;
    await old?.close();
    if (!isWanted) return;
    const shared = await openSharedWrites(cache, this.parts);
    if (this.closed || place !== this.place) return void (await shared?.close());
    this.shared = shared;
  }

  /** Never rejects. Where the node can't be told, at least this worker knows. */
  async wrote(source: string, key: string): Promise<void> {
    await this.parts.tell(source, key).catch(() => this.hear({ source, keys: [key], position: null }));
  }

  /**
   * What other nodes say that a client has written. Rejects where nobody can tell, and it matters: an entry that is older
   * may still be answered for as long as this node may be behind the log that nodes share.
   */
  async recall(key: string): Promise<readonly (string | null)[]> {
    const { shared } = this;
    if (shared === null) return [];
    if (this.maxUnsynced === Number.POSITIVE_INFINITY) return await shared.recall(key).catch(() => []);
    // One that has just come back may have lost what it was told.
    if (shared.steadyFor < this.maxUnsynced) throw new Error('Redis has come or gone a moment ago');
    return shared.connected ? await this.surely(shared, key) : [];
  }

  private async surely(shared: SharedWrites, key: string): Promise<readonly (string | null)[]> {
    const positions = await shared.recall(key);
    if (shared.steadyFor < this.maxUnsynced) throw new Error('Redis has come or gone meanwhile');
    return positions;
  }

  async close(): Promise<void> {
    this.closed = true;
    await this.shared?.close();
    this.shared = null;
  }
}
