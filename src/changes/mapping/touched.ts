import type { Mapping, RowChange, Touched } from '../contract.ts';
import type { Rule, TagCollector } from './rule.ts';

/** With more tags of one transaction, families stand in for them: memory stays bounded whatever its size. */
const MOST_TAGS = 10_000;

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

  constructor(mapping: Mapping, rules: ReadonlyMap<string, readonly Rule[]>, complain: Complain) {
    this.mapping = mapping;
    this.rules = rules;
    this.complain = complain;
  }

  add(change: RowChange): void {
    const rules = this.rules.get(change.table);
    if (rules === undefined) return;
    this.events++;
    const faults = this.skipped;
    for (const rule of rules) rule.collect(change, this);
    if (this.skipped > faults) {
      this.skipped = faults + 1;
      this.complain(change.table, this.fault);
    }
  }

  private fault = '';

  spoil(table: string | null, why: string | null): void {
    const families =
      table === null ? this.mapping.families : (this.mapping.tables.get(table)?.families ?? []);
    for (const family of families) this.family(family, null);
    if (why === null) return;
    this.events++;
    this.skipped++;
    this.complain(table, why);
  }

  tag(tag: string, family: string): void {
    if (this.coarse.has(family)) return;
    if (this.tags.size < MOST_TAGS) this.tags.add(tag);
    else this.family(family, null);
  }

  family(family: string, why: string | null): void {
    this.coarse.add(family);
    this.tags.add(family);
    if (why === null) return;
    this.skipped++;
    this.fault = why;
  }
}
