import { connectRedis, type RedisConfig, type RedisLink } from '../../redis/index.ts';
import { silentLogger } from '../../telemetry/index.ts';
import type { Source, SourceParts } from '../contract.ts';
import { DebeziumFeed } from '../debezium/index.ts';
import { Pauses } from '../pauses.ts';
import type { StreamEntry } from './entries.ts';
import { BLOCK, StreamGroup } from './group.ts';
import { RENEW_EVERY, ReaderSeat } from './seat.ts';

export interface RedisSourceConfig {
  readonly redis: RedisConfig;
  /** Debezium's topics: `shop.public.orders`. */
  readonly streams: readonly string[];
  readonly group: string;
}

/** Milliseconds after which a read that should have come back long ago is given up. */
const READ_TIMEOUT = BLOCK + 1500;
const ASK_TIMEOUT = 1000;

/** Debezium's events from Redis Streams, by a consumer group: acknowledged only once they are applied. */
export function createRedisSource(config: RedisSourceConfig, parts: SourceParts): Source {
  return new RedisSource(config, parts);
}

class RedisSource implements Source {
  private readonly config: RedisSourceConfig;
  private readonly parts: SourceParts;
  private readonly feed: DebeziumFeed;
  private readonly pauses: Pauses;
  private readonly me: string;
  private running: Promise<void> | null = null;
  private asking: RedisLink | null = null;
  private reading: RedisLink | null = null;
  private epoch: string | null = null;
  private opened = false;
  /** By stream: entries that are known to be missing already. */
  private readonly missing = new Map<string, number>();
  /** By stream: entries that were delivered to the group, as far as is known here. */
  private readonly delivered = new Map<string, number>();
  private renewed = Number.NEGATIVE_INFINITY;

  constructor(config: RedisSourceConfig, parts: SourceParts) {
    this.config = config;
    this.parts = parts;
    this.feed = new DebeziumFeed(parts.sink);
    this.pauses = new Pauses(parts.clock);
    this.me = parts.random.hex(8);
  }

  start(): void {
    const links = { ...this.parts, log: silentLogger };
    this.asking = connectRedis({ ...this.config.redis, commandTimeout: ASK_TIMEOUT }, links);
    this.reading = connectRedis({ ...this.config.redis, commandTimeout: READ_TIMEOUT }, links);
    this.parts.sink.state('connecting');
    this.running = this.run(this.asking, this.reading);
  }

  async stop(): Promise<void> {
    this.pauses.stop();
    await this.reading?.close();
    await this.running;
    await this.asking?.close();
  }

  private async run(asking: RedisLink, reading: RedisLink): Promise<void> {
    const group = new StreamGroup(this.config.streams, this.config.group, asking, reading);
    const key = `tidegate:reader:${this.config.group}:${this.config.streams.join(',')}`;
    const seat = new ReaderSeat(asking, key, this.me);
    while (!this.pauses.stopped) {
      try {
        if (await this.seated(seat)) await this.follow(group, seat);
      } catch (error) {
        if (this.pauses.stopped) break;
        await this.broken(error as Error);
      }
      await this.pauses.wait(200);
    }
    await seat.leave();
  }

  private async broken(error: Error): Promise<void> {
    this.parts.sink.state('connecting', error.message);
    if (!error.message.startsWith('NOGROUP') && !/no such key/i.test(error.message)) return;
    // What stood in it is unknown; what stands in its successor is read from its beginning.
    const group = new StreamGroup(this.config.streams, this.config.group, this.asking!, this.reading!);
    const made = await group.ensure('0').catch(() => []);
    if (made.length > 0) await this.lost(goneGroup(made));
  }

  /**
   * A group that is made leaves no trace of the one that was there, nor an entry that was trimmed once it is claimed.
   * True: who began before, here or elsewhere, has not told of what it found.
   */
  private async begin(): Promise<boolean> {
    const { memory } = this.parts;
    if (await memory.read(this.beginning)) return true;
    await memory.write(this.beginning, this.me);
    return false;
  }

  private get beginning(): string {
    return `redis:${this.parts.name}:beginning`;
  }

