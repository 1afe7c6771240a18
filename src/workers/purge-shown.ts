import { type Invalidation, urlOfTag } from '../cache/index.ts';
import { maskUrl } from '../util/secret-looks.ts';

/** What was purged, for people. */
export interface PurgeShown {
  readonly tags: readonly string[];
  readonly urls: readonly string[];
  readonly prefixes: readonly string[];
  /** Of all these, how many are not listed. */
  readonly more: number;
  readonly all: boolean;
  readonly soft: boolean;
}

/** A URL that clients used may hold what was meant for the service alone. */
function shown(kind: string, text: string): string {
  return kind === 'tags' ? text : maskUrl(text);
}

/** Of one name, in characters. */
const LONGEST = 1024;

/** @param most Names that are listed: a purge may name any number, and is remembered and logged. */
export function purgeShown({ tags, prefixes, all, soft }: Invalidation, most: number): PurgeShown {
  const named = [
    ...tags.map((tag) => ({ kind: urlOfTag(tag) === null ? 'tags' : 'urls', text: urlOfTag(tag) ?? tag })),
    ...prefixes.map((text) => ({ kind: 'prefixes', text })),
  ];
  const listed = named.slice(0, most);
  const of = (kind: string) =>
    listed.filter((one) => one.kind === kind).map(({ text }) => shown(kind, text.slice(0, LONGEST)));
  return {
    tags: of('tags'),
    urls: of('urls'),
    prefixes: of('prefixes'),
    more: named.length - listed.length,
    all,
    soft,
  };
}
