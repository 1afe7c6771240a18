import { compileExpression, compileTemplate } from '../../expression/index.ts';
import type { RouteInput } from '../schema/index.ts';
import type { CompileCheck } from './compile.ts';
import type { Scopes } from './expressions.ts';
import type { Path } from './findings.ts';

type CacheInput = RouteInput['cache'];

/** Expressions of a route's `cache`, or of that of `defaults`. Keys and tags are pure: they know no time. */
export function checkCacheExpressions(
  cache: CacheInput,
  path: Path,
  { check, scopes }: { check: CompileCheck; scopes: Scopes },
): void {
  if (typeof cache !== 'object') return;
  const { vary, store, tags } = cache;
  if (vary !== undefined)
    check.attempt([...path, 'vary'], () => compileExpression(vary, scopes.request, { pure: true }));
  if (store !== undefined) check.condition(store, scopes.response, [...path, 'store']);
  for (const { tag, at } of tagsOf(tags, [...path, 'tags']))
    check.attempt(at, () => compileTemplate(tag, scopes.response, { pure: true }));
}

/** Each tag with where it stands; what was found wrong is left out. */
function tagsOf(tags: Extract<CacheInput, object>['tags'], path: Path) {
  if (!Array.isArray(tags)) return tags === undefined ? [] : [{ tag: tags, at: path }];
  return tags.flatMap((tag, index) => (tag === undefined ? [] : [{ tag, at: [...path, index] }]));
}
