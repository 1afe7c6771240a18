import { Fences, type Invalidation, LocalSequence, type SequenceLog } from '../../src/cache/index.ts';
import { SourceBoard } from '../../src/changes/board.ts';
import { ChangeReader, type SourceDescription } from '../../src/changes/reader/index.ts';
import { loadObject } from '../../src/config/index.ts';
import type { ChangeSourceConfig } from '../../src/config/model.ts';
import { createLogger } from '../../src/telemetry/index.ts';
import { until } from '../../src/testkit/index.ts';
import { systemClock } from '../../src/util/clock.ts';
import { systemRandom } from '../../src/util/random.ts';

/** What stands in a node around its sources: real fences, numbered by a real sequence, and what workers are told. */
export class Node {
  readonly fences = new Fences();
  readonly invalidations: Invalidation[] = [];
  readonly lines: string[] = [];
  readonly closed = new Map<string, boolean>();
  readonly reader: ChangeReader;
  readonly board: SourceBoard;
  readonly sequence: SequenceLog;
  readonly memory = new Map<string, string>();
  /** Before an invalidation holds: a slow worker, say. */
  slow: () => Promise<void> = async () => {};

  constructor({ shared = false, memory }: { shared?: boolean; memory?: Map<string, string> } = {}) {
    if (memory !== undefined) this.memory = memory;
    this.sequence = new LocalSequence({
      apply: async (number, what) => {
        await this.slow();
        this.invalidations.push(what);
        this.fences.apply(number, what);
      },
      raiseFloor: async (number) => this.fences.raiseFloor(number),
      synced: () => {},
    });
    this.board = new SourceBoard({
      clock: systemClock,
      announce: async (news) => {
        for (const { name, closed } of news) this.closed.set(name, closed);
      },
    });
    this.reader = new ChangeReader({
      sequence: this.sequence,
      clock: systemClock,
      random: systemRandom,
      log: createLogger({
        format: 'json',
        writer: { write: (line: string) => void this.lines.push(line) } as never,
      }),
      memory: {
        read: async (key) => this.memory.get(key) ?? null,
        write: async (key, value) => void this.memory.set(key, value),
      },
      shared,
      board: this.board,
    });
  }

  /** What workers hold as not settled yet. */
  settling(name = 'shop') {
    return this.board.news().find((source) => source.name === name)?.settling ?? [];
  }

  source(name = 'shop'): SourceDescription {
    const found = this.reader.describe().find((source) => source.name === name);
    if (found === undefined) throw new Error(`no source ${name}`);
    return found;
  }

  /** Resolves once the source streams and may be answered from. */
  async follow(changes: object): Promise<void> {
    await this.reader.apply(changesOf(changes));
    await this.streaming();
  }

  async streaming(name = 'shop'): Promise<void> {
    await until(
      () => this.source(name).state === 'streaming' && this.closed.get(name) === false,
      `${name} to stream`,
    );
  }

  /** Would an entry with these tags, filled now, be dead later? Gives a question for that. */
  filled(...tags: string[]): () => boolean {
    const entry = { sequence: this.fences.sequence, tags, url: 'http://shop.test/' };
    return () => this.fences.isDead(entry);
  }
}

/** As a config has them, checked and normalised. */
export function changesOf(changes: object): Record<string, ChangeSourceConfig> {
  const { config, issues } = loadObject(
    { services: {}, routes: { a: { match: '/', respond: { status: 204 } } }, changes },
    '.',
    { env: {} },
  );
  if (config === null) throw new Error(issues.map((issue) => issue.message).join('\n'));
  return config.changes;
}