  private async seated(seat: ReaderSeat): Promise<boolean> {
    const mine = await seat.take();
    this.renewed = this.parts.clock.now();
    if (mine) return true;
    const { sink, shared } = this.parts;
    if (shared)
      sink.state(
        'connecting',
        `another reader has the group "${this.config.group}"; this one takes over when it ends`,
      );
    else {
      this.opened = false;
      const why = `another gateway reads the group "${this.config.group}"; without cache.redis each needs its own`;
      await sink.close(why);
      sink.state('connecting', why);
    }
    await this.pauses.wait(RENEW_EVERY / 2);
    return false;
  }

  /** Until something breaks, or another node has the seat. */
  private async follow(group: StreamGroup, seat: ReaderSeat): Promise<void> {
    this.delivered.clear();
    const unfinished = await this.begin();
    const made = await group.ensure('$');
    await this.checkEpoch();
    if (unfinished) await this.lost('an earlier reader ended before it had dealt with what it found');
    if (made.length > 0 && this.opened) await this.lost(goneGroup(made));
    await this.checkMissing(group);
    if (!this.opened) await this.parts.sink.open({ anew: made.length > 0 });
    this.opened = true;
    await this.take(await group.pending(), group, false);
    await this.parts.memory.write(this.beginning, '');
    this.parts.sink.state('streaming');
    while (!this.pauses.stopped) {
      const entries = await group.read();
      for (const { stream } of entries) this.countDelivery(stream);
      const due = this.parts.clock.now() - this.renewed >= RENEW_EVERY;
      // Before anything is said to be applied: what was trimmed is known only now.
      const drained = entries.length > 0 || due ? await this.checkMissing(group) : false;
      if (entries.length > 0) await this.take(entries, group, drained);
      if (entries.length === 0 || drained) this.parts.sink.current();
      if (due && !(await this.seated(seat))) return;
    }
  }

  private async take(entries: readonly StreamEntry[], group: StreamGroup, drained: boolean): Promise<void> {
    if (entries.length === 0) return;
    if (entries.some(({ message }) => message === null))
      await this.lost('entries were trimmed before they were acknowledged');
    const messages = entries.flatMap(({ message }) => (message === null ? [] : [message]));
    await this.feed.apply(messages, { position: drained ? 'database' : 'unproven' });
    await group.acknowledge(entries);
  }

  /** True: all that there is was delivered. */
  private async checkMissing(group: StreamGroup): Promise<boolean> {
    let drained = true;
    for (const [stream, state] of await group.inspect()) {
      await this.checkShare(stream, state.delivered);
      if (!state.drained) {
        drained = false;
        continue;
      }
      const known = this.missing.get(stream) ?? 0;
      this.missing.set(stream, state.behind);
      if (state.behind > known)
        await this.lost(`entries of ${stream} were trimmed before they were delivered`);
    }
    return drained;
  }

  private countDelivery(stream: string): void {
    const known = this.delivered.get(stream);
    if (known !== undefined) this.delivered.set(stream, known + 1);
  }

  /** What another consumer of the group gets is fenced nowhere here. */
  private async checkShare(stream: string, delivered: number | null): Promise<void> {
    const known = this.delivered.get(stream);
    if (delivered === null) return;
    this.delivered.set(stream, delivered);
    if (known === undefined || delivered <= known) return;
    await this.lost(
      `entries of ${stream} went to another consumer of the group "${this.config.group}", which must be this gateway's own`,
    );
  }

  /** A server that was restarted or replaced may have come back without its newest entries. */
  private async checkEpoch(): Promise<void> {
    const info = `${await this.asking!.send('info', 'server')}\n${await this.asking!.send('info', 'replication')}`;
    const epoch = [/^run_id:(\w+)/m, /^master_replid:(\w+)/m].map((field) => field.exec(info)?.[1]).join(' ');
    const { name, memory } = this.parts;
    const key = `redis:${name}:epoch`;
    // It may have been another reader, on another node, that has seen the one before.
    const before = this.epoch ?? (await memory.read(key));
    if (before === epoch) return;
    if (before !== null) {
      this.missing.clear();
      await this.lost('Redis was restarted or replaced, and may have lost its newest entries');
    }
    await memory.write(key, epoch);
    this.epoch = epoch;
  }

  private async lost(why: string): Promise<void> {
    this.parts.sink.state('lost', why);
    await this.parts.sink.lost(why);
    this.parts.sink.state('streaming');
  }
}

function goneGroup(streams: readonly string[]): string {
  return `the consumer group of ${streams.join(', ')} was gone`;
}
