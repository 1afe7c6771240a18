import type { SourceMemory } from '../contract.ts';
import type { Identity } from './stream.ts';

/** What must be the same for a stream to go on where it was. */
export interface Circumstances extends Identity {
  readonly publication: string;
  readonly mapping: string;
  /** By table, as `TableRow` has them. */
  readonly shapes: Readonly<Record<string, string>>;
}

/** What is known of a source from one connection to the next, and, where nodes share a log, from one node to the next. */
export class Remembered {
  /** Everything up to here was applied by this reader. */
  flushed: bigint | null = null;
  private readonly key: string;
  private last: Circumstances | null = null;
  private why: string | null = null;

  constructor(source: string) {
    this.key = `postgres:${source}`;
  }

  /** Changes may have passed unseen. Kept until it has been fenced. */
  gap(why: string): void {
    this.why ??= why;
  }

  takeGap(): string | null {
    const { why } = this;
    this.why = null;
    return why;
  }

  /** Who ends before what it finds is fenced must leave it to the next: `keep` comes after that. */
  async compare(now: Circumstances, memory: SourceMemory | null): Promise<void> {
    const text = memory === null ? null : await memory.read(this.key);
    const last = text ? (JSON.parse(text) as Circumstances) : text === '' ? null : this.last;
    if (last !== null) this.compareWith(last, now);
    // A reader that has never read leaves what an earlier one knew in doubt.
    else if (memory !== null) this.gap('nothing is known of an earlier reader');
    this.last = now;
  }

  /** What DDL has changed is fenced: the next connection is to begin from there. */
  async reshaped(shapes: Circumstances['shapes'], memory: SourceMemory | null): Promise<void> {
    if (this.last === null) return;
    this.last = { ...this.last, shapes };
    await this.keep(memory);
  }

  async keep(memory: SourceMemory | null): Promise<void> {
    await memory?.write(this.key, JSON.stringify(this.last));
  }

  /** Before a slot is made, which tells nobody that it is new. */
  async forget(memory: SourceMemory | null): Promise<void> {
    await memory?.write(this.key, '');
  }

  private compareWith(last: Circumstances, now: Circumstances): void {
    if (last.system !== now.system) this.gap('the database is another one');
    else if (last.timeline !== now.timeline) this.gap('the database was restored, or a standby was promoted');
    else if (last.publication !== now.publication) this.gap('the publication was changed');
    else if (last.mapping !== now.mapping) this.gap('the mapping was changed');
    else return this.compareShapes(last, now);
    this.flushed = null;
  }

  /** DDL is not in the stream, so what happened while nobody looked is not told by it either. */
  private compareShapes({ shapes: before = {} }: Partial<Circumstances>, { shapes }: Circumstances): void {
    const changed = Object.keys(shapes).find((table) => before[table] !== shapes[table]);
    if (changed !== undefined) this.gap(`${changed} was changed by DDL`);
  }
}
