import { type Document, isAlias, isMap, isScalar, isSeq, type Node, type Pair, type YAMLMap } from 'yaml';
import type { ConfigIssue } from '../model.ts';
import { isSecretPath } from '../report/secrets.ts';
import { isPlain } from './plain.ts';
import { type Range, syntaxIssue } from './source.ts';

/** More nodes than any config has: an alias bomb. */
const MOST_NODES = 1_000_000;
const DEEPEST = 200;

/** A mistake that only shows while the tree is turned into a value. */
export class Unreadable extends Error {
  readonly at: Range;
  readonly advice: string | undefined;
  constructor(message: string, at: Range, advice?: string) {
    super(message);
    this.at = at;
    this.advice = advice;
  }
}

/** The parsed document: turned into a plain value, and asked where things stand. */
export class YamlTree {
  private readonly document: Document;
  private readonly merge: boolean;
  /** Keys that stand twice, and numbers that can't be kept. */
  readonly issues: ConfigIssue[] = [];
  private readonly anchors = new Map<string, Node>();
  private readonly targets = new Map<Node, Node>();
  private readonly open = new Set<Node>();
  private found: readonly Range[] | undefined;
  private readonly pairs = new WeakMap<YAMLMap, Map<string, Pair<Node, Node | null>>>();
  private nodes = 0;
  /** The alias that is being followed, the outermost of several. */
  private following: Node | null = null;

  constructor(document: Document, merge: boolean) {
    this.document = document;
    this.merge = merge;
  }

  value(node: Node | null, depth: number): unknown {
    if (node === null) return null;
    if (++this.nodes > MOST_NODES)
      throw new Unreadable('the aliases of this file add up to too much', rangeOf(this.following ?? node));
    if (depth > DEEPEST) throw new Unreadable('this is nested too deeply', rangeOf(node));
    if (isAlias(node)) return this.follow(node, depth);
    if (node.anchor !== undefined) this.anchors.set(node.anchor, node);
    if (isScalar(node)) return this.scalar(node);
    if (this.open.has(node))
      throw new Unreadable('an alias stands inside of what it stands for', rangeOf(node));
    this.open.add(node);
    const value = isMap(node) ? this.map(node, depth) : this.list(node, depth);
    this.open.delete(node);
    return value;
  }

  private follow(alias: Node, depth: number): unknown {
    const outermost = this.following === null;
    if (outermost) this.following = alias;
    const value = this.value(this.target(alias), depth + 1);
    if (outermost) this.following = null;
    return value;
  }

  private scalar(node: Node): unknown {
    const { value, source = '' } = node as { value: unknown; source?: string };
    if (typeof value === 'number') this.checkDigits(value, source, node);
    if (value instanceof Uint8Array || value instanceof Date) return source;
    return value;
  }

  /** A number with more digits than it keeps would be another one. */
  private checkDigits(value: number, source: string, node: Node): void {
    if (Number.isSafeInteger(value) || !/^[-+]?(?:\d+|0x[\da-f]+|0o[0-7]+)$/i.test(source)) return;
    const advice = 'digits beyond the 15th are lost: put it in quotes, as text';
    this.issues.push(syntaxIssue('this number can not be kept as it is', rangeOf(node), advice));
  }

  private list(node: Node, depth: number): unknown[] {
    if (!isSeq(node)) return [];
    return node.items.map((item) => this.value(item as Node | null, depth + 1));
  }

  private map(node: YAMLMap, depth: number): Record<string, unknown> {
    const own: Record<string, unknown> = Object.create(null);
    const merged: Record<string, unknown> = Object.create(null);
    for (const pair of node.items as Pair<Node, Node | null>[]) {
      const key = this.key(pair.key);
      const before = Object.hasOwn(own, key) ? own[key] : undefined;
      if (before !== undefined) this.issues.push(twice(key, rangeOf(pair.key)));
      if (key === '<<' && this.merge) this.mergeInto(merged, pair.value, pair.key, depth);
      else own[key] = together(before, this.value(pair.value, depth + 1));
    }
    // Own keys win, and come after what they are based on.
    return Object.assign(Object.create(null), merged, own);
  }

  private mergeInto(merged: Record<string, unknown>, node: Node | null, key: Node, depth: number): void {
    const sources = this.mergeSources(node);
    if (sources === null) {
      throw new Unreadable(
        '"<<" takes in the keys of an object, and this is none',
        rangeOf(node ?? key),
        'write <<: *name, where &name stands before an object',
      );
    }
    // The value visits the alias too: its anchors and its size count.
    for (const source of sources.reverse()) Object.assign(merged, this.value(source, depth + 1));
  }

