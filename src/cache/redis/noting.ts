import type { Note, NoteHearer } from '../sequence/index.ts';
import { isAfter, type Position } from './follower.ts';

/** What stood of all topics when the log reached so far. */
interface Told {
  readonly last: Position;
  readonly all: ReadonlyMap<string, string>;
}

/**
 * Hands on what the log tells of change sources. Where a part of the log may have been missed, all is unknown
 * until it has been asked what stands, and the log is heard up to where that was so.
 */
export class Noting {
  /** What stands must be asked for. */
  unknown = true;
  private readonly hearer: NoteHearer | null;
  private waiting: Told | null = null;
  /** Of the newest note that was heard. */
  private newest: Position | null = null;

  constructor(hearer: NoteHearer | undefined) {
    this.hearer = hearer ?? null;
    this.unknown = hearer !== undefined;
  }

  foretold(notes: readonly Note[]): void {
    this.hearer?.foretold(notes);
  }

  noted(at: Position, notes: readonly Note[], held: Promise<unknown>): void {
    this.newest = at;
    this.hearer?.noted(notes, held);
  }

  told(last: Position, all: ReadonlyMap<string, string>): void {
    if (this.unknown) this.waiting = { last, all };
  }

  /** The log was heard up to `seen`. */
  heard(seen: Position, held: Promise<unknown>): void {
    const { waiting, newest } = this;
    if (waiting === null || isAfter(waiting.last, seen)) return;
    this.waiting = null;
    // It is of before a note that has come since.
    if (newest !== null && isAfter(newest, waiting.last)) return;
    this.unknown = false;
    this.hearer?.standing(waiting.all, held);
  }

  missed(): void {
    if (this.hearer === null) return;
    this.unknown = true;
    this.waiting = null;
    this.hearer.standing(null, Promise.resolve());
  }
}
