import type { RedisLink } from '../../redis/index.ts';
import type { Logger } from '../../telemetry/index.ts';
import type { Clock, Timer } from '../../util/clock.ts';
import type { Random } from '../../util/random.ts';
import type { Invalidation } from '../fences/index.ts';
import {
  type FenceHolders,
  type Note,
  type Seats,
  type SequenceLog,
  type SequenceState,
  Superseded,
  Unavailable,
} from '../sequence/index.ts';
import { Applied } from './applied.ts';
import { type Batch, Batches, type Item } from './batches.ts';
import { Confirming } from './confirming.ts';
import { Follower, isAfter, type LogEntry, type Position, parseEntries } from './follower.ts';
import { Hearing } from './hearing.ts';
import type { Keyspace } from './keys.ts';
import { decodeMessage, floorMessage, type Message, NOTHING } from './message.ts';
import { Noting } from './noting.ts';
import { Unsent } from './unsent.ts';
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
  private readonly batches = new Batches();
  private readonly unsent = new Unsent();
  private flushing = false;
  private joining: Promise<void> | null = null;
  private epoch: number | null = null;
  /** The epoch that this node knows is open, as far as it knows. */
  private joined = false;
  private seen: Position | null = null;
  private readonly applied: Applied;
  private readonly arrivals = new Set<() => void>();
  private readonly hearing = new Hearing();
  private readonly noting: Noting;
  private readonly confirming: Confirming;
  readonly seats: Seats;
  private deafSince: number | null = null;
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
    this.applied = new Applied(parts.holders, this.unsent);
    this.noting = new Noting(parts.holders.notes);
    this.confirming = new Confirming(() => this.writer.replicated(parts.timeout / 2));
    this.seats = {
      take: (topic, author, { ms, force = false }) => this.writer.seat(topic, author, ms, force),
      leave: (topic, author) => this.writer.unseat(topic, author).catch(() => {}),
    };
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

  async invalidate(what: Invalidation, notes: readonly Note[] = []): Promise<number> {
    return await this.number({ ...what, floor: null, ...(notes.length === 0 ? {} : { notes }) });
  }

  async raiseFloor(why: string): Promise<number> {
    return await this.number(floorMessage(why));
  }

  state(): SequenceState {
    const { newest, floor } = this.applied;
    return { sequence: newest, floor, connected: this.connected };
  }

  async close(): Promise<void> {
    this.closed = true;
    if (this.timer !== null) this.parts.clock.cancel(this.timer);
    for (const stop of this.stops) stop();
    this.batches.rejectAll(new Unavailable('the gateway is ending'));
    await this.follower.close();
    await this.link.close();
  }

  private get connected(): boolean {
    return this.link.connected && this.joined && this.refusal === null;
  }

  private number(message: Message): Promise<number> {
    return new Promise((resolve, reject) => {
      const item: Item = { message, resolve, reject };
      if (!this.link.connected || this.closed || this.batches.size >= MOST_WAITING)
        return void this.applyHere([item], 'Redis is away');
      this.batches.add(item);
      this.flush();
    });
  }

  /** One call is under way at a time; what comes meanwhile goes together with the next. */
  private async flush(): Promise<void> {
    if (this.flushing) return;
    this.flushing = true;
    try {
      for (let batch = this.batches.next(); batch !== null; batch = this.batches.next())
        await this.send(batch);
    } finally {
      this.flushing = false;
    }
  }

  private async send(batch: Batch): Promise<void> {
    try {
      const { number, at } = await this.purge(batch.message);
      this.finish(number, at, batch);
    } catch (error) {
      if (error instanceof Superseded) this.refuse(batch.items, error);
      else this.applyHere(batch.items, (error as Error).message);
    }
  }

  /** What is in a batch beside the notes of who has lost its seat is sent without them. */
  private refuse(items: readonly Item[], error: Superseded): void {
    for (const item of items) {
      const refused = item.message.notes?.some(({ topic }) => topic === error.topic) ?? false;
      if (refused) item.reject(error);
      else this.batches.add(item);
    }
  }

  private async purge(message: Message): Promise<{ number: number; at: number }> {
    for (let attempt = 0; ; attempt++) {
      if (!this.joined) await this.join();
      try {
        return await this.writer.purge(message);
      } catch (error) {
        if (!(error instanceof NotOpen)) throw error;
        this.joined = false;
        if (attempt === 2) throw error;
      }
    }
  }

  /** It has its number, and other nodes hear of it. It is done once this node holds it, and a replica has it. */
  private async finish(number: number, at: number, { items, message }: Batch): Promise<void> {
    const replicated = this.replicas === 0 || this.confirming.confirmed();
    if (!(await this.arrival(at))) this.applied.applyHere(message);
    await this.applied.held;
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
    for (const { message } of items) this.applied.applyHere(message);
    this.applied.held.then(() => {
      for (const item of items) item.reject(error);
    });
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
    const opened = await this.writer.open(this.applied.newest, this.applied.outran && this.epoch !== null);
    this.applied.outran = false;
    this.joined = true;
    this.replicas = opened.replicas;
    this.adopt(opened);
    for (const item of this.unsent.send()) this.batches.add(item);
    this.flush();
  }

  private adopt({ epoch, sequence, floor, last, notes }: Standing): void {
    if (epoch === this.epoch) return;
    const isFirst = this.epoch === null;
    this.epoch = epoch;
    this.seen = last;
    this.applied.keepAbove(sequence);
    if (!isFirst) this.drop(sequence);
    if (notes !== null) this.noting.told(last, notes);
    if (!isFirst) return this.noting.heard(last, this.applied.held);
    // This node holds nothing yet: what Redis holds, Redis has fenced.
    this.applied.apply(floor, null);
    this.applied.apply(sequence, { ...NOTHING, floor: null });
    this.noting.heard(last, this.applied.held);
  }

  /** In another epoch than the one this node was in, nothing older can be proven fresh. */
  private drop(number: number): void {
    this.parts.log.warn('Redis has lost its memory or changed: everything cached before is dropped');
    this.applied.apply(number, null);
    this.noting.missed();
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
    if (!this.joined) return await this.join();
    const { unknown } = this.noting;
    const now = await this.writer.beat(BEAT, this.beatCount++ % LOOK_EVERY === 0, unknown);
    this.replicas = now.replicas;
    this.adopt(now);
    this.hearing.told(sentAt, now.last);
    if (now.notes !== null) this.noting.told(now.last, now.notes);
    this.noting.heard(this.seen!, this.applied.held);
    this.compare();
  }

  /** How far has the log been heard? */
  private compare(): void {
    const upTo = this.hearing.heard(this.seen!);
    if (upTo !== null) this.parts.holders.synced(upTo);
    const { behindSince } = this.hearing;
    const now = this.parts.clock.now();
    if (behindSince === null || now - behindSince < BEAT) this.deafSince = null;
    else this.behind(now);
  }

  private behind(now: number): void {
    this.deafSince ??= now;
    this.catchUp();
    if (now - this.deafSince < DEAF) return;
    this.deafSince = null;
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
    if (this.seen === null || entries.length === 0) return;
    this.applied.keepAbove(Math.max(...entries.map(newestAt)));
    for (const entry of entries) if (isAfter(entry, this.seen)) this.takeOne(entry);
    this.noting.heard(this.seen, this.applied.held);
    for (const arrived of this.arrivals) arrived();
    this.arrivals.clear();
    this.compare();
  }

  private takeOne(entry: LogEntry): void {
    const number = numberOf(entry);
    const epoch = entry.fields.get('e');
    const { at } = this.seen!;
    this.seen = { at: entry.at, beat: entry.beat };
    if (epoch !== undefined) {
      if (Number(epoch) !== this.epoch) this.drop(number);
      this.epoch = Number(epoch);
      return;
    }
    const isNext = entry.beat === 0 ? entry.at === at + 1 : entry.at === at;
    if (!isNext) {
      this.parts.log.warn('Part of the log in Redis was missed: everything cached on this node is dropped');
      this.applied.apply(newestAt(entry), null);
      return this.noting.missed();
    }
    if (entry.beat === 0) this.carryOut(number, decodeMessage(entry.fields.get('m') ?? ''), entry);
  }

  private carryOut(number: number, message: Message | null, at: Position): void {
    const notes = message?.notes ?? [];
    if (notes.length > 0) this.noting.foretold(notes);
    this.applied.apply(number, message);
    if (notes.length > 0) this.noting.noted(at, notes, this.applied.held);
    if (message === null) this.noting.missed();
  }

  private written(): void {
    if (!this.unsent.isEmpty) this.tryToJoin();
    else if (this.applied.isAlone) this.number({ ...NOTHING, floor: null }).catch(() => {});
    if (this.refusal === null) return;
    this.refusal = null;
    this.parts.log.info('The log in Redis can be written again');
  }

  private failed(error: Error): void {
    // The next heartbeat opens one.
    if (error instanceof NotOpen) this.joined = false;
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

function numberOf(entry: LogEntry): number {
  return Number(entry.fields.get('n'));
}

/** The newest number that was given out by then: on a Cluster one with a lower number may come to the log behind it. */
function newestAt(entry: LogEntry): number {
  return Number(entry.fields.get('s') ?? entry.fields.get('n'));
}
