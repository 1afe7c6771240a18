import type { Exchange } from '../../http/exchange.ts';
import type { Headers } from '../../http/headers.ts';
import type { Entry } from '../entry.ts';
import type { Cache } from './cache.ts';
import type { CacheRules, FullKey, Origin } from './contract.ts';
import type { FedBy } from './fed-by.ts';
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
  /** It has cookies of its own beside those that the gateway itself has set. */
  hasCookie(headers: Headers): boolean;
  /** Requests whose answers can't be stored don't wait for each other from now on. */
  remember(waiter: Waiter<T>): void;
  /** Goes to the origin by itself, past the cache. */
  pass(waiter: Waiter<T>, detail: string | null): void;
  /** One was answered from what is kept, fresh: the origin may be asked whether that is right. */
  audit(exchange: Exchange, keyed: FullKey, entry: Entry): void;
  /** Those who asked for an answer newer than the one under way. */
  renew(waiters: Waiter<T>[]): void;
}
