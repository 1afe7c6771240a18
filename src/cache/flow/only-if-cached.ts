import { Failure } from '../../http/errors.ts';
import type { Exchange } from '../../http/exchange.ts';
import type { Entry } from '../entry.ts';
import { cacheStatus, type RequestCacheFields, selectVariant } from '../policy/index.ts';
import type { FullKey, Out } from './contract.ts';
import type { Looking } from './flight-route.ts';

/** The client wants a stored answer or none (RFC 9111 §5.2.1.7): the level that nodes share is asked too. */
export async function onlyIfCached<T>(
  route: Looking<T>,
  exchange: Exchange,
  out: Out<T>,
  fields: RequestCacheFields,
  keyed: FullKey,
  round: number,
): Promise<void> {
  const { cache, rules } = route;
  if (cache.shared !== null && round === 0) {
    const headers = route.headersFor(exchange);
    const { life } = cache;
    const entry = await cache.shared.get(keyed.key, (heads) =>
      heads.indexOf(selectVariant(heads as readonly Entry[], headers)!),
    );
    if (exchange.aborted !== null) return;
    // What another life of the sequence numbered means nothing in this one.
    if (entry === null || life !== cache.life || !cache.mayShare(entry.tags))
      return route.look(exchange, out, fields, 1);
    return route.look(exchange, out, fields, 1, cache.memory.put(keyed.key, entry));
  }
  const answer = cache.parts.problem(new Failure('TG_CACHE_ONLY_IF_CACHED'), exchange.id);
  const line = { detail: 'only-if-cached' };
  exchange.cache = line;
  answer.headers.push('Cache-Status', cacheStatus(line));
  out.finish(exchange, answer, rules.transform);
}
