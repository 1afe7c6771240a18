import { Fences, NodeSequence, queryRules } from '../../src/cache/index.ts';
import { postgresEvent } from '../../src/changes/debezium/fixtures.ts';
import { type ChangeLens, ChangeView, NodeChanges, notesTo } from '../../src/changes/index.ts';
import { loadObject } from '../../src/config/index.ts';
import type { GatewayConfig } from '../../src/config/model.ts';
import { createLogger } from '../../src/telemetry/index.ts';
import { until } from '../../src/testkit/index.ts';
import { systemClock } from '../../src/util/clock.ts';
import { systemRandom } from '../../src/util/random.ts';

/** What of a node has to do with change sources, with one worker, on a Redis that it shares with others. */
export class SharedNode {
  readonly fences = new Fences();
  readonly view = new ChangeView(systemClock);
  readonly sequence: NodeSequence;
  readonly changes: NodeChanges;
  readonly lines: string[] = [];
  lens!: ChangeLens;

  private constructor() {
    const log = createLogger({
      format: 'json',
      writer: { write: (line: string) => void this.lines.push(line) } as never,
    });
    const parts = { clock: systemClock, random: systemRandom, log };
    this.sequence = new NodeSequence(
      {
        apply: async (number, what) => this.fences.apply(number, what),
        raiseFloor: async (number) => this.fences.raiseFloor(number),
        reset: async () => this.fences.restart(),
        notes: notesTo(() => this.changes),
      },
      parts,
    );
    this.changes = new NodeChanges({
      ...parts,
      sequence: this.sequence,
      announce: async (news) => this.view.hear(news),
      announceWrites: async () => {},
    });
  }

  static async start(redis: string, changes: object): Promise<SharedNode> {
    const node = new SharedNode();
    await node.follow(redis, changes);
    return node;
  }

  async follow(redis: string, changes: object): Promise<void> {
    const config = configOf(redis, changes);
    this.lens = this.view.lens(config.changes)!;
    await this.sequence.follow(config.cache, queryRules(config));
    await this.changes.follow(config);
  }

  /** May what carries this tag be kept, and answered? */
  keeps(tag: string): boolean {
    const families = this.lens.familiesOf([tag]);
    return families !== null && ![tag, ...families].some((name) => this.lens.withheld?.has(name));
  }

  async opens(tag: string): Promise<void> {
    await until(() => this.keeps(tag), `${tag} to be kept`);
  }

  /** An entry that is filled now: is it dead, later? */
  filled(tag: string): () => boolean {
    const tags = [tag, ...(this.lens.familiesOf([tag]) ?? [])];
    const entry = { sequence: this.fences.sequence, tags, url: 'http://shop.test/' };
    return () => this.fences.isDead(entry);
  }

  /** A row changes, and this node is told of it. */
  async post(id: number, lsn = 0x35c68778): Promise<void> {
    const event = postgresEvent('u', { id }, { id }) as { source: object };
    const source = { ...event.source, sequence: JSON.stringify([String(lsn), String(lsn + 8)]) };
    const body = Buffer.from(JSON.stringify({ ...event, source }));
    const reply = await this.changes.push('it', { headers: { authorization: 'Bearer secret' }, body });
    if (reply?.status !== 200) throw new Error(JSON.stringify(reply));
  }

  /** Is a position reached, at once or within its time? */
  reaches(position: string): Promise<boolean> {
    return new Promise((resolve) => {
      const wait = this.lens.waitFor(`it=${position}`, (outcome) => resolve(outcome === 'reached'));
      if (wait === 'reached') resolve(true);
    });
  }

  async close(): Promise<void> {
    await this.changes.stop();
    await this.sequence.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

export function configOf(redis: string, changes: object): GatewayConfig {
  const { config, issues } = loadObject(
    { services: {}, cache: { redis }, routes: { a: { match: '/', respond: { status: 204 } } }, changes },
    '.',
    { env: {} },
  );
  if (config === null) throw new Error(issues.map((issue) => issue.message).join('\n'));
  return config;
}
