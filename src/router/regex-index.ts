import type { Candidate } from './candidate.ts';
import { merge, type Visit } from './group.ts';
import type { RouteSubject } from './subject.ts';

/**
 * Candidates whose path is RE2 over the whole of it. They are equal in precedence, so all that match count;
 * but most patterns begin with literal text, and only those are tried whose folder the path lies in.
 */
export class RegexIndex<R> {
  /** By the literal text that a pattern begins with, up to its last slash: `/img/`. Sorted by rank. */
  private readonly folders = new Map<string, Candidate<R>[]>();
  private deepest = 0;

  /** Candidates are added from the best rank to the last. */
  add(candidate: Candidate<R>, source: string, ignoreCase: boolean): void {
    const prefix = ignoreCase ? '' : literalPrefix(source);
    const folder = prefix.slice(0, prefix.lastIndexOf('/') + 1);
    this.deepest = Math.max(this.deepest, folder.length);
    const group = this.folders.get(folder);
    if (group === undefined) this.folders.set(folder, [candidate]);
    else group.push(candidate);
  }

  find(path: string, subject: RouteSubject, visit: Visit<R>): Candidate<R> | null {
    const group = this.groupFor(path);
    if (group === null) return null;
    for (const candidate of group) {
      if (candidate.path?.kind !== 'regex' || !candidate.path.pattern.matches(path)) continue;
      if (visit(candidate, subject)) return candidate;
    }
    return null;
  }

  private groupFor(path: string): readonly Candidate<R>[] | null {
    let groups: Candidate<R>[][] | null = null;
    let only = this.folders.get('') ?? null;
    for (let slash = 0; slash >= 0 && slash < this.deepest; slash = path.indexOf('/', slash + 1)) {
      const group = this.folders.get(path.slice(0, slash + 1));
      if (group === undefined) continue;
      if (groups !== null) groups.push(group);
      else if (only !== null) groups = [only, group];
      else only = group;
    }
    return groups === null ? only : merge(groups);
  }
}

/** Literal text that every match of a pattern begins with; less than there is where that is not plain to see. */
export function literalPrefix(source: string): string {
  if (source.includes('|')) return '';
  const [text] = /^\^?((?:[\w/%~!&',;=:@-]|\\[^\w\s])*)/.exec(source)!.slice(1) as [string];
  const next = source[source.startsWith('^') ? text.length + 1 : text.length];
  // A quantifier may also stand behind a group that only sets flags: `b(?i)*`.
  const sure = next !== undefined && '*?{+('.includes(next) ? text.replace(/(?:\\.|.)$/, '') : text;
  return sure.replaceAll(/\\(.)/g, '$1');
}
