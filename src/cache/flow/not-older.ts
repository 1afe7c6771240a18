import { Failure } from '../../http/errors.ts';
import type { Exchange } from '../../http/exchange.ts';
import { getJoined } from '../../http/headers.ts';
import type { CacheStatusParams, RequestCacheFields } from '../policy/index.ts';
import type { Out } from './contract.ts';
import type { FedBy } from './fed-by.ts';
import type { Looking } from './flight-route.ts';
import type { OwnWrites } from './own-writes.ts';
import { askPast } from './past.ts';

const BEHIND: CacheStatusParams = Object.freeze({ fwd: 'bypass', detail: 'behind' });

/** The positions that an answer may not be older than; null: it names none. */
export function afterOf({ madeFor }: Exchange, { after }: RequestCacheFields): string | null {
  // What is asked for a client's sake may not be older either than the client allows.
  return madeFor === null ? after : (after ?? getJoined(madeFor.headers, 'tidegate-after') ?? null);
}

/** Looks once the sources have come to the positions that the client names (`after`). */
export function lookAfter<T>(
  route: Looking<T>,
  exchange: Exchange,
  out: Out<T>,
  fields: RequestCacheFields,
  fedBy: FedBy,
  after: string,
): void {
  const { cache, ownWrites } = route;
  const client = exchange.madeFor ?? exchange;
  if (cache.behind.has(client)) return askPast(route, exchange, out, BEHIND);
  const go = () =>
    ownWrites === null
      ? route.look(exchange, out, fields, 0)
      : lookAfterWrites(route, exchange, out, fields, ownWrites);
  const wait = fedBy.waitFor(after, (outcome) => {
    exchange.watch(null);
    if (outcome === 'reached') return go();
    cache.behind.add(client);
    askPast(route, exchange, out, BEHIND);
  });
  if (wait === 'reached') return go();
  if ('cancel' in wait) return exchange.watch({ abort: () => wait.cancel() });
  const failure = new Failure('TG_AFTER_MALFORMED', wait.detail);
  const answer = cache.parts.problem(failure, exchange.id, { reason: wait.detail });
  out.finish(exchange, answer, route.rules.transform);
}

/** Looks once nothing older is answered than what the client has written itself. */
export function lookAfterWrites<T>(
  route: Looking<T>,
  exchange: Exchange,
  out: Out<T>,
  fields: RequestCacheFields,
  ownWrites: OwnWrites,
): void {
  const wait = ownWrites.waitFor(exchange, (outcome) => {
    exchange.watch(null);
    if (outcome === 'reached') route.look(exchange, out, fields, 0);
    else askPast(route, exchange, out, BEHIND);
  });
  if (wait === 'reached') route.look(exchange, out, fields, 0);
  else exchange.watch({ abort: () => wait.cancel() });
}
