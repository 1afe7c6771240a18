import type { Candidate } from './candidate.ts';
import type { Visit } from './group.ts';
import { PathIndex } from './path-index.ts';
import type { RouteSubject } from './subject.ts';

/** The candidates of one listener by host: exact, then the longest wildcard that fits, then those without. */
export class HostIndex<R> {
  private exact: Map<string, PathIndex<R>> | null = null;
  /** By suffix, its leading dot included. */
  private wildcards: Map<string, PathIndex<R>> | null = null;
  private longestSuffix = 0;
  private any: PathIndex<R> | null = null;

  /** Candidates are added from the best rank to the last. */
  add(candidate: Candidate<R>): void {
    const { host } = candidate;
    if (host === null) {
      this.any ??= new PathIndex();
      this.any.add(candidate);
    } else if (host.kind === 'exact') {
      this.exact ??= new Map();
      indexFor(this.exact, host.host).add(candidate);
    } else {
      this.wildcards ??= new Map();
      this.longestSuffix = Math.max(this.longestSuffix, host.suffix.length);
      indexFor(this.wildcards, host.suffix).add(candidate);
    }
  }

  find(path: string, subject: RouteSubject, visit: Visit<R>): Candidate<R> | null {
    const exact = this.exact?.get(subject.host);
    return (
      (exact === undefined ? null : exact.find(path, subject, visit)) ??
      (this.wildcards === null ? null : this.findWildcard(this.wildcards, path, subject, visit)) ??
      (this.any === null ? null : this.any.find(path, subject, visit))
    );
  }

  /** Suffixes longer than any wildcard are not even looked at: a client may send a host of many thousand dots. */
  private findWildcard(
    wildcards: Map<string, PathIndex<R>>,
    path: string,
    subject: RouteSubject,
    visit: Visit<R>,
  ): Candidate<R> | null {
    const { host } = subject;
    const from = Math.max(1, host.length - this.longestSuffix);
    for (let dot = host.indexOf('.', from); dot >= 0; dot = host.indexOf('.', dot + 1)) {
      const index = wildcards.get(host.slice(dot));
      const found = index === undefined ? null : index.find(path, subject, visit);
      if (found !== null) return found;
    }
    return null;
  }
}

function indexFor<R>(map: Map<string, PathIndex<R>>, key: string): PathIndex<R> {
  let index = map.get(key);
  if (index === undefined) {
    index = new PathIndex();
    map.set(key, index);
  }
  return index;
}
