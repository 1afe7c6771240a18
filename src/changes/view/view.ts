import type { ChangeSourceConfig } from '../../config/model.ts';
import type { Clock } from '../../util/clock.ts';
import { compileFamilies, type Family, mappingHash } from '../mapping/index.ts';
import type { SourceNews } from '../news.ts';
import { type PositionKind, positionsOf } from '../positions/index.ts';
import { type Asked, BadAfter, parseAfter } from './after.ts';

interface SourceView {
  readonly kind: PositionKind;
  readonly maxWait: number;
  readonly families: readonly Family[];
  readonly mapping: string;
  position: unknown;
  closed: boolean;
  /** Of the newest that was heard. */
  heard: number;
  /** Tags of changes that origins may not show yet, by the number of each change. */
  readonly settling: Map<number, ReadonlySet<string>>;
}

/** A request that waits for positions. */
export interface PositionWait {
  /** Its client has gone. */
  cancel(): void;
}

interface Waiter {
  readonly asked: readonly Asked[];
  readonly done: (outcome: 'reached' | 'behind') => void;
  readonly timer: object;
}

/**
 * Names the mappings of a config: an entry that was made under another is a miss. It stands in the keys of what is
 * cached. Empty where there is no source.
 */
export function mappingStamp(configs: Readonly<Record<string, ChangeSourceConfig>>): string {
  return Object.values(configs)
    .map((config) => `${config.name}=${mappingHash(config)}`)
    .join(' ');
}

/** What a worker knows of the change sources. It outlives reloads. */
export class ChangeView {
  private readonly clock: Clock;
  private sources = new Map<string, SourceView>();
  private kinds: ReadonlyMap<string, PositionKind> = new Map();
  private readonly waiters = new Set<Waiter>();

  constructor(clock: Clock) {
    this.clock = clock;
  }

  /** At the start and at each reload. Until it is heard of, a source counts as one that is not followed. */
  configure(configs: Readonly<Record<string, ChangeSourceConfig>>): void {
    const before = this.sources;
    this.sources = new Map();
    for (const [name, config] of Object.entries(configs)) {
      const mapping = mappingHash(config);
      const known = before.get(name);
      const same = known?.mapping === mapping;
      this.sources.set(name, {
        kind: positionsOf(config.reader),
        maxWait: config.maxWait,
        families: compileFamilies(config),
        mapping,
        position: same ? known.position : null,
        closed: same ? known.closed : true,
        heard: known?.heard ?? 0,
        settling: known?.settling ?? new Map(),
      });
    }
    this.kinds = new Map([...this.sources].map(([name, { kind }]) => [name, kind]));
  }

  hear(news: readonly SourceNews[]): void {
    for (const { name, number, mapping, position, closed, settling, settled } of news) {
      const source = this.sources.get(name);
      if (source === undefined) continue;
      for (const { id, tags } of settling ?? []) source.settling.set(id, new Set(tags));
      for (const id of settled ?? []) source.settling.delete(id);
      if (number < source.heard) continue;
      source.heard = number;
      // Whoever reads with another mapping fences other tags.
      source.closed = closed || mapping !== source.mapping;
      source.position = position === null || mapping !== source.mapping ? null : source.kind.parse(position);
    }
    for (const waiter of this.waiters) if (this.covers(waiter.asked)) this.end(waiter, 'reached');
  }

  /**
   * What an entry carries beside its tags, so that changes whose tags can't be known reach it too. Null: it must not
   * be stored, since a source that feeds it is not followed now, or an origin may still show what is old.
   */
  familiesOf(tags: readonly string[]): string[] | null {
    const carried = new Set<string>();
    for (const { families, closed, settling } of this.sources.values()) {
      for (const { name, includes } of families) {
        if (!tags.some(includes)) continue;
        if (closed) return null;
        carried.add(name);
      }
      for (const touched of settling.values())
        if (tags.some((tag) => touched.has(tag)) || [...carried].some((name) => touched.has(name)))
          return null;
    }
    for (const tag of tags) carried.delete(tag);
    return [...carried];
  }

  /**
   * The positions of a `tidegate-after`: `reached` at once where they are applied, else `done` is called when they
   * are, or, `behind`, when the longest `maxWait` of these sources is over.
   */
  waitFor(value: string, done: (outcome: 'reached' | 'behind') => void): 'reached' | BadAfter | PositionWait {
    const asked = parseAfter(value, this.kinds);
    if (asked instanceof BadAfter) return asked;
    if (this.covers(asked)) return 'reached';
    const longest = Math.max(...asked.map(({ source }) => this.sources.get(source)!.maxWait));
    const waiter: Waiter = {
      asked,
      done,
      timer: this.clock.after(longest, () => this.end(waiter, 'behind')),
    };
    this.waiters.add(waiter);
    return { cancel: () => this.end(waiter, null) };
  }

  private covers(asked: readonly Asked[]): boolean {
    return asked.every(({ source: name, position }) => {
      const source = this.sources.get(name);
      return (
        source !== undefined && source.position !== null && source.kind.covers(source.position, position)
      );
    });
  }

  private end(waiter: Waiter, outcome: 'reached' | 'behind' | null): void {
    if (!this.waiters.delete(waiter)) return;
    this.clock.cancel(waiter.timer);
    if (outcome !== null) waiter.done(outcome);
  }
}
