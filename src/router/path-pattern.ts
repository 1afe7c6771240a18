import { compilePattern, type Pattern, PatternError } from '../util/pattern.ts';
import { PathPatternError } from './path-error.ts';
import { type PatternToken, tokeniseSegments } from './path-tokens.ts';
import { compileSegment, type NameType, type SegmentMatcher, type SegmentPart } from './segment-matcher.ts';

/** A path as a route names it: no placeholder in it, RE2 over the whole path, or segments. */
export type PathPattern =
  | { kind: 'exact'; path: string; ignoreCase: boolean }
  | { kind: 'regex'; pattern: Pattern; ignoreCase: boolean }
  | { kind: 'segments'; segments: PathSegment[]; ignoreCase: boolean };

export type PathSegment =
  /** In the spelling of `normalisePath`; empty after a final slash. */
  | { kind: 'literal'; text: string }
  /** Partly literal, or of a type. */
  | { kind: 'pattern'; matcher: SegmentMatcher; names: string[]; untyped: string[] }
  | { kind: 'name'; name: string }
  /** Always last. `*` has that as its name. */
  | { kind: 'rest'; name: string };

/**
 * Reads a path of `match`: `/exact`, `/{name}`, `/{name~RE2}`, `/{name:int}`, `/{name:uuid}`, text around
 * names, `/{name*}` or `/*` at the end, or `~RE2`. Literal text is brought to the spelling of requests.
 * Throws a `PathPatternError` at the first thing that is wrong.
 */
export function parsePathPattern(pattern: string, ignoreCase: boolean): PathPattern {
  if (pattern.startsWith('~')) {
    return { kind: 'regex', pattern: compileAt(pattern.slice(1), 1, ignoreCase), ignoreCase };
  }
  if (!pattern.startsWith('/')) throw missingSlash(pattern);
  const segments = withoutDots(tokeniseSegments(pattern)).map((tokens) => segmentOf(tokens, ignoreCase));
  const rest = segments.findIndex((segment) => segment.kind === 'rest');
  if (rest >= 0 && rest < segments.length - 1) throw restNotLast(pattern);
  const literals = segments.map((segment) => (segment.kind === 'literal' ? segment.text : null));
  if (literals.every((text) => text !== null))
    return { kind: 'exact', path: `/${literals.join('/')}`, ignoreCase };
  return { kind: 'segments', segments, ignoreCase };
}

function missingSlash(pattern: string): PathPatternError {
  const regex = /[\^$()[\]\\|+]/.test(pattern);
  const advice = regex ? `\`~${pattern}\` makes it a regular expression` : `write \`/${pattern}\``;
  return new PathPatternError('a path begins with `/`, or with `~` for RE2', 0, pattern.length, advice);
}

function restNotLast(pattern: string): PathPatternError {
  const found = /\*\}?(?=\/)/.exec(pattern);
  const start = found?.index ?? 0;
  const advice = 'write `{name}` for one segment in the middle, or `~RE2` over the whole path';
  return new PathPatternError('the rest of a path can only stand at its end', start, start + 1, advice);
}

/** Dot segments and doubled slashes are taken out of the text as they are out of requests. */
function withoutDots(segments: PatternToken[][]): PatternToken[][] {
  const kept: PatternToken[][] = [];
  for (const [i, tokens] of segments.entries()) {
    const text = literalText(tokens);
    const last = i === segments.length - 1;
    if (text === '..' && literalText(kept.at(-1) ?? [NO_LITERAL]) === null) throw dotsTooFar(tokens);
    if (text === '..') kept.pop();
    if (text === '' || text === '.' || text === '..') {
      if (last) kept.push([]);
    } else {
      kept.push(tokens);
    }
  }
  return kept;
}

const NO_LITERAL: PatternToken = { kind: 'rest', name: '*', start: 0, end: 0 };

function dotsTooFar(tokens: PatternToken[]): PathPatternError {
  const [token] = tokens as [PatternToken];
  return new PathPatternError(
    '`..` leads out of what is known',
    token.start,
    token.end,
    'write the path without it',
  );
}

/** Null where something other than text stands in it. */
function literalText(tokens: PatternToken[]): string | null {
  let text = '';
  for (const token of tokens) {
    if (token.kind !== 'text') return null;
    text += token.text;
  }
  return text;
}

function segmentOf(tokens: PatternToken[], ignoreCase: boolean): PathSegment {
  const text = literalText(tokens);
  if (text !== null) return { kind: 'literal', text };
  const [first] = tokens as [PatternToken];
  if (tokens.length === 1 && first.kind === 'rest') return { kind: 'rest', name: first.name };
  if (tokens.length === 1 && first.kind === 'name' && first.type === null)
    return { kind: 'name', name: first.name };
  const parts = tokens.map((token, i) => partOf(token, tokens[i - 1], ignoreCase));
  const named = parts.filter((part) => part.kind === 'name');
  const untyped = named.filter(({ type }) => type.kind === 'any').map(({ name }) => name);
  const names = named.map(({ name }) => name);
  return { kind: 'pattern', matcher: compileSegment(parts, ignoreCase), names, untyped };
}

function partOf(token: PatternToken, before: PatternToken | undefined, ignoreCase: boolean): SegmentPart {
  if (token.kind === 'text') return { kind: 'text', text: decodeURIComponent(token.text) };
  if (token.kind === 'rest' || before?.kind === 'rest') {
    const at = token.kind === 'rest' ? token : before!;
    const advice = 'give it a segment of its own, as in `/{name*}`';
    throw new PathPatternError('the rest of a path takes whole segments', at.start, at.end, advice);
  }
  if (before?.kind === 'name') {
    const advice = 'put text between them, as in `{a}-{b}`';
    throw new PathPatternError(
      'nothing says where one name ends and the next begins',
      before.start,
      token.end,
      advice,
    );
  }
  return { kind: 'name', name: token.name, type: typeOf(token, ignoreCase) };
}

function typeOf(token: PatternToken & { kind: 'name' }, ignoreCase: boolean): NameType {
  if (token.type === null) return { kind: 'any' };
  if (token.type.kind !== 'regex') return token.type;
  return { kind: 'regex', pattern: compileAt(token.type.source, token.type.start, ignoreCase) };
}

/** `start`: where the source stands in the path's text. */
function compileAt(source: string, start: number, ignoreCase: boolean): Pattern {
  try {
    return compilePattern(source, { ignoreCase });
  } catch (error) {
    if (!(error instanceof PatternError)) throw error;
    const advice = 'patterns are RE2: no look-around and no back-references; they must match the whole value';
    const from = start + Math.min(error.offset ?? 0, source.length);
    throw new PathPatternError(error.message, from, Math.max(start + source.length, from), advice);
  }
}