  private mergeSources(node: Node | null): Node[] | null {
    if (node === null) return null;
    const items = isSeq(node) ? (node.items as Node[]) : [node];
    return items.every((item) => isMap(this.resolved(item))) ? [...items] : null;
  }

  private key(node: Node): string {
    const scalar = this.resolved(node);
    if (!isScalar(scalar))
      throw new Unreadable('a key must be plain text', rangeOf(node), 'quote text with braces or brackets');
    const value = scalar.value;
    if (value === null)
      return scalar.source === undefined || scalar.source === '' ? '' : String(scalar.source);
    return typeof value === 'string' ? value : (scalar.source ?? String(value));
  }

  private resolved(node: Node | null): Node | null {
    return isAlias(node) ? this.target(node) : node;
  }

  private target(alias: Node): Node {
    const known = this.targets.get(alias);
    if (known !== undefined) return known;
    const name = (alias as { source?: string }).source ?? '';
    const target = this.anchors.get(name);
    if (target === undefined) {
      const advice = `"*" begins an alias; put text that begins with * in quotes, or define &${name} above`;
      throw new Unreadable(`nothing above is named "&${name}"`, rangeOf(alias), advice);
    }
    this.targets.set(alias, target);
    return target;
  }

  find(path: readonly (string | number)[], atKey: boolean): Range | null {
    let node: Node | null = this.document.contents as Node | null;
    let key: Node | null = null;
    for (const step of path) {
      const pair = this.child(node, step);
      if (pair === null) break;
      key = pair.key;
      node = pair.value;
    }
    if (key === null && node === null) return null;
    if (key === null && path.length === 0) return [0, 0];
    if (node !== null && (!atKey || key === null)) return rangeOf(node);
    return key === null ? null : rangeOf(key);
  }

  private child(node: Node | null, step: string | number): { key: Node | null; value: Node | null } | null {
    const parent = this.resolved(node);
    if (isSeq(parent)) {
      const item = parent.items[Number(step)];
      return item === undefined ? null : { key: null, value: item as Node | null };
    }
    if (!isMap(parent)) return null;
    const pairs = this.pairsOf(parent);
    const own = pairs.get(String(step));
    if (own !== undefined) return own;
    const merged = this.merge ? pairs.get('<<') : undefined;
    for (const source of merged === undefined ? [] : (this.mergeSources(merged.value) ?? [])) {
      const found = this.child(source, step);
      if (found !== null) return found;
    }
    return null;
  }

  private pairsOf(map: YAMLMap): Map<string, Pair<Node, Node | null>> {
    const known = this.pairs.get(map);
    if (known !== undefined) return known;
    const pairs = map.items as Pair<Node, Node | null>[];
    const byKey = new Map(pairs.map((pair) => [this.key(pair.key), pair]));
    this.pairs.set(map, byKey);
    return byKey;
  }

  /** Found when they are asked for: only a report shows lines of the file. */
  secrets(): readonly Range[] {
    this.found ??= secretsIn(this.document.contents as Node | null, (node) => this.key(node));
    return this.found;
  }
}

function secretsIn(root: Node | null, keyOf: (node: Node) => string): Range[] {
  const found: Range[] = [];
  const visit = (node: Node | null, path: (string | number)[]): void => {
    // A switch, as that of `cors: { credentials: true }`, is no secret.
    if (isScalar(node) && typeof node.value !== 'boolean' && isSecretPath(path)) found.push(rangeOf(node));
    if (isSeq(node)) for (const [index, item] of node.items.entries()) visit(item as Node, [...path, index]);
    if (!isMap(node)) return;
    for (const pair of node.items as Pair<Node, Node | null>[]) visit(pair.value, [...path, keyOf(pair.key)]);
  };
  visit(root, []);
  return found;
}

/** Of a section that stands twice, both halves are looked at. */
function together(before: unknown, value: unknown): unknown {
  const halves = [before, value];
  if (!halves.every((half) => typeof half === 'object' && half !== null && isPlain(half))) return value;
  return Object.assign(Object.create(null), ...halves);
}

function twice(key: string, at: Range): ConfigIssue {
  return syntaxIssue(`the key "${key}" stands here twice`, at, 'keep one of them');
}

function rangeOf(node: Node): Range {
  const range = node.range ?? [0, 0, 0];
  return [range[0], range[1]];
}
