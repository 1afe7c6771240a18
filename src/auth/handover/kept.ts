import type { RouteCacheConfig } from '../../config/model.ts';
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

/** One handover for requests whose answers may be kept, another for those that are never answered from the cache. */
export function byMethod(
  methods: readonly string[],
  kept: Handover | null,
  other: Handover | null,
): Handover | null {
  if (kept === null && other === null) return null;
  const choose = (method: string) => (methods.includes(method) ? kept : other);
  return {
    without: (exchange, headers) => choose(exchange.method)?.without(exchange, headers) ?? headers,
    withoutTrailers: (exchange, body) => choose(exchange.method)?.withoutTrailers(exchange, body) ?? body,
    lines: (exchange) => choose(exchange.method)?.lines(exchange) ?? '',
  };
}
