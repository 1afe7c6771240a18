import type { FedBy } from '../../cache/index.ts';
import type { ChangeSourceConfig } from '../../config/model.ts';
import { compileFamilies, type Family, mappingHash } from '../mapping/index.ts';
import { type PositionKind, positionsOf } from '../positions/index.ts';
import { type Asked, BadAfter, parseAfter } from './after.ts';
import type { ChangeView } from './view.ts';

interface Source {
  readonly name: string;
  readonly kind: PositionKind;
  readonly maxWait: number;
  readonly families: readonly Family[];
  readonly mapping: string;
  readonly maxLag: number | null;
  readonly servesLate: boolean;
}

/** A request that waits for positions. */
export interface PositionWait {
  /** Its client has gone. */
  cancel(): void;
}

/**
 * What is known of change sources, in the eyes of one config: of who reads with another mapping it trusts nothing.
 * What was begun under a config ends under it, also where another is in force meanwhile.
 */
export class ChangeLens implements FedBy {
  private readonly view: ChangeView;
  private readonly sources: ReadonlyMap<string, Source>;
  private readonly kinds: ReadonlyMap<string, PositionKind>;
  /** Of the view, when the sets below were found; and until when they hold: `clock.now()`. */
  private version = -1;
  private until = Number.POSITIVE_INFINITY;
  private held: ReadonlySet<string> | null = null;
  private late: ReadonlySet<string> | null = null;

  constructor(view: ChangeView, configs: Readonly<Record<string, ChangeSourceConfig>>) {
    this.view = view;
    this.sources = new Map(Object.entries(configs).map(([name, config]) => [name, compile(name, config)]));
    this.kinds = new Map([...this.sources].map(([name, { kind }]) => [name, kind]));
  }

  get withheld(): ReadonlySet<string> | null {
    this.look();
    return this.held;
  }

  get lagging(): ReadonlySet<string> | null {
    this.look();
    return this.late;
  }

  /** Without a bound on lag the clock is not asked. */
  private look(): void {
    if (
      this.version === this.view.version &&
      (this.until === Number.POSITIVE_INFINITY || this.view.now() < this.until)
    )
      return;
    this.version = this.view.version;
    this.until = Number.POSITIVE_INFINITY;
    const sources = [...this.sources.values()];
    const late = sources.filter((source) => this.isLate(source));
    this.held = familiesOf(
      sources.filter((source) => this.isClosed(source) || (late.includes(source) && !source.servesLate)),
    );
    this.late = familiesOf(late.filter(({ servesLate }) => servesLate));
  }

  /** It is behind, or cut off, for longer than it may be. */
  private isLate({ name, maxLag }: Source): boolean {
    if (maxLag === null) return false;
    const freshAt = this.view.heardOf(name)?.freshAt ?? null;
    if (freshAt === null) return true;
    const lapses = freshAt + maxLag;
    if (this.view.now() >= lapses) return true;
    this.until = Math.min(this.until, lapses);
    return false;
  }

  familiesOf(tags: readonly string[]): string[] | null {
    const carried = new Set<string>();
    for (const source of this.sources.values()) {
      for (const { name, includes } of source.families) {
        if (!tags.some(includes)) continue;
        if (this.isClosed(source)) return null;
        carried.add(name);
      }
    }
    if (this.view.isSettling([...tags, ...carried])) return null;
    for (const tag of tags) carried.delete(tag);
    return [...carried];
  }

  namesOf(tags: readonly string[]): readonly string[] {
    const families = [...this.sources.values()].flatMap((source) => source.families);
    return families.filter(({ includes }) => tags.some(includes)).map(({ name }) => name);
  }

  waitFor(value: string, done: (outcome: 'reached' | 'behind') => void): 'reached' | BadAfter | PositionWait {
    const asked = parseAfter(value, this.kinds);
    if (asked instanceof BadAfter) return asked;
    if (this.coversAll(asked)) return 'reached';
    const names = asked.map(({ source }) => source);
    return this.wait(names, () => this.coversAll(asked), done);
  }

  /** Waits as long as any of these sources allows. */
  wait(
    sources: readonly string[],
    isReached: () => boolean,
    done: (outcome: 'reached' | 'behind') => void,
  ): PositionWait {
    const longest = Math.max(...sources.map((name) => this.sources.get(name)!.maxWait));
    return this.view.wait(isReached, longest, done);
  }

  /** Is everything up to this position applied? What is no position of its source is not. */
  covers(name: string, position: string): boolean {
    const parsed = this.sources.get(name)?.kind.parse(position) ?? null;
    return parsed !== null && this.coversAll([{ source: name, position: parsed }]);
  }

  private coversAll(asked: readonly Asked[]): boolean {
    return asked.every(({ source: name, position }) => {
      const source = this.sources.get(name)!;
      const applied = this.positionOf(source);
      return applied !== null && source.kind.covers(applied, position);
    });
  }

  private positionOf({ name, kind, mapping }: Source): unknown {
    const heard = this.view.heardOf(name);
    if (heard === undefined || heard.position === null || heard.mapping !== mapping) return null;
    return kind.parse(heard.position);
  }

  /** Whoever reads with another mapping fences other tags. */
  private isClosed({ name, mapping }: Source): boolean {
    const heard = this.view.heardOf(name);
    return heard === undefined || heard.closed || heard.mapping !== mapping;
  }
}

function familiesOf(sources: readonly Source[]): ReadonlySet<string> | null {
  const names = sources.flatMap(({ families }) => families.map(({ name }) => name));
  return names.length === 0 ? null : new Set(names);
}

function compile(name: string, config: ChangeSourceConfig): Source {
  return {
    name,
    kind: positionsOf(config.reader),
    maxWait: config.maxWait,
    families: compileFamilies(config),
    mapping: mappingHash(config),
    maxLag: config.maxLag,
    servesLate: config.servesLate,
  };
}
