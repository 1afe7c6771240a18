import type { RedisLink } from '../../redis/index.ts';
import type { Logger } from '../../telemetry/index.ts';
import type { Clock, Timer } from '../../util/clock.ts';
import type { Random } from '../../util/random.ts';
import type { Invalidation } from '../fences/index.ts';
import { type FenceHolders, type SequenceLog, type SequenceState, Unavailable } from '../sequence/index.ts';
import { Follower, isAfter, type LogEntry, type Position, parseEntries } from './follower.ts';
import type { Keyspace } from './keys.ts';
import { decodeMessage, floorMessage, type Message, merged, NOTHING, Unsent } from './message.ts';
import { STEP } from './numbers.ts';
import { NotOpen, type Standing, Writer } from './writer.ts';

/** Between two heartbeats; milliseconds. */
const BEAT = 200;
/** Every so many of them the life of the server is looked at again. */
const LOOK_EVERY = 5;
/** A follower this far behind is given a new connection; milliseconds. */
const DEAF = 1500;
const MOST_WAITING = 100_000;

export interface RedisSequenceParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly keys: Keyspace;
  readonly holders: FenceHolders;
  /** Milliseconds for which an invalidation waits for the log to bring it back. */
  readonly timeout: number;
}

interface Item {
  readonly message: Message;
  resolve(number: number): void;
  reject(error: Error): void;
}

/**
 * The sequence that nodes share. Redis numbers an invalidation, sets its fences and writes it to a stream in one
 * step; each node applies what the stream brings, in its order, and knows by a heartbeat in the stream up to when
 * it has heard all.
 *
 * Redis away, an invalidation takes effect here alone, under a number between those of Redis, and is told to Redis
 * when it is back. Whatever shows that part of the log may be lost (a gap in its ids, another life of the server,
 * an epoch that is gone) makes everything older dead.
 */
export class RedisSequence implements SequenceLog {
  private readonly link: RedisLink;
  private readonly parts: RedisSequenceParts;
  private readonly writer: Writer;
  private readonly follower: Follower;
  private readonly stops: (() => void)[] = [];
  private queue: Item[] = [];
  private readonly unsent = new Unsent();
  private flushing = false;
  private joining: Promise<void> | null = null;
  private epoch: number | null = null;
  private seen: Position | null = null;
  /** The greatest number that this node has applied, and of those that of Redis. */
  private newest = 0;
  private floor = 0;
  /** More was invalidated here alone than fits between two numbers of Redis. */
  private outran = false;
  /** Resolves when all that was applied so far is held by the workers. */
  private held: Promise<unknown> = Promise.resolve();
  private readonly arrivals = new Set<() => void>();
  private readonly beats: { at: Position; sentAt: number }[] = [];
  private behindSince: number | null = null;
  private replicas = 0;
  /** Why the log can't be written though the server answers. */
  private refusal: string | null = null;
  private beatCount = 0;
  private timer: Timer | null = null;
  private closed = false;

  /** Closes the link that it is given. */
  constructor(link: RedisLink, parts: RedisSequenceParts) {
    this.link = link;
    this.parts = parts;
    this.writer = new Writer(link, parts.keys, parts.random);
    this.follower = new Follower(
      link,
      parts.clock,
      parts.keys.first.log,
      () => this.seen,
      (entries) => this.take(entries),
    );
    this.stops.push(link.onChange((connected) => connected && this.tryToJoin()));
    if (link.connected) this.tryToJoin();
    this.beat();
  }

  async invalidate(what: Invalidation): Promise<number> {
    return await this.number({ ...what, floor: null });
  }

  async raiseFloor(why: string): Promise<number> {
    return await this.number(floorMessage(why));
  }

  state(): SequenceState {
    return { sequence: this.newest, floor: this.floor, connected: this.connected };
  }

  async close(): Promise<void> {
    this.closed = true;
    if (this.timer !== null) this.parts.clock.cancel(this.timer);
    for (const stop of this.stops) stop();
    for (const item of this.queue.splice(0)) item.reject(new Unavailable('the gateway is ending'));
    await this.follower.close();
    await this.link.close();
  }

  private get connected(): boolean {
    return this.link.connected && this.epoch !== null && this.refusal === null;
  }

