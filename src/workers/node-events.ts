/** What happened at a node, for people and programs that watch it. */
export interface NodeEvent {
  /** Null: it is not kept, and nobody gets it later. */
  readonly id: number | null;
  /** `change`, `changes`, `source`, `purge`, `reload`, `health`; `sample`, which is not kept. */
  readonly type: string;
  readonly data: object;
}

export interface EventReader {
  /** Called at once, in order. */
  event(event: NodeEvent): void;
}

/** What is remembered for a reader that comes back. */
const MOST_REMEMBERED = 1_000;

/** The events of a node: the last thousand are kept, so that a reader which lost its connection misses nothing. */
export class NodeEvents {
  private readonly kept: (NodeEvent & { readonly id: number })[] = [];
  private readonly readers = new Set<EventReader>();
  private last: number;

  /** @param now Milliseconds since 1970: ids go on from there, so that those of another life of the node are older. */
  constructor(now: number) {
    this.last = Math.floor(now) * 1000;
  }

  publish(type: string, data: object): void {
    const event = { id: ++this.last, type, data };
    this.kept.push(event);
    if (this.kept.length > MOST_REMEMBERED) this.kept.shift();
    for (const reader of this.readers) reader.event(event);
  }

  /** For those who read now alone. */
  pass(type: string, data: object): void {
    for (const reader of this.readers) reader.event({ id: null, type, data });
  }

  get reading(): number {
    return this.readers.size;
  }

  /**
   * All that comes from now on, and first what came after `after`. Gives false where something after it is no longer
   * known. `stop` ends it.
   */
  read(after: number | null, reader: EventReader): { readonly complete: boolean; stop(): void } {
    this.readers.add(reader);
    const stop = () => void this.readers.delete(reader);
    if (after === null || after === this.last) return { complete: true, stop };
    // What is newer than all comes from another life of the node: all that is remembered is new to its reader.
    const missed = this.kept.filter(({ id }) => id > after || after > this.last);
    const complete = missed[0]?.id === after + 1;
    for (const event of missed) reader.event(event);
    return { complete, stop };
  }
}
