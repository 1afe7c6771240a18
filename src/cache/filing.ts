import { type Invalidation, urlOfTag, urlTag } from './fences/index.ts';
import { compileQuery, type QueryFilter, type QueryRule } from './query-rule.ts';

/**
 * Where answers to a URL are filed. Routes that leave parameters out of the key, or sort them, file the answers to many
 * URLs under one: who invalidates any of these URLs means what is filed under that one.
 */
export class Filing {
  private readonly filters: readonly QueryFilter[];

  constructor(rules: readonly QueryRule[]) {
    this.filters = rules.map(compileQuery).filter((filter) => filter !== null);
  }

  /** The invalidation, with all that answers to its URLs and prefixes are filed under. */
  reach(what: Invalidation): Invalidation {
    if (this.filters.length === 0) return what;
    const tags = what.tags.flatMap((tag) => {
      const url = urlOfTag(tag);
      return url === null ? [tag] : [tag, ...this.filed(url).map(urlTag)];
    });
    const prefixes = what.prefixes.flatMap((prefix) => [prefix, ...widened(prefix)]);
    return { ...what, tags: [...new Set(tags)], prefixes: [...new Set(prefixes)] };
  }

  private filed(url: string): string[] {
    const mark = url.indexOf('?');
    if (mark < 0) return [];
    const [path, query] = [url.slice(0, mark), url.slice(mark + 1)];
    return this.filters.map((filter) => {
      const kept = filter(query);
      return kept === null ? path : `${path}?${kept}`;
    });
  }
}

/** Where parameters are sorted or left out, nobody can tell by its beginning which query it is: each may be it. */
function widened(prefix: string): string[] {
  const mark = prefix.indexOf('?');
  return mark < 0 ? [] : [prefix.slice(0, mark + 1)];
}
