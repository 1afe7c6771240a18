import type { Unseated } from '../cache/index.ts';
import type { Clock, Timer } from '../util/clock.ts';
import type { RowEvent, SourceStatus } from './contract.ts';
import { shownFamily } from './mapping/index.ts';

/** What people are shown of change sources, in the words of `GET /v1/events`. */
export type ChangeEvent =
  | { readonly type: 'change'; readonly data: ShownChange }
  /** More than `MOST_A_SECOND` in one second are summed. */
  | {
      readonly type: 'changes';
      readonly data: { readonly source: string; readonly count: number; readonly unseated: number };
    }
  | {
      readonly type: 'source';
      readonly data: { readonly name: string; readonly state: SourceStatus; readonly error: string | null };
    };

export interface ShownChange extends RowEvent {
  readonly source: string;
  /** Entries in the memory of this node's workers that carried one of its tags. */
  readonly unseated: number;
  /** When it was committed, ms since 1970; null where that isn't known. */
  readonly commitMs: number | null;
  /** Milliseconds from then until the node had applied it. */
  readonly afterMs: number | null;
}

export interface FeedParts {
  readonly clock: Clock;
  publish(event: ChangeEvent): void;
}

const MOST_A_SECOND = 50;
/** Tags whose count waits for its change to be applied. */
const MOST_WAITING = 10_000;

/** Rows as they are told, with when they were committed. */
export interface ToldRows {
  readonly rows: readonly (RowEvent & { readonly commitMs: number | null })[];
  /** All rows that were changed with them. */
  readonly count: number;
}

/** The changes that this node has applied, for people to see: one by one, or summed where there are many. */
export class ChangeFeed {
  private readonly parts: FeedParts;
  /** What workers have said that a tag has unseated, for the change that follows. */
  private readonly unseated = new Map<string, number>();
  private readonly summed = new Map<string, number>();
  private left = MOST_A_SECOND;
  private timer: Timer | null = null;

  constructor(parts: FeedParts) {
    this.parts = parts;
  }

  /** How many more rows will be shown by themselves in this second. */
  get wanted(): number {
    return this.left;
  }

  /** What the fences of one invalidation have unseated, in one worker. */
  counted(unseated: Unseated): void {
    for (const [tag, count] of unseated) this.unseated.set(tag, (this.unseated.get(tag) ?? 0) + count);
    if (this.unseated.size > MOST_WAITING) this.unseated.clear();
  }

  changed(source: string, { rows, count }: ToldRows): void {
    this.timer ??= this.parts.clock.after(1000, () => this.secondEnds());
    const shown = rows.slice(0, this.left);
    this.left -= shown.length;
    for (const row of shown) this.show(source, row);
    const rest = count - shown.length;
    if (rest > 0) this.summed.set(source, (this.summed.get(source) ?? 0) + rest);
  }

  stop(): void {
    if (this.timer !== null) this.parts.clock.cancel(this.timer);
    this.timer = null;
  }

  private show(source: string, row: RowEvent & { commitMs: number | null }): void {
    const { table, op, key, tags, more, commitMs } = row;
    const unseated = tags.reduce((sum, tag) => sum + this.take(tag), 0);
    const afterMs = commitMs === null ? null : Math.max(0, this.parts.clock.wall() - commitMs);
    const shown = tags.map(shownFamily);
    const data = { source, table, op, key, tags: shown, more, unseated, commitMs, afterMs };
    this.parts.publish({ type: 'change', data });
  }

  private take(tag: string): number {
    const count = this.unseated.get(tag) ?? 0;
    this.unseated.delete(tag);
    return count;
  }

  private secondEnds(): void {
    this.timer = null;
    this.left = MOST_A_SECOND;
    for (const [source, count] of this.summed) {
      let unseated = 0;
      for (const tag of [...this.unseated.keys()]) unseated += this.take(tag);
      this.parts.publish({ type: 'changes', data: { source, count, unseated } });
    }
    this.summed.clear();
  }
}
