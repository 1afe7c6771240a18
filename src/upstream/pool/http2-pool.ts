import { Failure } from '../../http/errors.ts';
import { Http2ClientConnection, type Http2ConnectionOwner } from '../../http2/index.ts';
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

/** What a connection is taken to carry before any service has said how much it does (RFC 9113 §6.5.2). */
const USUAL_PLACES = 100;

/**
 * The connections of HTTP/2 to one target. Each carries as many requests as its service takes at once; the oldest
 * is filled first, so that others, made while there was no place, age and are closed. One that its service is
 * ending counts no more: what is under way on it ends by itself.
 */
export class Http2Pool implements Pool, Http2ConnectionOwner, DialOwner {
  private readonly settings: PoolSettings;
  private readonly clock: Clock;
  private readonly resolver: Resolver;
  private readonly pending: Pending;
  /** Those that take requests, the oldest first. */
  private readonly connections: Http2ClientConnection[] = [];
  private readonly leavers = new Set<Http2ClientConnection>();
  /** Ways to a connection that are being gone, with the number of those who wait for it. */
  private readonly dials = new Map<Dial, number>();
  private readonly opening = new Map<Http2ClientConnection, Dial>();
  /** In the order they came. */
  private readonly waiting = new LinkedList<Wish>();
  /** What the newest connection takes at once: another in the making will likely do the same. */
  private places = USUAL_PLACES;
  private turn = 0;
  private serving = false;
  private retired = false;
  private ended = false;

  constructor(settings: PoolSettings, clock: Clock, resolver: Resolver, pending: Pending) {
    this.settings = settings;
    this.clock = clock;
    this.resolver = resolver;
    this.pending = pending;
  }

  get load(): number {
    let carried = this.waiting.size;
    for (const { inFlight } of this.connections) carried += inFlight;
    for (const { inFlight } of this.leavers) carried += inFlight;
    return carried;
  }

  counts(): ConnectionCounts {
    const all = [...this.connections, ...this.leavers];
    const idle = all.filter(({ inFlight }) => inFlight === 0).length;
    return { open: all.length, idle, inUse: all.length - idle, waiting: this.waiting.size };
  }

  /** Connections that are open or being made, and not on their way out. */
  private get size(): number {
    return this.connections.length + this.dials.size;
  }

  acquire(waiter: Waiter, reuse: Reuse, connectTimeout: number): void {
    if (this.ended) return waiter.failed(endOfPool());
    const kept = reuse === 'none' ? undefined : this.connections.find((one) => this.suits(one, reuse));
    if (kept !== undefined) return this.give(waiter, kept);
    const dial = this.dialFor(connectTimeout) ?? this.dialInPlaceOfIdle(connectTimeout);
    // Only those for whom no connection can be made count as pending.
    if (dial === null && this.pending.full) return waiter.failed(tooMany());
    const wish = new Wish(waiter, reuse, connectTimeout);
    waiter.wish = wish;
    this.waiting.push(wish);
    if (dial === null) this.pending.count++;
    else this.promise(wish, dial);
  }

  private suits(connection: Http2ClientConnection, reuse: Reuse): boolean {
    if (!connection.takesMore) return false;
    if (reuse !== 'recent' || connection.inFlight > 0) return true;
    return this.clock.now() - connection.idleSince < RECENT;
  }

  private give(waiter: Waiter, connection: Http2ClientConnection): void {
    waiter.connected(connection.take());
  }

  leave(waiter: Waiter): void {
    const { wish } = waiter;
    if (wish === null) return;
    waiter.wish = null;
    this.waiting.remove(wish);
    if (wish.dial === null) this.pending.count--;
    else this.dials.set(wish.dial, this.dials.get(wish.dial)! - 1);
  }

  // --- Connections in the making. ---

  /** One that has a place to promise, or a new one; null where there may be no more of them. */
  private dialFor(connectTimeout: number): Dial | null {
    for (const [dial, promised] of this.dials) if (promised < this.places) return dial;
    // On another connection it would take none either.
    if (this.connections.some(({ isShut }) => isShut)) return null;
    const { host, connections } = this.settings;
    if (this.size >= connections) return null;
    const dial = new Dial(host, connectTimeout, this.clock, this);
    this.dials.set(dial, 0);
    return dial;
  }

  /** One that rests, and did not suit, makes room. */
  private dialInPlaceOfIdle(connectTimeout: number): Dial | null {
    const idle = this.connections.find(({ inFlight }) => inFlight === 0);
    if (idle === undefined) return null;
    idle.close();
    return this.dialFor(connectTimeout);
  }

