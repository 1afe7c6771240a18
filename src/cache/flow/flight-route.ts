import type { Exchange } from '../../http/exchange.ts';
import type { Headers } from '../../http/headers.ts';
import type { Entry } from '../entry.ts';
import type { RequestCacheFields } from '../policy/index.ts';
import type { Cache } from './cache.ts';
import type { CacheRules, FullKey, Origin, Out } from './contract.ts';
import type { FedBy } from './fed-by.ts';
import type { OwnWrites } from './own-writes.ts';
import type { Waiter } from './waiter.ts';

/** What a flight needs of the route it is for. */
export interface FlightRoute<T> {
  readonly cache: Cache;
  readonly rules: CacheRules<T>;
  readonly origin: Origin<T>;
  /** The change sources that keep its entries right, as they stood in the config of the route; null: none. */
  readonly fedBy: FedBy | null;
  /** May an entry with these tags be answered from memory now? Whether it is fresh is another question. */
  mayAnswer(tags: readonly string[]): boolean;
  /** The client's headers as the origin gets them. */
  headersFor(exchange: Exchange): Headers;
  /**
   * Takes note of what the origin makes its answer depend on, and the route says it need not. True where this answer was
   * asked for with some of that: it is asked for anew without.
   */
  learnsVary(answer: Headers, asked: Headers): boolean;
  /** Looks once more, for one whose wait came to nothing. */
  again(waiter: Waiter<T>, found?: Entry): void;
  /** The entry as the fences leave it, where it is an answer to this one; whether it is fresh is another question. */
  usable(waiter: Waiter<T>, entry: Entry): Entry | undefined;
  /** One was answered from what is kept, fresh: the origin may be asked whether that is right. */
  audit(exchange: Exchange, keyed: FullKey, entry: Entry): void;
  /** Those who asked for an answer newer than the one under way. */
  renew(waiters: Waiter<T>[]): void;
}

/** And what a request needs of it that is to be looked at. */
export interface Looking<T> extends FlightRoute<T> {
  /** What clients have written, as far as they must not read older; null: nobody is to be known again. */
  readonly ownWrites: OwnWrites | null;
  /** Answers from memory if that can be, without waiting; else joins the fill under way for the same, or begins one. */
  look(exchange: Exchange, out: Out<T>, fields: RequestCacheFields, round: number, found?: Entry): void;
}
