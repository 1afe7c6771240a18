import type { Candidate } from './candidate.ts';
import { foldPath } from './fold.ts';
import { firstOf, merge, type Visit } from './group.ts';
import { LiteralChildren } from './literal-children.ts';
import { decode, segmentEnd } from './params.ts';
import type { PathSegment } from './path-pattern.ts';
import type { SegmentMatcher } from './segment-matcher.ts';
import type { RouteSubject } from './subject.ts';

type NodeSet<R> = readonly Node<R>[];
type Edge<R> = { readonly matcher: SegmentMatcher; readonly node: Node<R> };

class Node<R> {
  literals: LiteralChildren<Node<R>> | null = null;
  /** Literal segments that are compared without case. */
  folded: Map<string, Node<R>> | null = null;
  /** Partly literal and typed segments. */
  edges: Edge<R>[] | null = null;
  name: Node<R> | null = null;
  /** Paths that end here, and those that go on with the rest; sorted by rank. */
  ends: Candidate<R>[] | null = null;
  rests: Candidate<R>[] | null = null;
}

/**
 * Paths with placeholders, as a tree over their segments. It is walked not node by node but by sets of nodes
 * that are equal so far: of `/{a:int}/{x}` and `/{b~[0-9]+}/list` the second is better for `/7/list`, since
 * equal segments leave the choice to those further right. A node has one parent and one depth, so a walk
 * visits it once at most: the cost is bounded by the tree, whatever the request is.
 */
export class PathTree<R> {
  private readonly root = new Node<R>();

  /** Candidates are added from the best rank to the last. */
  add(segments: readonly PathSegment[], ignoreCase: boolean, candidate: Candidate<R>): void {
    let node = this.root;
    for (const segment of segments) {
      if (segment.kind === 'rest') {
        node.rests ??= [];
        node.rests.push(candidate);
        return;
      }
      node = childFor(node, segment, ignoreCase);
    }
    node.ends ??= [];
    node.ends.push(candidate);
  }

  find(path: string, subject: RouteSubject, visit: Visit<R>): Candidate<R> | null {
    return walk(this.root, path, 0, subject, visit);
  }
}

/** The child that a segment leads to, made where there is none yet. */
function childFor<R>(
  node: Node<R>,
  segment: Exclude<PathSegment, { kind: 'rest' }>,
  ignoreCase: boolean,
): Node<R> {
  if (segment.kind === 'name') {
    node.name ??= new Node();
    return node.name;
  }
  if (segment.kind === 'pattern') return edgeFor(node, segment.matcher).node;
  if (ignoreCase) {
    node.folded ??= new Map();
    return getOrMake(node.folded, foldPath(segment.text));
  }
  node.literals ??= new LiteralChildren();
  return node.literals.getOrAdd(segment.text, () => new Node());
}

/** Edges of one key are one edge. */
function edgeFor<R>(node: Node<R>, matcher: SegmentMatcher): Edge<R> {
  node.edges ??= [];
  let edge = node.edges.find((known) => known.matcher.key === matcher.key);
  if (edge === undefined) {
    edge = { matcher, node: new Node<R>() };
    node.edges.push(edge);
  }
  return edge;
}

function getOrMake<R>(map: Map<string, Node<R>>, key: string): Node<R> {
  let node = map.get(key);
  if (node === undefined) {
    node = new Node();
    map.set(key, node);
  }
  return node;
}

/** `at` is the slash before the next segment, or the end of the path. */
function walk<R>(
  node: Node<R>,
  path: string,
  at: number,
  subject: RouteSubject,
  visit: Visit<R>,
): Candidate<R> | null {
  if (at === path.length) return firstOf(node.ends, subject, visit) ?? firstOf(node.rests, subject, visit);
  const { literals, edges, name } = node;
  if (node.folded !== null || (edges !== null && edges.length > 1))
    return walkSet([node], path, at, subject, visit);
  const end = segmentEnd(path, at);
  let found: Candidate<R> | null = null;
  if (literals !== null) {
    const child = literals.get(path, at + 1, end);
    if (child !== undefined) found = walk(child, path, end, subject, visit);
  }
  if (end > at + 1) {
    if (found === null && edges !== null && edges[0]!.matcher.matches(decode(path.slice(at + 1, end)))) {
      found = walk(edges[0]!.node, path, end, subject, visit);
    }
    if (found === null && name !== null) found = walk(name, path, end, subject, visit);
  }
  return found ?? firstOf(node.rests, subject, visit);
}

/** The same for several nodes that are equal so far. */
function walkSet<R>(
  set: NodeSet<R>,
  path: string,
  at: number,
  subject: RouteSubject,
  visit: Visit<R>,
): Candidate<R> | null {
  if (set.length === 0) return null;
  if (at === path.length)
    return firstOf(endsOf(set), subject, visit) ?? firstOf(restsOf(set), subject, visit);
  const end = segmentEnd(path, at);
  const segment = path.slice(at + 1, end);
  return (
    walkSet(afterLiteral(set, path, at + 1, end), path, end, subject, visit) ??
    (segment === '' ? null : walkSet(afterEdges(set, decode(segment)), path, end, subject, visit)) ??
    (segment === '' ? null : walkSet(afterName(set), path, end, subject, visit)) ??
    firstOf(restsOf(set), subject, visit)
  );
}

function afterLiteral<R>(set: NodeSet<R>, path: string, start: number, end: number): NodeSet<R> {
  const next: Node<R>[] = [];
  for (const { literals, folded } of set) {
    const literal = literals?.get(path, start, end);
    if (literal !== undefined) next.push(literal);
    const any = folded?.get(foldPath(path.slice(start, end)));
    if (any !== undefined) next.push(any);
  }
  return next;
}

function afterEdges<R>(set: NodeSet<R>, decoded: string): NodeSet<R> {
  const next: Node<R>[] = [];
  for (const { edges } of set) {
    if (edges === null) continue;
    for (const { matcher, node } of edges) if (matcher.matches(decoded)) next.push(node);
  }
  return next;
}

function afterName<R>(set: NodeSet<R>): NodeSet<R> {
  return set.flatMap(({ name }) => (name === null ? [] : [name]));
}

function endsOf<R>(set: NodeSet<R>): readonly Candidate<R>[] | null {
  return merge(set.map((node) => node.ends));
}

function restsOf<R>(set: NodeSet<R>): readonly Candidate<R>[] | null {
  return merge(set.map((node) => node.rests));
}
