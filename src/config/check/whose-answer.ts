import {
  compileExpression,
  compilePath,
  compileTemplate,
  ExpressionError,
  isPartOf,
  leavesOf,
  responseScope,
} from '../../expression/index.ts';
import type { Template } from '../model.ts';
import { routeCacheOf } from '../normalise/index.ts';
import type { ConfigInput, RouteInput } from '../schema/index.ts';
import { beyondKey, covers, remedyOf } from './beyond-key.ts';
import type { Findings, Path } from './findings.ts';
import { type Shaping, shapingOf } from './shaping.ts';

/** A cached route, with where its `cache` stands. */
interface CachedRoute {
  readonly name: string;
  readonly route: RouteInput;
  readonly cache: NonNullable<RouteInput['cache']>;
  readonly at: Path;
}

/** One user's answer must never become another's: whoever may be known on a cached route, its `cache` says whose the answer is. */
export function checkWhoseAnswer(input: ConfigInput, findings: Findings): void {
  for (const cached of cachedRoutes(input)) {
    if (isGuarded(authOf(cached.route, input))) checkOwner(cached, findings);
    checkIdentity(cached, input, findings);
    checkRequest(cached, input, findings);
  }
}

function cachedRoutes(input: ConfigInput): CachedRoute[] {
  return Object.entries(input.routes ?? {}).flatMap(([name, route]) => {
    const cache = route.cache ?? input.defaults?.cache;
    if (route.respond !== undefined || route.redirect !== undefined) return [];
    if (cache === undefined || routeCacheOf(cache) === null) return [];
    const at = route.cache === undefined ? ['routes', name] : ['routes', name, 'cache'];
    return [{ name, route, cache, at }];
  });
}

/** `auth`, as far as it is looked at here. */
type AuthInput = string | { with?: unknown } | undefined;

export function authOf(route: object, { defaults = {} }: ConfigInput): AuthInput {
  return (route as { auth?: AuthInput }).auth ?? (defaults as { auth?: AuthInput }).auth;
}

/** May a provider tell who asks? With `optional: true` too. */
export function isGuarded(auth: AuthInput): boolean {
  if (typeof auth !== 'object') return auth !== undefined && auth !== 'none';
  return auth.with !== undefined && auth.with !== 'none';
}

function checkOwner({ name, cache, at }: CachedRoute, findings: Findings): void {
  if (routeCacheOf(cache)!.policy.owner !== 'none') return;
  findings.error(
    'TG_CONFIG_CACHE_IDENTITY',
    at,
    `the route "${name}" is guarded, and its cache does not say whose an answer is`,
    'say cache: { vary: auth.subject }, { vary: auth.permissions }, { private: true } or { shared: true }',
    { atKey: true },
  );
}

/**
 * With a key that names less than the subject, what makes the request must not name more of `auth` than the key
 * does: the service would make one user's answer, and the cache would give it to the next.
 */
function checkIdentity(
  { name, route, cache, at }: CachedRoute,
  input: ConfigInput,
  findings: Findings,
): void {
  for (const { template, kind, path } of shapingOf(name, route, input)) {
    const more = identityBeyond(cache, mentionsOf(kind, template));
    if (more === undefined) continue;
    findings.error(
      'TG_CONFIG_CACHE_IDENTITY',
      path,
      `${more} shapes the request of the route "${name}", and is not in the key of its cache`,
      `say vary: ${more}${more === 'auth.subject' ? '' : ' or vary: auth.subject'} there, or take it out here`,
      { also: { path: [...at], atKey: true } },
    );
  }
}

/** What makes the request names nothing of the client's request that the key does not hold. */
function checkRequest({ name, route, cache, at }: CachedRoute, input: ConfigInput, findings: Findings): void {
  if (!takesKept(route, cache)) return;
  for (const { template, kind, path } of shapingOf(name, route, input)) {
    const intoPath = kind === 'path' || path.at(-1) === 'host';
    const more = requestBeyond(cache, mentionsOf(kind, template), intoPath);
    if (more === undefined) continue;
    const message = `${more} shapes the request of the route "${name}", and is not in the key of its cache`;
    findings.error('TG_CONFIG_CACHE_KEY', path, message, remedyOf(more), {
      also: { path: [...at], atKey: true },
    });
  }
}

/** Does the route take a method whose answers its cache keeps? */
export function takesKept({ match }: RouteInput, cache: RouteInput['cache']): boolean {
  const methods = typeof match === 'object' && 'method' in match ? match.method : undefined;
  if (methods === undefined) return true;
  const kept = cache === undefined ? null : routeCacheOf(cache);
  return [methods].flat().some((method) => kept?.policy.methods.includes(String(method)));
}

/** What of the client's request something reads that the key of a cache does not hold; undefined: nothing. */
export function requestBeyond(
  cache: RouteInput['cache'],
  mentions: ReadonlySet<string>,
  intoPath: boolean,
): string | undefined {
  const kept = cache === undefined ? null : routeCacheOf(cache);
  if (kept === null) return undefined;
  return beyondKey(kept, mentions, mentionsOf('expression', kept.vary ?? undefined), intoPath);
}

/**
 * What of `auth` something reads that the key of a cache does not hold; undefined: nothing, or its answers are kept
 * for nobody, or each for its own subject.
 */
export function identityBeyond(
  cache: RouteInput['cache'],
  mentions: ReadonlySet<string>,
): string | undefined {
  if (typeof cache !== 'object' || String(cache.private) === 'true') return undefined;
  if (routeCacheOf(cache)!.policy.owner === 'none') return undefined;
  const key = identityIn(mentionsOf('expression', cache.vary));
  if (key.includes('auth') || key.includes('auth.subject')) return undefined;
  return identityIn(mentions).find((part) => !covers(key, part));
}

/** The parts of `auth` that an expression reads, without the beginnings of longer ones. */
function identityIn(mentions: ReadonlySet<string>): string[] {
  return leavesOf(mentions).filter((name) => isPartOf(name, 'auth'));
}

/** What is wrong with an expression is told elsewhere; what cannot be read mentions nothing. */
function mentionsOf(kind: 'expression' | Shaping['kind'], source: Template | undefined): ReadonlySet<string> {
  if (source === undefined) return new Set();
  try {
    if (kind === 'expression') return compileExpression(source, responseScope).mentions;
    return kind === 'path'
      ? compilePath(source, responseScope).mentions
      : compileTemplate(source, responseScope).mentions;
  } catch (error) {
    if (error instanceof ExpressionError) return new Set();
    throw error;
  }
}
