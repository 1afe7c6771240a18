import { type Varies, variesBy } from '../aggregate/index.ts';
import type { RouteCacheConfig, TransformConfig } from '../config/model.ts';
import { compileExpression, compileTemplate, reads, type Scope } from '../expression/index.ts';
import { getHeaders, type Headers } from '../http/headers.ts';
import type { Dispatch } from '../pipeline/index.ts';

/** A header by its lower-case name, and what it is made of: the mentions of each template. */
type Made = readonly [name: string, of: readonly ReadonlySet<string>[]];

/**
 * A service can vary by a header that the gateway has made of something else of the client's. The cache, which stands
 * before that, is told what it was made of, so that one client's answer isn't taken for another's (RFC 9111 §4.1).
 */
export function varyBySource(
  dispatch: Dispatch,
  cache: RouteCacheConfig | null,
  transforms: readonly TransformConfig[],
  scope: Scope,
): Dispatch {
  if (cache === null || cache.policy.ignore.has('vary')) return dispatch;
  const sources = sourcesOf(transforms, countsAddress(cache, scope) ? [] : [MADE_ALWAYS], scope);
  if (sources.size === 0) return dispatch;
  return (exchange, out) =>
    dispatch(exchange, {
      finish(_exchange, answer, transform) {
        const more = varyingAlso(answer.headers, sources);
        if (more.length > 0) answer.headers.push('Vary', more.join(', '));
        out.finish(exchange, answer, transform);
      },
    });
}

/** Does a route keep an answer for each address anyway, by its key or by `vary`? */
export function countsAddress({ key, vary }: RouteCacheConfig, scope: Scope): boolean {
  if (key.headers.includes(ADDRESS)) return true;
  return vary !== null && reads(compileExpression(vary, scope, { pure: true }).mentions, 'request.ip');
}

const ADDRESS = 'x-forwarded-for';
/** Every service gets it, made of the address of whoever is connected, which stands in no header of the client's. */
const MADE_ALWAYS: Made = [ADDRESS, [new Set(['request.ip'])]];

/** By the lower-case name of a header that is made, what of the client's request it is made of. */
function sourcesOf(
  transforms: readonly TransformConfig[],
  always: readonly Made[],
  scope: Scope,
): Map<string, Varies> {
  const made = new Map(always);
  for (const { headers } of transforms)
    for (const lines of [headers.set, headers.add, headers.default])
      for (const [name, value] of Object.entries(lines)) {
        const mentions = [value].flat().map((template) => compileTemplate(template, scope).mentions);
        const lower = name.toLowerCase();
        made.set(lower, [...(made.get(lower) ?? []), ...mentions]);
      }
  const sources = [...made].map(([name, mentions]) => [name, variesBy(mentions)] as const);
  return new Map(sources.filter(([, varies]) => varies.length > 0));
}

function varyingAlso(headers: Headers, sources: ReadonlyMap<string, Varies>): string[] {
  const named = getHeaders(headers, 'vary').flatMap((line) => line.split(','));
  const more = named.flatMap((name) => sources.get(name.trim().toLowerCase()) ?? []);
  return more.includes('*') ? ['*'] : [...new Set(more)];
}
