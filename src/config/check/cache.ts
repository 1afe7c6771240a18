import { compileExpression, compileTemplate } from '../../expression/index.ts';
import type { PathParameters } from '../../router/index.ts';
import { formatSize } from '../../util/size.ts';
import { cacheOf, routeCacheOf } from '../normalise/index.ts';
import type { ConfigInput, RouteInput } from '../schema/index.ts';
import type { CompileCheck } from './compile.ts';
import type { Scopes } from './expressions.ts';
import type { Findings, Path } from './findings.ts';

type CacheInput = RouteInput['cache'];
type CacheObject = Extract<CacheInput, object>;

/** Caches that could never keep anything. */
export function checkCaches(input: ConfigInput, findings: Findings): void {
  checkSize(input.defaults?.cache, ['defaults', 'cache'], input.cache, findings);
  for (const [name, route] of Object.entries(input.routes ?? {})) {
    const path: Path = ['routes', name, 'cache'];
    checkSize(route.cache, path, input.cache, findings);
    const made = (['respond', 'redirect'] as const).find((key) => route[key] !== undefined);
    if (made === undefined || !keepsAnything(route.cache)) continue;
    findings.error(
      'TG_CONFIG_CONFLICT',
      path,
      'there is nothing to keep: the gateway makes this answer itself',
      'remove it',
      { atKey: true, also: { path: ['routes', name, made], atKey: true } },
    );
  }
}

function keepsAnything(cache: CacheInput): boolean {
  return typeof cache === 'object' || String(cache) === 'true';
}

function checkSize(cache: CacheInput, path: Path, levels: ConfigInput['cache'], findings: Findings): void {
  if (typeof cache !== 'object' || cache.maxSize === undefined) return;
  const { maxSize } = routeCacheOf({ maxSize: cache.maxSize })!.policy;
  const { memory } = cacheOf(levels?.memory === undefined ? {} : { memory: levels.memory }, String);
  if (maxSize <= memory || memory === 0) return;
  findings.warning(
    'TG_CONFIG_VALUE',
    [...path, 'maxSize'],
    `bodies of this size do not fit into the memory of the cache, which has ${formatSize(memory)}`,
    'give cache.memory more, or say less here',
  );
}

/** Where a `cache` stands: on a route, or in `defaults`, where no parameters are known. */
export interface CachePlace {
  readonly check: CompileCheck;
  readonly findings: Findings;
  readonly scopes: Scopes;
  readonly parameters: PathParameters | null;
}

/** Expressions of a `cache`. Keys and tags are pure: they know no time. */
export function checkCacheExpressions(cache: CacheInput, path: Path, place: CachePlace): void {
  if (typeof cache !== 'object') return;
  const { check, scopes } = place;
  const { vary, store } = cache;
  if (vary !== undefined) {
    const at = [...path, 'vary'];
    const compiled = check.attempt(at, () => compileExpression(vary, scopes.request, { pure: true }));
    if (compiled !== null) {
      checkStoredCookies(cache, compiled.mentions, path, place.findings);
      checkRefreshedKey(cache, compiled.mentions, path, place.findings);
    }
  }
  if (store !== undefined) check.condition(store, scopes.response, [...path, 'store']);
  for (const { tag, at } of tagsOf(cache.tags, [...path, 'tags'])) {
    const compiled = check.attempt(at, () => compileTemplate(tag, scopes.response, { pure: true }));
    if (compiled?.constant === '') emptyTag(at, place.findings);
    if (compiled !== null) checkSpellings(compiled.mentions, at, place);
  }
}

function emptyTag(at: Path, findings: Findings): void {
  const message = 'with an empty tag nothing would be stored';
  findings.error('TG_CONFIG_VALUE', at, message, 'give it a text, or remove it');
}

/** Each tag with where it stands; what was found wrong is left out. */
function tagsOf(tags: CacheObject['tags'], path: Path) {
  if (!Array.isArray(tags)) return tags === undefined ? [] : [{ tag: tags, at: path }];
  return tags.flatMap((tag, index) => (tag === undefined ? [] : [{ tag, at: [...path, index] }]));
}

/** What can tell one user from another. */
const NAMES_USER =
  /^(?:auth|auth\.subject|auth\.claims(?:\..+)?|request|request\.(?:cookies|headers|query|queries|ip|body)(?:\..+)?|params(?:\..+)?)$/;

/** A `vary` that no user is named by leaves a stored Set-Cookie to everyone whose requests it holds equal. */
function checkStoredCookies(
  cache: CacheObject,
  mentions: ReadonlySet<string>,
  path: Path,
  findings: Findings,
): void {
  if (cache.setCookie !== 'store' || String(cache.private) === 'true') return;
  if ((cache.key?.cookies ?? []).length > 0 || [...mentions].some((name) => NAMES_USER.test(name))) return;
  findings.error(
    'TG_CONFIG_CONFLICT',
    [...path, 'setCookie'],
    "one user's cookie would be given to others: nothing in the key names the user",
    'say setCookie: drop, or vary: auth.subject, private: true or key: { cookies: [NAME] }',
    { also: { path: [...path, 'vary'] } },
  );
}

/** What is filled in the background is asked for in nobody's name: who asked may not be let in any more. */
export const REFRESH_OF_ONE = {
  message: '"refresh" asks in nobody\'s name, and with this "vary" each answer is one subject\'s own',
  advice: 'remove it, or name less in vary: auth.permissions, or a claim that many share',
};

export function namesWhoAsks(mentions: ReadonlySet<unknown>): boolean {
  return mentions.has('auth') || mentions.has('auth.subject');
}

function checkRefreshedKey(
  cache: CacheObject,
  mentions: ReadonlySet<string>,
  path: Path,
  findings: Findings,
): void {
  if (String(cache.refresh) !== 'true' || !namesWhoAsks(mentions)) return;
  const { message, advice } = REFRESH_OF_ONE;
  findings.error('TG_CONFIG_CONFLICT', [...path, 'refresh'], message, advice, {
    atKey: true,
    also: { path: [...path, 'vary'] },
  });
}

/** `/orders/0042` is the order 42 to many a service, and another tag. */
function checkSpellings(mentions: ReadonlySet<string>, at: Path, { parameters, findings }: CachePlace): void {
  for (const name of parameters?.untyped ?? []) {
    if (!mentions.has(`params.${name}`)) continue;
    const typed = name === '*' ? 'name the segment' : `write {${name}:int} or {${name}:uuid}`;
    findings.warning(
      'TG_CONFIG_CACHE_TAG',
      at,
      `params.${name} is taken as the client spells it, and 0042 makes another tag than 42`,
      `${typed} in the match, or {${name === '*' ? 'name' : name}~RE2} with what is canonical`,
    );
  }
}
