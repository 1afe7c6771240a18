import { getHeader, getJoined, type Headers } from '../../http/headers.ts';
import { canonicalTag } from '../../util/canonical-tag.ts';
import { cacheGroups } from '../policy/index.ts';

/** Tags that the origin itself names: `Surrogate-Key`, `Cache-Tag`, and `Cache-Groups` (RFC 9875). */
export function originTags(headers: Headers, url: string): string[] {
  const keys = getJoined(headers, 'surrogate-key')?.split(/[\s,]+/) ?? [];
  const tags = getJoined(headers, 'cache-tag')?.split(',') ?? [];
  const named = [...keys, ...tags].map((tag) => canonicalTag(tag.trim())).filter((tag) => tag !== '');
  if (getHeader(headers, 'cache-groups') === undefined) return named;
  return [...named, ...cacheGroups(headers).flatMap((group) => [canonicalTag(group), groupTag(url, group)])];
}

/** A group is of one origin: what another origin invalidates leaves it alone (RFC 9875 §2). */
export function groupTag(url: string, group: string): string {
  const origin = URL.canParse(url) ? new URL(url).origin : '';
  return `\0group ${origin} ${group}`;
}
