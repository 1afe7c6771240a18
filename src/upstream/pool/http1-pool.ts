import { Failure } from '../../http/errors.ts';
import { ClientConnection, type ConnectionOwner } from '../../http1/index.ts';
import type { Clock } from '../../util/clock.ts';
import { LinkedList } from '../../util/linked-list.ts';
import type { Pending } from '../admission.ts';
import type { Resolver } from '../resolver.ts';
import {
  type ConnectionCounts,
  endOfPool,
  type Pool,
  type PoolSettings,
  RECENT,
  type Reuse,
  type Waiter,
  Wish,
} from './contract.ts';
import { Dial, type DialOwner } from './dial.ts';

export interface Http1PoolSettings extends PoolSettings {
  /** Requests that a connection carries at once. */
  readonly pipelining: number;
}

/** One whose answer has been waited for no longer than this holds up nobody behind it, in ms. */
const PROMPT = 100;

/**
 * The connections of HTTP/1.1 to one target: the last used goes first, so that those not needed age and are closed.
 */
export class Http1Pool implements Pool, ConnectionOwner, DialOwner {
  private readonly settings: Http1PoolSettings;
  private readonly clock: Clock;
  private readonly resolver: Resolver;
  private readonly pending: Pending;
  private readonly idle: ClientConnection[] = [];
  private readonly inUse = new Set<ClientConnection>();
  /** Ways to a connection that are being gone, each for the one who asked. */
  private readonly dials = new Map<Dial, Wish>();
  private readonly opening = new Map<ClientConnection, Dial>();
  /** In the order they came; those a connection is being made for included. */
  private readonly waiting = new LinkedList<Wish>();
  private turn = 0;
  private refilling = false;
  private retired = false;
  private ended = false;

  constructor(settings: Http1PoolSettings, clock: Clock, resolver: Resolver, pending: Pending) {
    this.settings = settings;
    this.clock = clock;
    this.resolver = resolver;
    this.pending = pending;
  }

  get load(): number {
    return this.carried() + this.waiting.size;
  }

  private carried(): number {
    if (this.settings.pipelining === 1) return this.inUse.size;
    let carried = 0;
    for (const connection of this.inUse) carried += connection.inFlight;
    return carried;
  }

  counts(): ConnectionCounts {
    return {
      open: this.idle.length + this.inUse.size,
      idle: this.idle.length,
      inUse: this.inUse.size,
      waiting: this.waiting.size,
    };
  }

  /** Connections that are open or being made. */
  get size(): number {
    return this.idle.length + this.inUse.size + this.dials.size;
  }

  acquire(waiter: Waiter, reuse: Reuse, connectTimeout: number): void {
    if (this.ended) return waiter.failed(endOfPool());
    const kept = reuse === 'none' ? null : this.takeIdle(reuse);
    if (kept !== null) return this.give(waiter, kept);
    const ahead = reuse === 'ahead' && this.settings.pipelining > 1;
    // None passes another that waits: one that can't be sent ahead would wait for ever.
    const busy = ahead && !this.isOwed() ? this.toSendAheadOn() : null;
    if (busy !== null) return waiter.connected(busy);
    const wish = new Wish(waiter, reuse, connectTimeout);
    if (ahead && this.isPromised() && !this.pending.full) return this.wait(wish);
    if (this.size >= this.settings.connections && this.idle.length > 0) this.idle[0]!.close();
    if (this.size < this.settings.connections) {
      this.enlist(wish);
      return this.open(wish);
    }
    // Only those for whom no connection can be made count as pending.
    if (this.pending.full)
      return waiter.failed(new Failure('TG_UPSTREAM_BUSY', 'too many requests wait for a connection'));
    this.wait(wish);
  }

  private wait(wish: Wish): void {
    this.pending.count++;
    this.enlist(wish);
  }

  private enlist(wish: Wish): void {
    wish.waiter.wish = wish;
    this.waiting.push(wish);
  }

  /**
   * The connection in use that carries the fewest, where it may carry one more. One that is slow to answer is
   * passed over as long as another can be opened.
   */
  private toSendAheadOn(): ClientConnection | null {
    const { pipelining, connections } = this.settings;
    const since = this.size < connections ? this.clock.now() - PROMPT : Number.NEGATIVE_INFINITY;
    let least: ClientConnection | null = null;
    for (const connection of this.inUse) {
      if (connection.inFlight >= (least?.inFlight ?? pipelining)) continue;
      if (connection.takesMore && connection.turnSince >= since) least = connection;
    }
    return least;
  }

  /** Has a connection that is being made room for one more than those who wait for it? */
  private isPromised(): boolean {
    let room = 0;
    for (const { reuse, isOwed } of this.waiting)
      if (reuse === 'ahead') room += isOwed ? -1 : this.settings.pipelining - 1;
    return room > 0;
  }

  leave(waiter: Waiter): void {
    this.stopWaiting(waiter);
  }

  private stopWaiting(waiter: Waiter): boolean {
    const { wish } = waiter;
    if (wish === null) return false;
    waiter.wish = null;
    this.waiting.remove(wish);
    if (wish.isOwed) this.pending.count--;
    return true;
  }

  retire(): void {
    this.retired = true;
    for (const connection of [...this.idle]) connection.close();
  }

