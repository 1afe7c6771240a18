import { isPartOf, leavesOf } from '../../expression/index.ts';
import { globOf } from '../../util/glob.ts';
import type { RouteCacheConfig } from '../model.ts';

/**
 * What of the client's request a template reads that the key of a cache does not hold; undefined: nothing. One
 * client's answer would be given to another, and the service, which never sees where a value came from, can't tell
 * by `Vary`.
 *
 * @param mentions What it reads, as `Program.mentions` has it.
 * @param varied What `vary` of the cache reads.
 * @param intoPath It makes the path or the host: then a header counts, too.
 */
export function beyondKey(
  cache: RouteCacheConfig,
  mentions: ReadonlySet<string>,
  varied: ReadonlySet<string>,
  intoPath: boolean,
): string | undefined {
  const held = leavesOf(varied);
  return leavesOf(mentions).find((leaf) => !isHeld(cache, leaf, intoPath) && !covers(held, leaf));
}

function isHeld({ key, ignoreCookies }: RouteCacheConfig, leaf: string, intoPath: boolean): boolean {
  const [variable, member, ...rest] = leaf.split('.');
  if (variable !== 'request') return true;
  const name = rest.length === 0 ? undefined : rest.join('.');
  switch (member) {
    case 'body':
      return key.body;
    case 'query':
    case 'queries':
      return holdsParameter(key.query, name);
    case 'cookies':
      // Where nothing is said of cookies, what was asked with one is not kept for others.
      if (name !== undefined && key.cookies.includes(name)) return true;
      return !ignoreCookies && key.cookies.length === 0;
    case 'headers':
      return !intoPath || (name !== undefined && key.headers.includes(name.toLowerCase()));
    case 'ip':
      return !intoPath;
    default:
      return true;
  }
}

/** Read by no name it may be any. */
function holdsParameter(query: RouteCacheConfig['key']['query'], name: string | undefined): boolean {
  switch (query.kind) {
    case 'all':
      return true;
    case 'only':
      return name !== undefined && query.names.includes(name);
    case 'ignore':
      if (query.names.length === 0) return true;
      return name !== undefined && !query.names.some((pattern) => globOf(pattern).test(name));
  }
}

/** The key holds it, or a whole that it is part of. */
export function covers(key: readonly string[], leaf: string): boolean {
  return key.some((held) => isPartOf(leaf, held));
}

/** How the key is made to hold it. */
export function remedyOf(leaf: string): string {
  const [, member, ...rest] = leaf.split('.');
  const name = rest.length === 0 ? 'NAME' : rest.join('.');
  switch (member) {
    case 'body':
      return 'say key: { body: true } in its cache, or take it out here';
    case 'query':
    case 'queries':
      return `let key.query of its cache hold ${name}, or take it out here`;
    case 'cookies':
      return `say key: { cookies: [${name}] } in its cache, or take it out here`;
    case 'headers':
      return `say key: { headers: [${name}] } in its cache, or take it out here`;
    default:
      return `say vary: ${leaf} in its cache, or take it out here`;
  }
}
