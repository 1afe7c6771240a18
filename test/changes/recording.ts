import { mappingOf } from '../../src/changes/fixtures.ts';
import type {
  ChangeBatch,
  SourceMemory,
  SourceParts,
  SourceSink,
  SourceStatus,
} from '../../src/changes/index.ts';
import { silentLogger } from '../../src/telemetry/index.ts';
import { systemClock } from '../../src/util/clock.ts';
import { systemRandom } from '../../src/util/random.ts';

/** What a source said, in place of the cache: for tests of sources against real servers. */
export class Recording implements SourceSink {
  readonly mapping;
  /** Tags of the batches that are applied, in order. */
  readonly tags: string[] = [];
  readonly seen = new Set<string>();
  readonly positions: string[] = [];
  readonly complaints: string[] = [];
  readonly gaps: string[] = [];
  readonly closings: string[] = [];
  readonly states: { state: SourceStatus; error: string | null }[] = [];
  opened = 0;
  /** How often it has said that nothing is left to apply. */
  heard = 0;
  batches = 0;
  /** Batches wait for this before they are applied. */
  hold: Promise<void> = Promise.resolve();
  private turn: Promise<void> = Promise.resolve();

  constructor(tables: Record<string, string[]>) {
    this.mapping = mappingOf(tables, (table, why) => this.complaints.push(`${table}: ${why}`));
  }

  /** In their order, as what stands in its place in a node does, whichever can be seen first. */
  apply({ position, touched, visible }: ChangeBatch): Promise<void> {
    const { turn } = this;
    const applied = (async () => {
      await this.hold;
      await visible?.();
      await turn;
      this.batches++;
      this.tags.push(...touched.tags);
      for (const tag of touched.tags) this.seen.add(tag);
      this.positions.push(position);
    })();
    this.turn = applied.catch(() => {});
    return applied;
  }

  passed(position: string): void {
    this.positions.push(position);
  }

  async lost(why: string): Promise<void> {
    this.gaps.push(why);
  }

  async close(why: string): Promise<void> {
    this.closings.push(why);
  }

  async open(): Promise<void> {
    this.opened++;
  }

  state(state: SourceStatus, error: string | null = null): void {
    this.states.push({ state, error });
  }

  current(): void {
    this.heard++;
  }

  lag(): void {}

  /** From now on nothing is applied; returns what ends the waiting, as a stop of the node does. */
  freeze(): () => void {
    let end = () => {};
    this.hold = new Promise((_, reject) => {
      end = () => reject(new Error('the source was stopped'));
    });
    this.hold.catch(() => {});
    return end;
  }

  get status(): SourceStatus | undefined {
    return this.states.at(-1)?.state;
  }
}

export class RecordingMemory implements SourceMemory {
  readonly values = new Map<string, string>();

  async read(key: string): Promise<string | null> {
    return this.values.get(key) ?? null;
  }

  async write(key: string, value: string): Promise<void> {
    this.values.set(key, value);
  }
}

export function partsFor(sink: SourceSink, more: Partial<SourceParts> = {}): SourceParts {
  return {
    name: 'test',
    sink,
    clock: systemClock,
    random: systemRandom,
    log: silentLogger,
    memory: new RecordingMemory(),
    shared: true,
    bounded: false,
    ...more,
  };
}
