import type { Entry } from '../../../src/cache/entry.ts';
import { type Fenced, Fences, type Invalidation } from '../../../src/cache/fences/index.ts';
import { entryOf as plainEntry } from '../../../src/cache/fixtures.ts';
import {
  type Keyspace,
  keyspaceFor,
  NO_SEAL,
  RedisSequence,
  RedisStore,
  type Seal,
} from '../../../src/cache/redis/index.ts';
import type { FenceHolders } from '../../../src/cache/sequence/index.ts';
import { connectRedis, type RedisConfig, type RedisLink } from '../../../src/redis/index.ts';
import { createLogger } from '../../../src/telemetry/index.ts';
import { type RedisServer, until } from '../../../src/testkit/index.ts';
import { systemClock } from '../../../src/util/clock.ts';
import { systemRandom } from '../../../src/util/random.ts';

export const TIMEOUT = 100;
/** For tests of something else, which a busy machine must not disturb. */
export const PATIENT = 3000;
/** Milliseconds that a call may last beyond its deadline. */
export const SLACK = 20;

export function configFor(port: number, more: Partial<RedisConfig> = {}): RedisConfig {
  const endpoint = { host: '127.0.0.1', port, username: null, password: null, database: 0 };
  return { kind: 'single', endpoints: [endpoint], name: null, commandTimeout: TIMEOUT, tls: null, ...more };
}

/** A link, and the lines that it has written to the log. */
export function linkTo(config: RedisConfig): { link: RedisLink; lines: string[] } {
  const lines: string[] = [];
  const log = createLogger({
    format: 'json',
    writer: { write: (line: string) => void lines.push(line) } as never,
  });
  return { link: connectRedis(config, { clock: systemClock, random: systemRandom, log }), lines };
}

/** What one node of a deployment consists of, as far as Redis is concerned: a worker and its supervisor. */
export class Node implements FenceHolders {
  readonly fences = new Fences();
  readonly store: RedisStore;
  readonly sequence: RedisSequence;
  readonly lines: string[];
  /** Milliseconds. */
  readonly timeout: number;
  readonly applied: { number: number; what: Invalidation }[] = [];
  readonly floors: number[] = [];
  /** Of `systemClock.now()`. */
  syncedAt = Number.NEGATIVE_INFINITY;

  constructor(
    config: RedisConfig,
    {
      seal = NO_SEAL,
      logConfig = config,
      keys = keyspaceFor('tidegate', config.kind),
    }: { seal?: Seal; logConfig?: RedisConfig; keys?: Keyspace } = {},
  ) {
    const forStore = linkTo(config);
    const forLog = linkTo(logConfig);
    this.lines = forLog.lines;
    this.timeout = config.commandTimeout;
    const log = createLogger({
      format: 'json',
      writer: { write: (line: string) => void this.lines.push(line) } as never,
    });
    const parts = { clock: systemClock, random: systemRandom, log, keys, timeout: config.commandTimeout };
    this.store = new RedisStore(forStore.link, { ...parts, seal, newest: () => this.fences.sequence });
    this.sequence = new RedisSequence(forLog.link, { ...parts, holders: this });
  }

  async apply(number: number, what: Invalidation): Promise<void> {
    this.fences.apply(number, what);
    this.applied.push({ number, what });
  }

  async raiseFloor(number: number): Promise<void> {
    this.fences.raiseFloor(number);
    this.floors.push(number);
  }

  synced(asOf: number): void {
    this.syncedAt = Math.max(this.syncedAt, asOf);
  }

  /** Resolves once it has joined the log and its store answers. */
  async ready(): Promise<void> {
    await until(() => this.isReady(), 'the node to be connected', 10_000);
  }

  isReady(): boolean {
    return this.sequence.state().connected === true && this.store.describe().state === 'connected';
  }

  /** As a worker does it: what the shared store gives is compared with the worker's own fences, too. */
  async read(key: string, url = urlOf(key)): Promise<string | null> {
    const entry = await this.store.get(key, (variants) => (variants.length > 0 ? 0 : -1));
    if (entry === null) return null;
    const fenced: Fenced = { sequence: entry.sequence, tags: entry.tags, url };
    return this.fences.isDead(fenced) ? null : entry.body.toString();
  }

  /** Fills a key, again if a fence of this node unseats it, until it can be read. */
  async fill(key: string, tags: string[], body = 'v1'): Promise<void> {
    await until(async () => {
      const { sequence } = this.fences;
      this.store.put(key, entryOf({ tags, sequence, body: Buffer.from(body) }), urlOf(key));
      return (await this.read(key)) === body;
    }, `${key} to be stored`);
  }

  async close(): Promise<void> {
    await this.sequence.close();
    await this.store.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

export async function startNode(
  server: RedisServer,
  { commandTimeout = PATIENT, seal }: { commandTimeout?: number; seal?: Seal } = {},
): Promise<Node> {
  const config = configFor(server.port, { commandTimeout });
  const node = new Node(config, seal === undefined ? {} : { seal });
  await node.ready();
  return node;
}

export function urlOf(key: string): string {
  return `http://shop.test/${key}`;
}

export function entryOf(part: Partial<Entry> = {}): Entry {
  const now = Date.now();
  const headers = ['Content-Type', 'text/plain', 'X-Word', 'caf\u00e9'];
  return plainEntry({ headers, body: Buffer.from('hello'), requestAt: now - 5, ...part }, now);
}

export const purge = (part: Partial<Invalidation>): Invalidation => ({
  tags: [],
  prefixes: [],
  all: false,
  soft: false,
  ...part,
});
