import type { RouteCacheConfig } from '../../config/model.ts';
import type { Exchange } from '../../http/exchange.ts';
import type { Handover } from '../../pipeline/index.ts';

/** What of an identity is in the key of a kept answer: no more of it may reach the service that makes the answer. */
export function toldByKey({ vary, private: own }: RouteCacheConfig): {
  subject: boolean;
  permissions: boolean;
} {
  const named = typeof vary === 'string' ? vary.trim() : '';
  // A key that names the subject holds the permissions too. What is only made from either names less.
  const subject = own || named === 'auth.subject';
  return { subject, permissions: subject || named === 'auth.permissions' };
}

/** Does it say whose the answers are? */
export function namesOwner(cache: RouteCacheConfig): boolean {
  return cache.private || cache.policy.owner !== 'none';
}

/** One handover or another, as each request needs it. */
export function choosing(choose: (exchange: Exchange) => Handover | null): Handover {
  return {
    without: (exchange, headers) => choose(exchange)?.without(exchange, headers) ?? headers,
    withoutTrailers: (exchange, body) => choose(exchange)?.withoutTrailers(exchange, body) ?? body,
    lines: (exchange) => choose(exchange)?.lines(exchange) ?? '',
  };
}
