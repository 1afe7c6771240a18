import { percentEncoded } from './encode.ts';
import { ExpressionError, type Problem } from './failure.ts';
import { memberName } from './member.ts';
import type { Scope } from './scope.ts';
import type { Node } from './syntax.ts';
import type { Hole, Part } from './template-parts.ts';

/** One piece of a segment. `path` and `rest` keep the slashes between their segments, and `%2F` within one. */
export type SegmentPart = string | { readonly hole: Hole; readonly keeps: 'nothing' | 'path' | 'rest' };

/** A path template, cut at its slashes; the first segment of `/a` is the empty one before the slash. */
export interface PathShape {
  readonly segments: readonly (readonly SegmentPart[])[];
  /** Null where the template has no `?`. */
  readonly query: readonly (string | Hole)[] | null;
  /** It ends in a segment that is just `*`, which is left out of `segments`. */
  readonly endsWithRest: boolean;
}

/** Cuts a template into segments and query. Throws an ExpressionError for a path that can't be one. */
export function shapeOf(parts: readonly Part[], source: string, scope: Scope): PathShape {
  const problems: Problem[] = [];
  const segments: SegmentPart[][] = [[]];
  let query: (string | Hole)[] | null = null;
  for (const part of parts) {
    if (part.kind === 'hole') {
      if (query !== null) query.push(part);
      else segments.at(-1)!.push({ hole: part, keeps: keptSlashes(part.node, scope) });
      continue;
    }
    reportSyntax(part.text, part.start, problems);
    const mark: number = query === null ? part.text.indexOf('?') : -1;
    if (query === null) addLiteral(segments, mark < 0 ? part.text : part.text.slice(0, mark));
    if (mark >= 0) query = [literalQuery(part.text.slice(mark + 1))];
    else if (query !== null) query.push(literalQuery(part.text));
  }
  const endsWithRest = takeRest(segments);
  reportSegments(segments, source, problems);
  if (problems.length > 0) throw new ExpressionError(problems);
  return { segments, query, endsWithRest };
}

function addLiteral(segments: SegmentPart[][], text: string): void {
  text.split('/').forEach((piece, i) => {
    if (i > 0) segments.push([]);
    if (piece !== '') segments.at(-1)!.push(literalSegment(piece));
  });
}

/** Escapes of unreserved characters are undone, as in every path here (RFC 3986 §6.2.2); what can't stand is escaped. */
function literalSegment(text: string): string {
  return text.replace(/%[0-9A-Fa-f]{2}|[^A-Za-z0-9\-._~!$&'()*+,;=:@%/]+/g, (found) => {
    if (!found.startsWith('%')) return percentEncoded(found);
    const character = String.fromCharCode(Number.parseInt(found.slice(1), 16));
    return /[A-Za-z0-9\-._~]/.test(character) ? character : found.toUpperCase();
  });
}

function literalQuery(text: string): string {
  return text.replace(/[^A-Za-z0-9\-._~!$&'()*+,;=:@%/?]+/g, percentEncoded);
}

function takeRest(segments: SegmentPart[][]): boolean {
  const last = segments.at(-1)!;
  if (segments.length < 2 || last.length !== 1 || last[0] !== '*') return false;
  segments.pop();
  return true;
}

function keptSlashes(node: Node, scope: Scope): 'nothing' | 'path' | 'rest' {
  const name = memberName(node);
  if (name === null || (node.kind !== 'select' && node.kind !== 'index') || node.base.kind !== 'identifier')
    return 'nothing';
  if (node.base.name === 'request' && name === 'path') return 'path';
  return node.base.name === 'params' && scope.restParams.has(name) ? 'rest' : 'nothing';
}

function reportSyntax(text: string, start: number, problems: Problem[]): void {
  for (const match of text.matchAll(/%(?![0-9A-Fa-f]{2})|#|[\x00-\x1f\x7f\\]/g)) {
    const at = start + match.index;
    const [found] = match;
    if (found === '%')
      problems.push({
        message: '"%" needs two hex digits behind it',
        start: at,
        end: at + 1,
        advice: 'write %25 for the character itself',
      });
    else if (found === '#')
      problems.push({ message: 'a fragment is never sent to a server', start: at, end: at + 1 });
    else problems.push({ message: 'this character can not stand in a path', start: at, end: at + 1 });
  }
}

function reportSegments(segments: readonly SegmentPart[][], source: string, problems: Problem[]): void {
  const [first] = segments;
  const leads = first![0];
  const keeps = typeof leads === 'object' ? leads.keeps : 'nothing';
  if (leads !== undefined && keeps === 'nothing') {
    problems.push({ message: 'a path begins with "/"', start: 0, end: Math.min(source.length, 1) });
  } else if (source === '')
    problems.push({
      message: 'a path begins with "/"',
      start: 0,
      end: 0,
      advice: 'leave it out to keep the path as it is',
    });
  for (const segment of segments) {
    const text = segment.length === 1 && typeof segment[0] === 'string' ? segment[0] : '';
    if (text !== '.' && text !== '..') continue;
    const written = /(?<=\/)(?:\.|%2e){1,2}(?=[/?]|$)/i.exec(source);
    const start = written?.index ?? 0;
    const end = start + (written?.[0].length ?? source.length);
    problems.push({ message: `"${text}" can not be a segment of this path`, start, end });
  }
}
