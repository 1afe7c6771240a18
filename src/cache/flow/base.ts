import type { Reply } from '../../http/exchange.ts';
import type { Entry } from '../entry.ts';
import type { FlightRoute } from './flight-route.ts';
import { standInFor } from './stand-in.ts';
import type { Waiter } from './waiter.ts';

/** An entry to ask about, and whether it may be served in the place of an error. */
export interface Known {
  readonly entry: Entry;
  readonly servable: boolean;
}

/** The entry that a flight asks the origin about, where there is one. */
export class Base<T> {
  private readonly route: FlightRoute<T>;
  private readonly leader: Waiter<T>;
  /** Of the sequence that has numbered it. */
  private readonly life: number;
  private known: Known | null;

  constructor(route: FlightRoute<T>, leader: Waiter<T>, known: Known | null) {
    this.route = route;
    this.leader = leader;
    this.life = route.cache.life;
    this.known = known;
  }

  get entry(): Entry | null {
    return this.known?.entry ?? null;
  }

  /** False where it was unseated. */
  get servable(): boolean {
    return this.known?.servable ?? false;
  }

  /** One that was found on the way, where there is none. */
  offer(entry: Entry): void {
    this.known ??= { entry, servable: true };
  }

  /** It is asked for whole. */
  drop(): void {
    this.known = null;
  }

  /**
   * It may have been unseated while the flight waited for its turn. Then it is asked about only by what tells any two
   * contents apart: to the second, a change may have no other date than what it has changed.
   */
  review(): void {
    if (this.known === null) return;
    const { entry } = this.known;
    const servable = this.servable && this.usable(entry) !== undefined;
    this.known = servable || entry.etag?.startsWith('"') === true ? { entry, servable } : null;
  }

  /** It in the place of an error (RFC 5861 §4); null where it may not be. */
  standIn(answer: Reply): Entry | null {
    if (this.known?.servable !== true) return null;
    const { entry } = this.known;
    return standInFor(this.route, this.leader.fields, answer, () => this.usable(entry));
  }

  /**
   * An answer takes its place, though it can't be stored itself: the old one is not the answer to anyone's request any
   * more (RFC 9111 §4.3.3).
   */
  replacedBy(status: number): void {
    if (status < 400 || status === 404 || status === 410) this.discard();
  }

  discard(): void {
    if (this.known === null) return;
    const { cache } = this.route;
    const { key } = this.leader.keyed;
    cache.memory.discard(key, this.known.entry);
    cache.shared?.delete(key);
  }

  private usable(entry: Entry): Entry | undefined {
    return this.life === this.route.cache.life ? this.route.usable(this.leader, entry) : undefined;
  }
}
