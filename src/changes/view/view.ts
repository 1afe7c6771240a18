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
  /** For how long a change settles, ms. */
  readonly settle: number;
  /** The newest that was heard; null: nothing yet. */
  readonly heard: SourceNews | null;
  readonly position: unknown;
  readonly closed: boolean;
  /** Tags of changes that origins may not show yet. */
  readonly settling: Map<string, SettlingTags>;
}

interface SettlingTags {
  readonly tags: ReadonlySet<string>;
  /** Whoever was to say that it is over has died: `clock.now()`. */
  readonly until: number;
}

/** Beside the time that a change settles, ms: for it to be seen, and to be told of. */
const SETTLING_PATIENCE = 60_000;

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
  /** Families of sources that are not followed now: nothing that carries one is answered. Null: there is none. */
  withheld: ReadonlySet<string> | null = null;

  constructor(clock: Clock) {
    this.clock = clock;
  }

  /** At the start and at each reload. Until it is heard of, a source counts as one that is not followed. */
  configure(configs: Readonly<Record<string, ChangeSourceConfig>>): void {
    const before = this.sources;
    this.sources = new Map();
    for (const [name, config] of Object.entries(configs)) {
      const known = before.get(name);
      const source = {
        kind: positionsOf(config.reader),
        maxWait: config.maxWait,
        families: compileFamilies(config),
        mapping: mappingHash(config),
        settle: config.settle,
        settling: known?.settling ?? new Map(),
      };
      this.sources.set(name, { ...source, ...judge(source, known?.heard ?? null) });
    }
    this.kinds = new Map([...this.sources].map(([name, { kind }]) => [name, kind]));
    this.withhold();
  }

  hear(news: readonly SourceNews[]): void {
    for (const told of news) {
      const source = this.sources.get(told.name);
      if (source === undefined) continue;
      const until = this.clock.now() + source.settle + SETTLING_PATIENCE;
      for (const { id, tags } of told.settling ?? []) source.settling.set(id, { tags: new Set(tags), until });
      for (const id of told.settled ?? []) source.settling.delete(id);
      if (source.heard !== null && told.number < source.heard.number) continue;
      this.sources.set(told.name, { ...source, ...judge(source, told) });
    }
    this.withhold();
    for (const waiter of this.waiters) if (this.covers(waiter.asked)) this.end(waiter, 'reached');
  }

  private withhold(): void {
    const closed = [...this.sources.values()].filter((source) => source.closed);
    const names = closed.flatMap(({ families }) => families.map(({ name }) => name));
    this.withheld = names.length === 0 ? null : new Set(names);
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
      if (settling.size > 0 && this.isSettling(settling, [...tags, ...carried])) return null;
    }
    for (const tag of tags) carried.delete(tag);
    return [...carried];
  }

  private isSettling(settling: Map<string, SettlingTags>, tags: readonly string[]): boolean {
    for (const [id, touched] of settling) {
      if (this.clock.now() > touched.until) settling.delete(id);
      else if (tags.some((tag) => touched.tags.has(tag))) return true;
    }
    return false;
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

/** What was heard, in the eyes of a mapping: whoever reads with another one fences other tags. */
function judge(
  { kind, mapping }: Pick<SourceView, 'kind' | 'mapping'>,
  heard: SourceNews | null,
): Pick<SourceView, 'heard' | 'position' | 'closed'> {
  if (heard === null || heard.mapping !== mapping) return { heard, position: null, closed: true };
  const position = heard.position === null ? null : kind.parse(heard.position);
  return { heard, position, closed: heard.closed };
}
