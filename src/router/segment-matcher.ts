import type { RE2JS } from 're2js';
import { type Pattern, re2 } from '../util/pattern.ts';

/** What a name in a segment may stand for; always at least one character. */
export type NameType =
  | { kind: 'any' }
  | { kind: 'int' }
  | { kind: 'uuid' }
  | { kind: 'regex'; pattern: Pattern };

/** A segment that is partly literal or typed: text and names by turns. Text is decoded. */
export type SegmentPart = { kind: 'text'; text: string } | { kind: 'name'; name: string; type: NameType };

/** Decides about one decoded segment of a request. */
export interface SegmentMatcher {
  /** Two matchers with equal keys match the same segments, whatever their names are called. */
  readonly key: string;
  /** Takes whatever a plain name would take; false also where that is not known. */
  readonly universal: boolean;
  matches(segment: string): boolean;
  /** What each name stands for, from the left, in a segment that matches. */
  capture(segment: string): string[];
}

/** The canonical spelling of an integer alone: no plus sign, no leading zero, no minus zero. */
const INT = '0|-?[1-9][0-9]*';
/** RFC 9562 §4, in lower case, which is what writers of UUIDs are asked to produce. */
const UUID = '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}';
/** RE2 that takes any text without a line break, and no segment holds one. */
export const UNIVERSAL: ReadonlySet<string> = new Set(['.*', '.+', '^.*$', '^.+$', '(.*)', '(.+)']);
const WHOLE_INT = new RegExp(`^(?:${INT})$`);
const WHOLE_UUID = new RegExp(`^${UUID}$`);

/** No two names may stand side by side: nothing would say where one ends. */
export function compileSegment(parts: readonly SegmentPart[], ignoreCase: boolean): SegmentMatcher {
  const names = parts.filter((part) => part.kind === 'name');
  const hasLetters = parts.some(
    (part) => part.kind === 'text' && part.text.toLowerCase() !== part.text.toUpperCase(),
  );
  if (ignoreCase && hasLetters) return new CombinedMatcher(parts, true);
  if (names.length === 1) return new SingleMatcher(parts, names[0]!.type, ignoreCase);
  if (names.every((part) => part.type.kind === 'any')) return new GlobMatcher(parts, ignoreCase);
  return new CombinedMatcher(parts, ignoreCase);
}

function keyOf(parts: readonly SegmentPart[], ignoreCase: boolean): string {
  return `${ignoreCase ? 'i' : 'c'} ${parts.map(partKey).join(' ')}`;
}

function partKey(part: SegmentPart): string {
  if (part.kind === 'text') return JSON.stringify(part.text);
  return part.type.kind === 'regex' ? `~${JSON.stringify(part.type.pattern.source)}` : part.type.kind;
}

function textOf(part: SegmentPart | undefined): string {
  return part?.kind === 'text' ? part.text : '';
}

/** One name with text before, after, both or none. */
class SingleMatcher implements SegmentMatcher {
  readonly key: string;
  readonly universal: boolean;
  private readonly before: string;
  private readonly after: string;
  private readonly test: ValueTest | null;

  constructor(parts: readonly SegmentPart[], type: NameType, ignoreCase: boolean) {
    this.key = keyOf(parts, ignoreCase);
    this.before = textOf(parts[0]);
    this.after = textOf(parts.at(-1));
    this.test = testOf(type);
    this.universal = parts.length === 1 && type.kind === 'regex' && UNIVERSAL.has(type.pattern.source);
  }

  matches(segment: string): boolean {
    const { before, after } = this;
    if (segment.length <= before.length + after.length) return false;
    if (!segment.startsWith(before) || !segment.endsWith(after)) return false;
    return this.test === null || this.test.matches(this.valueIn(segment));
  }

  capture(segment: string): string[] {
    return [this.valueIn(segment)];
  }

  private valueIn(segment: string): string {
    return segment.slice(this.before.length, segment.length - this.after.length);
  }
}

type ValueTest = { matches(value: string): boolean };

const IS_INT: ValueTest = { matches: (value) => WHOLE_INT.test(value) };
const IS_UUID: ValueTest = { matches: (value) => WHOLE_UUID.test(value) };

function testOf(type: NameType): ValueTest | null {
  if (type.kind === 'any') return null;
  if (type.kind === 'regex') return type.pattern;
  return type.kind === 'int' ? IS_INT : IS_UUID;
}

/**
 * Several untyped names with text between them: each name takes as little as it can, the last what is left.
 * Taking the earliest place of each text is enough to find a fit if there is one, so this is linear.
 */
class GlobMatcher implements SegmentMatcher {
  readonly key: string;
  readonly universal = false;
  private readonly before: string;
  private readonly after: string;
  private readonly separators: readonly string[];

  constructor(parts: readonly SegmentPart[], ignoreCase: boolean) {
    this.key = keyOf(parts, ignoreCase);
    this.before = textOf(parts[0]);
    this.after = textOf(parts.at(-1));
    this.separators = parts.slice(1, -1).flatMap((part) => (part.kind === 'text' ? [part.text] : []));
  }

  matches(segment: string): boolean {
    return this.split(segment) !== null;
  }

  capture(segment: string): string[] {
    return this.split(segment) ?? [];
  }

  private split(segment: string): string[] | null {
    if (!segment.startsWith(this.before) || !segment.endsWith(this.after)) return null;
    const end = segment.length - this.after.length;
    const values: string[] = [];
    let from = this.before.length;
    for (const separator of this.separators) {
      const at = segment.indexOf(separator, from + 1);
      if (at < 0 || at + separator.length >= end) return null;
      values.push(segment.slice(from, at));
      from = at + separator.length;
    }
    if (from >= end) return null;
    values.push(segment.slice(from, end));
    return values;
  }
}

/** Several names of which one is typed, or text compared without case: one RE2 pattern with groups. */
class CombinedMatcher implements SegmentMatcher {
  readonly key: string;
  readonly universal = false;
  private readonly pattern: RE2JS;
  /** Which group holds each name's value; patterns may have groups of their own in between. */
  private readonly groups: readonly number[];

  constructor(parts: readonly SegmentPart[], ignoreCase: boolean) {
    const { RE2JS } = re2();
    this.key = keyOf(parts, ignoreCase);
    const groups: number[] = [];
    let source = '';
    let count = 0;
    for (const part of parts) {
      if (part.kind === 'text') {
        source += RE2JS.quote(part.text);
        continue;
      }
      groups.push(++count);
      source += `(${sourceOf(part.type)})`;
      if (part.type.kind === 'regex') count += RE2JS.compile(part.type.pattern.source).groupCount();
    }
    this.groups = groups;
    this.pattern = RE2JS.compile(source, ignoreCase ? RE2JS.CASE_INSENSITIVE : 0);
  }

  matches(segment: string): boolean {
    return this.pattern.testExact(segment);
  }

  capture(segment: string): string[] {
    const matcher = this.pattern.matcher(segment);
    matcher.matches();
    return this.groups.map((group) => matcher.group(group) ?? '');
  }
}

/** RE2 for one character or more of what a type takes. */
function sourceOf(type: NameType): string {
  if (type.kind === 'any') return '(?s:.+?)';
  if (type.kind === 'int') return INT;
  if (type.kind === 'uuid') return `(?-i:${UUID})`;
  return `(?:${type.pattern.source})`;
}