  private number(message: Message): Promise<number> {
    return new Promise((resolve, reject) => {
      const item: Item = { message, resolve, reject };
      if (!this.link.connected || this.closed || this.queue.length >= MOST_WAITING)
        return void this.applyHere([item], 'Redis is away');
      this.queue.push(item);
      this.flush();
    });
  }

  /** One call is under way at a time; what comes meanwhile goes together with the next. */
  private async flush(): Promise<void> {
    if (this.flushing) return;
    this.flushing = true;
    try {
      while (this.queue.length > 0 && !this.closed) await this.send(this.nextBatch());
    } finally {
      this.flushing = false;
    }
  }

  private nextBatch(): { items: Item[]; message: Message } {
    const items = [this.queue[0]!];
    let { message } = items[0]!;
    while (items.length < this.queue.length) {
      const both = merged(message, this.queue[items.length]!.message);
      if (both === null) break;
      message = both;
      items.push(this.queue[items.length]!);
    }
    this.queue = this.queue.slice(items.length);
    return { items, message };
  }

  private async send({ items, message }: { items: Item[]; message: Message }): Promise<void> {
    try {
      const { number, at } = await this.purge(message);
      this.finish(number, at, items, message);
    } catch (error) {
      this.applyHere(items, (error as Error).message);
    }
  }

  private async purge(message: Message): Promise<{ number: number; at: number }> {
    for (let attempt = 0; ; attempt++) {
      if (this.epoch === null) await this.join();
      try {
        return await this.writer.purge(message);
      } catch (error) {
        if (!(error instanceof NotOpen) || attempt === 2) throw error;
        this.epoch = null;
      }
    }
  }

  /** It has its number, and other nodes hear of it. It is done once this node holds it, and a replica has it. */
  private async finish(number: number, at: number, items: Item[], message: Message): Promise<void> {
    const replicated = this.replicas === 0 || this.writer.replicated(this.parts.timeout / 2);
    if (!(await this.arrival(at))) this.apply(this.numberHere(), message);
    await this.held;
    if (await replicated) for (const item of items) item.resolve(number);
    else for (const item of items) item.reject(new Unavailable('no replica of Redis has confirmed it'));
  }

  /** False where the log doesn't bring it in time. */
  private async arrival(at: number): Promise<boolean> {
    const { clock, timeout } = this.parts;
    const deadline = clock.now() + timeout;
    while (!this.hasSeen(at) && clock.now() < deadline && !this.closed) {
      await new Promise<void>((resolve) => {
        const timer = clock.after(deadline - clock.now(), resolve);
        this.arrivals.add(() => {
          clock.cancel(timer);
          resolve();
        });
      });
    }
    if (!this.hasSeen(at)) await this.catchUp();
    return this.hasSeen(at);
  }

  private hasSeen(at: number): boolean {
    return this.seen !== null && this.seen.at >= at;
  }

  /** Redis can't be told now: it holds here, and Redis hears of it when it is back. */
  private applyHere(items: readonly Item[], why: string): void {
    const error = new Unavailable(`this node alone has done it: ${why}`);
    for (const { message } of items) {
      this.unsent.add(message);
      this.apply(this.numberHere(), message);
    }
    const { held } = this;
    held.then(() => {
      for (const item of items) item.reject(error);
    });
  }

  private numberHere(): number {
    const number = this.newest + 1;
    if (number % STEP === 0) this.outran = true;
    return number;
  }

  private apply(number: number, message: Message | null): void {
    const { holders } = this.parts;
    this.newest = Math.max(this.newest, number);
    const isFloor = message === null || message.floor !== null;
    if (isFloor || (message.all && !message.soft)) this.floor = Math.max(this.floor, number);
    const done = isFloor ? holders.raiseFloor(number) : holders.apply(number, message);
    this.held = Promise.all([this.held, done]);
  }

  private tryToJoin(): void {
    this.join().catch((error: Error) => this.failed(error));
  }

  private join(): Promise<void> {
    this.joining ??= this.open().finally(() => {
      this.joining = null;
    });
    return this.joining;
  }

  private async open(): Promise<void> {
    const opened = await this.writer.open(this.newest, this.outran);
    this.outran = false;
    this.adopt(opened);
    for (const message of this.unsent.take())
      this.queue.push({ message, resolve: () => {}, reject: () => {} });
    this.flush();
  }

