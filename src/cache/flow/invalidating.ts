import type { Exchange, Reply } from '../../http/exchange.ts';
import { canonicalUrl } from '../../router/index.ts';
import { urlTag } from '../fences/index.ts';
import { invalidatedBy, invalidatedGroups } from '../policy/index.ts';
import type { Cache } from './cache.ts';
import type { Origin, Out } from './contract.ts';
import { hold } from './hold.ts';
import { groupTag } from './origin-tags.ts';
import { isUnsafe } from './safe.ts';

/**
 * An origin whose unsafe requests unseat what they may have changed (RFC 9111 §4.4, RFC 9875 §3): once the
 * service's head is there, and before the client sees the answer, so that what it asks next is answered anew.
 *
 * @param urlOf The absolute URL of an exchange, as entries are filed under it.
 * @param harmless Methods of the route that change nothing: it keeps their answers.
 */
export function invalidating<T>(
  cache: Cache,
  urlOf: (exchange: Exchange) => string,
  harmless: readonly string[],
  origin: Origin<T>,
): Origin<T> {
  return (exchange, out) => {
    if (!isUnsafe(exchange, harmless)) return origin(exchange, out);
    origin(exchange, {
      finish(_exchange, answer, transform) {
        const tags = unseatedBy(exchange, answer, urlOf);
        if (tags.length === 0) return out.finish(exchange, answer, transform);
        const told = cache.parts.invalidate({ tags, prefixes: [], all: false, soft: false });
        // Where that can't be had (Redis is away) it waits no longer.
        hold(exchange, answer, told, () => out.finish(exchange, answer, transform));
      },
    } satisfies Out<T>);
  };
}

function unseatedBy(exchange: Exchange, answer: Reply, urlOf: (exchange: Exchange) => string): string[] {
  if (answer.failure !== null || answer.tunnel !== null) return [];
  const { method } = exchange;
  const { status, headers: responseHeaders } = answer;
  const requestUrl = canonicalUrl(urlOf(exchange));
  // A host that is none names no entry.
  if (requestUrl === null) return [];
  const urls = invalidatedBy({ method, status, requestUrl, responseHeaders });
  const groups = status < 400 ? invalidatedGroups({ method, responseHeaders }) : [];
  return [
    ...urls.map((url) => urlTag(canonicalUrl(url) ?? url)),
    ...groups.map((group) => groupTag(requestUrl, group)),
  ];
}
