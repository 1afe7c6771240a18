import type { Abortable, Exchange } from '../../http/exchange.ts';
import type { Clock, Timer } from '../../util/clock.ts';
import type { CacheStatusParams, RequestCacheFields, Use } from '../policy/index.ts';
import { lineOf } from './answers.ts';
import type { FullKey, Out } from './contract.ts';

/** One request that waits for what the origin will answer. */
export class Waiter<T> implements Abortable {
  readonly exchange: Exchange;
  readonly out: Out<T>;
  readonly keyed: FullKey;
  readonly fields: RequestCacheFields;
  /** Why the origin is asked. */
  readonly use: Use;
  /** How often what it waited for was not for it. */
  readonly round: number;
  /** Its place among all that came (`Cache.ticks`). */
  readonly arrival: number;
  gone = false;
  private timer: Timer | null = null;
  private readonly clock: Clock;

  constructor(
    exchange: Exchange,
    out: Out<T>,
    keyed: FullKey,
    fields: RequestCacheFields,
    use: Use,
    round: number,
    arrival: number,
    clock: Clock,
  ) {
    this.exchange = exchange;
    this.out = out;
    this.keyed = keyed;
    this.fields = fields;
    this.use = use;
    this.round = round;
    this.arrival = arrival;
    this.clock = clock;
    exchange.watch(this);
  }

  /** It is a part that is asked for, which can only be cut from the whole. */
  get wantsPart(): boolean {
    return this.fields.range !== null && this.exchange.method === 'GET';
  }

  /** What Cache-Status says of it, whatever becomes of it. */
  get line(): CacheStatusParams {
    return lineOf(this.use);
  }

  /** Waits no longer than `ms`. */
  limit(ms: number, late: () => void): void {
    if (ms === Number.POSITIVE_INFINITY) return;
    this.timer = this.clock.after(ms, () => {
      this.timer = null;
      if (!this.gone) late();
    });
  }

  /** It waits no more; false where its client has left. */
  settle(): boolean {
    if (this.timer !== null) this.clock.cancel(this.timer);
    this.timer = null;
    if (this.gone) return false;
    this.gone = true;
    this.exchange.watch(null);
    return true;
  }

  /** The client left. What it waited for goes on for the others. */
  abort(): void {
    if (this.timer !== null) this.clock.cancel(this.timer);
    this.timer = null;
    this.gone = true;
  }
}