  /** Another epoch than the one this node was in: nothing older can be proven fresh. */
  private adopt({ epoch, sequence, floor, last }: Standing): void {
    if (epoch === this.epoch && this.seen !== null) return;
    const isFirst = this.seen === null;
    this.epoch = epoch;
    this.seen = last;
    if (isFirst) {
      // This node holds nothing yet: what Redis holds, Redis has fenced.
      this.apply(floor, null);
      this.apply(sequence, { ...NOTHING, floor: null });
    } else {
      this.parts.log.warn('Redis has lost its memory or changed: everything cached before is dropped');
      this.apply(sequence, null);
    }
  }

  private beat(): void {
    if (this.closed) return;
    this.timer = this.parts.clock.after(BEAT, () => this.beat());
    if (!this.link.connected) return;
    this.askStanding().then(
      () => this.written(),
      (error: Error) => this.failed(error),
    );
  }

  private async askStanding(): Promise<void> {
    const sentAt = this.parts.clock.now();
    if (this.epoch === null) return await this.join();
    const now = await this.writer.beat(BEAT, this.beatCount++ % LOOK_EVERY === 0);
    this.replicas = now.replicas;
    this.adopt(now);
    this.beats.push({ at: now.last, sentAt });
    if (this.beats.length > 16) this.beats.shift();
    this.compare();
  }

  /** How far has the log been heard? */
  private compare(): void {
    let heard: number | null = null;
    while (this.beats.length > 0 && !isAfter(this.beats[0]!.at, this.seen!))
      heard = this.beats.shift()!.sentAt;
    if (heard !== null) this.parts.holders.synced(heard);
    const now = this.parts.clock.now();
    const oldest = this.beats[0]?.sentAt ?? null;
    if (oldest === null || now - oldest < BEAT) this.behindSince = null;
    else this.behind(now);
  }

  private behind(now: number): void {
    this.behindSince ??= now;
    this.catchUp().catch(() => {});
    if (now - this.behindSince < DEAF) return;
    this.behindSince = null;
    this.follower.reconnect();
  }

  /** Reads by the other connection what the follower has not brought. */
  private async catchUp(): Promise<void> {
    if (this.seen === null) return;
    const { at, beat } = this.seen;
    const { log } = this.parts.keys.first;
    try {
      this.take(parseEntries(await this.link.send('xrange', log, `(${at}-${beat}`, '+', 'COUNT', 1000)));
    } catch {
      // The next heartbeat tries again.
    }
  }

  private take(entries: readonly LogEntry[]): void {
    for (const entry of entries) if (this.seen !== null && isAfter(entry, this.seen)) this.takeOne(entry);
    for (const arrived of this.arrivals) arrived();
    this.arrivals.clear();
    this.compare();
  }

  private takeOne(entry: LogEntry): void {
    const number = Number(entry.fields.get('n'));
    const epoch = entry.fields.get('e');
    const { at } = this.seen!;
    this.seen = { at: entry.at, beat: entry.beat };
    if (epoch !== undefined) return this.adoptFrom(Number(epoch), number);
    const isNext = entry.beat === 0 ? entry.at === at + 1 : entry.at === at;
    if (!isNext) {
      this.parts.log.warn('Part of the log in Redis was missed: everything cached on this node is dropped');
      return this.apply(number, null);
    }
    if (entry.beat === 0) this.apply(number, decodeMessage(entry.fields.get('m') ?? ''));
  }

  private adoptFrom(epoch: number, number: number): void {
    if (epoch === this.epoch) return;
    this.epoch = epoch;
    this.parts.log.warn('Redis has lost its memory or changed: everything cached before is dropped');
    this.apply(number, null);
  }

  private written(): void {
    if (!this.unsent.isEmpty) this.tryToJoin();
    if (this.refusal === null) return;
    this.refusal = null;
    this.parts.log.info('The log in Redis can be written again');
  }

  private failed(error: Error): void {
    // The next heartbeat opens one.
    if (error instanceof NotOpen) this.epoch = null;
    else if ((error as { code?: string }).code === 'REDIS_REFUSAL') this.unwritten(error.message);
  }

  private unwritten(reason: string): void {
    if (this.refusal !== null) return;
    this.refusal = reason;
    this.parts.log.warn('The log in Redis can not be written: invalidations hold on this node alone', {
      reason,
    });
  }
}
