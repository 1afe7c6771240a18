import { canonicalTag } from '../../util/canonical-tag.ts';
import type { Mapping, RowChange, RowEvent, Touched } from '../contract.ts';
import { keyOf } from './row-key.ts';
import type { Rule, TagCollector } from './rule.ts';

/** With more tags of one transaction, families stand in for them: memory stays bounded whatever its size. */
const MOST_TAGS = 10_000;

const MOST_SHOWN_TAGS = 10;

/** How many of the next rows are to be shown to people. */
export type Wanted = () => number;

/** Hears of events that could not be understood. */
export type Complain = (table: string | null, why: string) => void;

export class TouchedTags implements Touched, TagCollector {
  readonly tags = new Set<string>();
  events = 0;
  skipped = 0;
  private readonly coarse = new Set<string>();
  private readonly mapping: Mapping;
  private readonly rules: ReadonlyMap<string, readonly Rule[]>;
  private readonly complain: Complain;
  readonly rows: RowEvent[] = [];
  private readonly shown: number;
  /** Of the row that is looked at; null: nobody will see it. */
  private own: Set<string> | null = null;

  constructor(
    mapping: Mapping,
    rules: ReadonlyMap<string, readonly Rule[]>,
    complain: Complain,
    shown: number,
  ) {
    this.mapping = mapping;
    this.rules = rules;
    this.complain = complain;
    this.shown = shown;
  }

  add(change: RowChange): void {
    const rules = this.rules.get(change.table);
    if (rules === undefined) return;
    this.events++;
    const faults = this.skipped;
    this.own = this.rows.length < this.shown ? new Set() : null;
    for (const rule of rules) rule.collect(change, this);
    if (this.own !== null && this.own.size > 0) this.show(change, [...this.own]);
    if (this.skipped > faults) {
      this.skipped = faults + 1;
      this.complain(change.table, this.fault);
    }
  }

  private fault = '';

  private show({ table, op, before, after, key }: RowChange, tags: readonly string[]): void {
    const shown = tags.slice(0, MOST_SHOWN_TAGS);
    const row = after ?? before;
    this.rows.push({ table, op, key: keyOf(row, key), tags: shown, more: tags.length - shown.length });
  }

  spoil(table: string | null, why: string | null): void {
    const families =
      table === null ? this.mapping.families : (this.mapping.tables.get(table)?.families ?? []);
    for (const family of families) this.family(family, null);
    if (why === null) return;
    this.events++;
    this.skipped++;
    this.complain(table, why);
  }

  tag(named: string, family: string): void {
    const tag = canonicalTag(named);
    this.own?.add(tag);
    if (this.coarse.has(family)) return;
    if (this.tags.size < MOST_TAGS) this.tags.add(tag);
    else this.family(family, null);
  }

  family(family: string, why: string | null): void {
    this.own?.add(family);
    this.coarse.add(family);
    this.tags.add(family);
    if (why === null) return;
    this.skipped++;
    this.fault = why;
  }
}