  private promise(wish: Wish, dial: Dial): void {
    const promised = this.dials.get(dial)!;
    wish.dial = dial;
    this.dials.set(dial, promised + 1);
    if (!dial.begun) dial.begin(this.resolver, this.turn++);
  }

  connect(dial: Dial, address: string, left: number): void {
    const { port, tls } = this.settings;
    this.opening.set(new Http2ClientConnection({ address, port, tls }, left, this.clock, this), dial);
  }

  isWanted(dial: Dial): boolean {
    return this.dials.get(dial)! > 0;
  }

  failed(dial: Dial, failure: Failure): void {
    const told = [...this.waiting].filter((wish) => wish.dial === dial).map(({ waiter }) => waiter);
    for (const waiter of told) this.leave(waiter);
    this.dials.delete(dial);
    for (const waiter of told) waiter.failed(failure);
    this.refill();
  }

  /** It was the fastest of those that a dial has tried: the others end. */
  private settle(dial: Dial, connection: Http2ClientConnection): void {
    dial.close();
    for (const [other, of] of this.opening) {
      if (of !== dial) continue;
      this.opening.delete(other);
      if (other !== connection) other.destroy();
    }
  }

  reached(connection: Http2ClientConnection): void {
    this.opening.get(connection)?.reached();
  }

  refused(connection: Http2ClientConnection, failure: Failure): void {
    const dial = this.opening.get(connection);
    if (dial === undefined) return;
    this.opening.delete(connection);
    dial.refused(failure);
  }

  opened(connection: Http2ClientConnection): void {
    const dial = this.opening.get(connection)!;
    this.settle(dial, connection);
    this.dials.delete(dial);
    this.connections.push(connection);
    this.places = Math.max(1, connection.places);
    // It may take fewer than it was taken to: who is left over waits on.
    for (const wish of this.waiting) {
      if (wish.dial !== dial) continue;
      wish.dial = null;
      this.pending.count++;
    }
    this.eased(connection);
  }

  // --- Connections in use. ---

  eased(connection: Http2ClientConnection): void {
    if (!this.connections.includes(connection)) return;
    this.serve(connection);
    if (this.waiting.size > 0) this.refill();
    if (connection.inFlight > 0) return;
    if (this.retired) connection.close();
    else connection.keepIdle(this.settings.idle);
  }

  /** Gives those who wait the places that there are. */
  private serve(connection: Http2ClientConnection): void {
    // One that is served may be over at once: a loop, or those behind it would use up the stack.
    if (this.serving) return;
    this.serving = true;
    while (connection.takesMore) {
      const wish = this.waiting.find(({ isInLine }) => isInLine);
      if (wish === null) break;
      this.leave(wish.waiter);
      this.give(wish.waiter, connection);
    }
    this.serving = false;
  }

  leaving(connection: Http2ClientConnection): void {
    this.remove(connection);
    this.leavers.add(connection);
    this.refill();
  }

  closed(connection: Http2ClientConnection): void {
    this.remove(connection);
    this.leavers.delete(connection);
    this.refill();
  }

  private remove(connection: Http2ClientConnection): void {
    const at = this.connections.indexOf(connection);
    if (at >= 0) this.connections.splice(at, 1);
  }

  /** There may be room for another connection: those who have waited longest without a promise get one. */
  private refill(): void {
    if (this.ended) return;
    for (;;) {
      const wish = this.waiting.find(({ isOwed }) => isOwed);
      const dial = wish === null ? null : this.dialFor(wish.connectTimeout);
      if (wish === null || dial === null) return;
      this.pending.count--;
      this.promise(wish, dial);
    }
  }

  // --- Its end. ---

  retire(): void {
    this.retired = true;
    for (const connection of [...this.connections]) if (connection.inFlight === 0) connection.close();
  }

  revive(): void {
    this.retired = false;
  }

  destroy(): void {
    this.retire();
    this.ended = true;
    for (const dial of this.dials.keys()) dial.close();
    for (const { waiter } of [...this.waiting]) {
      this.leave(waiter);
      waiter.failed(endOfPool());
    }
    this.dials.clear();
    const all = [...this.opening.keys(), ...this.connections, ...this.leavers];
    this.opening.clear();
    for (const connection of all) connection.destroy();
  }
}

function tooMany(): Failure {
  return new Failure('TG_UPSTREAM_BUSY', 'too many requests wait for a place on a connection');
}
