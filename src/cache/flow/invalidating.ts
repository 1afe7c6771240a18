import type { Exchange, Reply } from '../../http/exchange.ts';
import { canonicalUrl } from '../../router/index.ts';
import { urlTag } from '../fences/index.ts';
import { invalidatedBy, invalidatedGroups } from '../policy/index.ts';
import { drop } from './answers.ts';
import type { Cache } from './cache.ts';
import type { Origin, Out } from './contract.ts';
import { groupTag } from './origin-tags.ts';

/** Methods that change nothing are answered without a further look (RFC 9110 §9.2.1). */
const SAFE: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'QUERY']);

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
    const { method } = exchange;
    if (SAFE.has(method) || harmless.includes(method) || exchange.upgrade !== null)
      return origin(exchange, out);
    origin(exchange, {
      finish(_exchange, answer, transform) {
        const tags = unseatedBy(exchange, answer, urlOf);
        if (tags.length === 0) return out.finish(exchange, answer, transform);
        const told = cache.parts.invalidate({ tags, prefixes: [], all: false, soft: false });
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
  return [...urls.map(urlTag), ...groups.map((group) => groupTag(requestUrl, group))];
}

/** The answer waits until nobody answers the old; where that can't be had (Redis is away) it waits no longer. */
function hold(exchange: Exchange, answer: Reply, told: Promise<unknown>, go: () => void): void {
  let left = false;
  exchange.watch({
    abort: () => {
      left = true;
      drop(exchange, answer);
    },
  });
  const done = () => {
    if (left) return;
    exchange.watch(null);
    go();
  };
  told.then(done, done);
}
