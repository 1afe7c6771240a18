import { placeOf } from '../../cache/index.ts';
import type { CacheConfig, ChangeSourceConfig } from '../../config/model.ts';
import type { Logger } from '../../telemetry/index.ts';
import type { Clock } from '../../util/clock.ts';
import type { Random } from '../../util/random.ts';
import type { WriteNote } from './note.ts';
import { openSharedWrites } from './open-shared.ts';
import { PositionAsker } from './position-asker.ts';
import type { SharedWrites } from './shared-writes.ts';
import { WriteRounds } from './write-rounds.ts';

export interface NodeWritesParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** To all workers: resolves once each has it, or has lost its lease. */
  announceWrites(note: WriteNote): Promise<unknown>;
}

/** A database is given as long as reads wait for it, but so long at least, and no longer; ms. */
const LEAST_PATIENCE = 100;
const LONGEST_PATIENCE = 1000;
const MOST_KEPT = 1000;

interface Followed {
  /** What it was made of. */
  readonly terms: string;
  readonly asker: PositionAsker;
  readonly rounds: WriteRounds;
}

/** Who has written through this node, for all who answer reads: its own workers, and by Redis other nodes. */
export class NodeWrites {
  private readonly parts: NodeWritesParts;
  /** This process among all that tell. */
  private readonly by: string;
  private readonly sources = new Map<string, Followed>();
  private shared: SharedWrites | null = null;
  private place = '';
  /** Clients whose writes are to be found out, by sources that are not followed here yet. */
  private readonly kept = new Map<string, Set<string>>();

  constructor(parts: NodeWritesParts) {
    this.parts = parts;
    this.by = parts.random.hex(6);
  }

  async follow(changes: Readonly<Record<string, ChangeSourceConfig>>, cache: CacheConfig): Promise<void> {
    const wanted = Object.values(changes).filter(({ readYourWrites }) => readYourWrites !== null);
    const place = wanted.length === 0 ? '' : placeOf(cache);
    if (place !== this.place) {
      this.place = place;
      await this.shared?.close();
      this.shared = wanted.length === 0 ? null : await openSharedWrites(cache, this.parts);
    }
    for (const name of [...this.sources.keys()])
      if (this.sources.get(name)!.terms !== termsOf(changes[name])) await this.retire(name);
    for (const source of wanted) if (!this.sources.has(source.name)) this.add(source);
  }

  /** Resolves once the next read of this client can't miss it: within the time that reads wait for the source. */
  async wrote(source: string, key: string): Promise<void> {
    const followed = this.sources.get(source);
    if (followed !== undefined) return await followed.rounds.wrote(key);
    // The worker is ahead with a config: what it tells is found out once this process has it, too.
    this.keep(source, key);
    await this.tell({ source, keys: [key], position: null });
  }

  async stop(): Promise<void> {
    for (const name of [...this.sources.keys()]) await this.retire(name);
    await this.shared?.close();
    this.shared = null;
  }

  private add(source: ChangeSourceConfig): void {
    const { clock, log } = this.parts;
    const { name, reader, maxWait } = source;
    const patience = Math.min(Math.max(maxWait, LEAST_PATIENCE), LONGEST_PATIENCE);
    const asker = new PositionAsker(reader, patience, clock);
    const rounds = new WriteRounds({
      clock,
      log: log.with({ source: name }),
      ask: () => asker.ask(),
      isResting: () => asker.isResting,
      tell: (keys, position) => this.tell({ source: name, keys, position }),
    });
    this.sources.set(name, { terms: termsOf(source), asker, rounds });
    // So that the first who writes needn't wait for the connection.
    asker.ask().catch(() => {});
    for (const key of this.kept.get(name) ?? []) void rounds.wrote(key);
    this.kept.delete(name);
  }

  private keep(source: string, key: string): void {
    const keys = this.kept.get(source) ?? new Set();
    if (this.kept.size < MOST_KEPT && keys.size < MOST_KEPT) this.kept.set(source, keys.add(key));
  }

  private async retire(name: string): Promise<void> {
    const { asker, rounds } = this.sources.get(name)!;
    this.sources.delete(name);
    for (const key of await rounds.stop()) this.keep(name, key);
    asker.close();
  }

  private async tell(note: WriteNote): Promise<boolean> {
    const { shared } = this;
    const told =
      shared === null
        ? true
        : shared.note(this.by, note.keys, note.position).then(
            () => true,
            () => false,
          );
    const heard = this.parts.announceWrites(note).then(
      () => true,
      () => false,
    );
    return (await heard) && (await told);
  }
}

function termsOf(source: ChangeSourceConfig | undefined): string {
  return source === undefined || source.readYourWrites === null
    ? ''
    : JSON.stringify([source.reader, source.maxWait]);
}