  revive(): void {
    this.retired = false;
  }

  destroy(): void {
    this.retire();
    this.ended = true;
    for (const { waiter } of [...this.waiting]) if (this.stopWaiting(waiter)) waiter.failed(endOfPool());
    for (const dial of this.dials.keys()) dial.close();
    this.dials.clear();
    const connections = [...this.opening.keys(), ...this.inUse];
    this.opening.clear();
    for (const connection of connections) connection.close();
  }

  private takeIdle(reuse: Reuse): ClientConnection | null {
    const last = this.idle.at(-1);
    if (last === undefined) return null;
    if (reuse === 'recent' && this.clock.now() - last.idleSince >= RECENT) return null;
    return this.idle.pop()!;
  }

  private open(wish: Wish): void {
    const dial = new Dial(this.settings.host, wish.connectTimeout, this.clock, this);
    wish.dial = dial;
    this.dials.set(dial, wish);
    dial.begin(this.resolver, this.turn++);
  }

  connect(dial: Dial, address: string, left: number): void {
    const { port, tls } = this.settings;
    this.opening.set(new ClientConnection({ address, port, tls }, left, this.clock, this), dial);
  }

  isWanted(dial: Dial): boolean {
    return isWaiting(this.dials.get(dial)!);
  }

  failed(dial: Dial, failure: Failure): void {
    const wish = this.dials.get(dial)!;
    this.dials.delete(dial);
    if (isWaiting(wish) && this.stopWaiting(wish.waiter)) wish.waiter.failed(failure);
    // The next may fail at once, as where its name is known not to resolve: a loop, or all would use up the stack.
    if (this.refilling) return;
    this.refilling = true;
    // Those who counted on it for sending ahead as well, at once: else the tries of all would follow one another.
    while (this.size < this.settings.connections && this.isOwed()) this.refill();
    this.refilling = false;
  }

  opened(connection: ClientConnection): void {
    const dial = this.opening.get(connection)!;
    const wish = this.dials.get(dial)!;
    this.settle(dial, connection);
    this.dials.delete(dial);
    if (isWaiting(wish)) return this.give(wish.waiter, connection);
    this.offer(connection);
  }

  /** It was the fastest of those that a dial has tried: the others end. */
  private settle(dial: Dial, connection: ClientConnection): void {
    dial.close();
    for (const [other, of] of this.opening) {
      if (of !== dial) continue;
      this.opening.delete(other);
      if (other !== connection) other.close();
    }
  }

  reached(connection: ClientConnection): void {
    this.opening.get(connection)?.reached();
  }

  refused(connection: ClientConnection, failure: Failure): void {
    const dial = this.opening.get(connection);
    if (dial === undefined) return;
    this.opening.delete(connection);
    dial.refused(failure);
  }

  private give(waiter: Waiter, connection: ClientConnection): void {
    this.stopWaiting(waiter);
    this.inUse.add(connection);
    if (this.settings.pipelining === 1) return waiter.connected(connection);
    connection.turnSince = this.clock.now();
    waiter.connected(connection);
    this.eased(connection);
  }

  /** Sends the requests of those who wait next ahead on it, as many as it takes. */
  eased(connection: ClientConnection): void {
    if (this.waiting.size === 0 || !this.inUse.has(connection)) return;
    while (connection.inFlight < this.settings.pipelining && connection.takesMore) {
      const wish = this.firstOwed();
      if (wish?.reuse !== 'ahead') return;
      this.stopWaiting(wish.waiter);
      wish.waiter.connected(connection);
    }
  }

  released(connection: ClientConnection): void {
    // Not in use any more: a stream that was detached has ended after all.
    if (!this.inUse.delete(connection)) return connection.close();
    this.offer(connection);
  }

  /** Gives a connection to whoever waits, or keeps it. */
  private offer(connection: ClientConnection): void {
    // One that is to have a fresh connection has its turn as well, or it would wait for as long as others come.
    const wish = this.waiting.find(({ isInLine }) => isInLine);
    if (wish?.reuse === 'none') {
      connection.close();
      return this.refill();
    }
    if (wish !== null) return this.give(wish.waiter, connection);
    if (this.retired) return connection.close();
    this.idle.push(connection);
    connection.keepIdle(this.settings.idle);
  }

  /** Does anyone wait for whom no connection is being made? */
  private isOwed(): boolean {
    return this.firstOwed() !== null;
  }

  private firstOwed(): Wish | null {
    return this.waiting.find(({ isOwed }) => isOwed);
  }

  detached(connection: ClientConnection): void {
    this.inUse.delete(connection);
    this.refill();
  }

  closed(connection: ClientConnection): void {
    if (this.inUse.delete(connection)) return this.refill();
    const at = this.idle.indexOf(connection);
    if (at >= 0) this.idle.splice(at, 1);
  }

  /** A place is free: whoever has waited longest without a connection in the making gets one. */
  private refill(): void {
    if (this.size >= this.settings.connections) return;
    const wish = this.firstOwed();
    if (wish === null) return;
    this.pending.count--;
    this.open(wish);
  }
}

function isWaiting(wish: Wish): boolean {
  return wish.waiter.wish === wish;
}
