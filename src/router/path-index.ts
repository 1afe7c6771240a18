import type { Candidate } from './candidate.ts';
import { foldPath } from './fold.ts';
import { firstOf, merge, type Visit } from './group.ts';
import { PathTree } from './path-tree.ts';
import { RegexIndex } from './regex-index.ts';
import type { RouteSubject } from './subject.ts';

/** The candidates of one listener and host, found by path in the order of precedence. */
export class PathIndex<R> {
  private readonly exact = new Map<string, Candidate<R>[]>();
  /** Paths without a placeholder that are compared without case. */
  private folded: Map<string, Candidate<R>[]> | null = null;
  private regexes: RegexIndex<R> | null = null;
  private tree: PathTree<R> | null = null;
  private pathless: Candidate<R>[] | null = null;

  /** Candidates are added from the best rank to the last. */
  add(candidate: Candidate<R>): void {
    const { path } = candidate;
    if (path === null) {
      this.pathless ??= [];
      this.pathless.push(candidate);
    } else if (path.kind === 'regex') {
      this.regexes ??= new RegexIndex();
      this.regexes.add(candidate, path.pattern.source, path.ignoreCase);
    } else if (path.kind === 'segments') {
      this.tree ??= new PathTree();
      this.tree.add(path.segments, path.ignoreCase, candidate);
    } else if (path.ignoreCase) {
      this.folded ??= new Map();
      append(this.folded, foldPath(path.path), candidate);
    } else {
      append(this.exact, path.path, candidate);
    }
  }

  /** The best candidate for a path that `visit` takes. */
  find(path: string, subject: RouteSubject, visit: Visit<R>): Candidate<R> | null {
    return (
      firstOf(this.exactly(path), subject, visit) ??
      (this.regexes === null ? null : this.regexes.find(path, subject, visit)) ??
      (this.tree === null ? null : this.tree.find(path, subject, visit)) ??
      firstOf(this.pathless, subject, visit)
    );
  }

  private exactly(path: string): readonly Candidate<R>[] | null {
    const exact = this.exact.get(path) ?? null;
    if (this.folded === null) return exact;
    return merge([exact, this.folded.get(foldPath(path)) ?? null]);
  }
}

function append<R>(map: Map<string, Candidate<R>[]>, key: string, candidate: Candidate<R>): void {
  const group = map.get(key);
  if (group === undefined) map.set(key, [candidate]);
  else group.push(candidate);
}
