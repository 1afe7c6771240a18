import type { Template } from '../config/model.ts';
import { percentEncoded, textOf } from './encode.ts';
import { EvaluationFailure, ExpressionError, type FailureOrigin } from './failure.ts';
import { DEFAULT_BUDGET, Frame } from './frame.ts';
import { originOf } from './mentions.ts';
import { compileFunction } from './native.ts';
import { type PathShape, type SegmentPart, shapeOf } from './path-parts.ts';
import { failureFrom } from './program.ts';
import { ENCODED_REST } from './request.ts';
import type { Scope } from './scope.ts';
import { reportUnfillable } from './template.ts';
import { compileParts, type Hole, mentionsOf } from './template-parts.ts';
import type { Variables } from './value.ts';

/** A path ready to be sent. */
export interface RenderedPath {
  /**
   * Encoded, without double slashes; begins with `/`. Where the template ends in `/*` it is what stands
   * before that: `/api`, or '' for `/*` alone, to be followed by the rest with its slash, or by nothing.
   */
  readonly path: string;
  /** Encoded; null where the template has no `?`. */
  readonly query: string | null;
}

export interface PathTemplate {
  /** Path, `?` and query, where nothing is filled in. */
  readonly constant: string | null;
  readonly mentions: ReadonlySet<string>;
  /** It ends in `/*`: the rest of the matched path is to be put in its place. */
  readonly endsWithRest: boolean;
  /** Throws an EvaluationFailure for a segment that is empty, `.` or `..`; its origin tells whose value that was. */
  render(variables: Variables): RenderedPath;
}

/** Compiles the path of `to`, of a redirect or of a call. Throws an ExpressionError with all problems. */
export function compilePath(source: Template, scope: Scope): PathTemplate {
  if (typeof source === 'function') return pathOfFunction(source, scope);
  const parts = compileParts(source, scope, false);
  reportUnfillable(parts, false);
  const shape = shapeOf(parts, source, scope);
  const { endsWithRest } = shape;
  const mentions = mentionsOf(parts);
  if (parts.some((part) => part.kind === 'hole')) {
    return { constant: null, mentions, endsWithRest, render: (variables) => renderPath(shape, variables) };
  }
  const rendered = renderPath(shape, { get: () => undefined });
  const constant = rendered.query === null ? rendered.path : `${rendered.path}?${rendered.query}`;
  return { constant, mentions, endsWithRest, render: () => rendered };
}

function renderPath(shape: PathShape, variables: Variables): RenderedPath {
  const frame = new Frame(variables, DEFAULT_BUDGET);
  const segments: string[] = [];
  for (const segment of shape.segments) {
    const text = renderSegment(frame, segment);
    if (text !== null) segments.push(text);
    else if (segment === shape.segments.at(-1) && askedWithSlash(frame)) segments.push('');
  }
  return { path: tidy(segments.join('/'), shape.endsWithRest), query: renderQuery(frame, shape.query) };
}

/** An empty rest is no segment, but the slash that the client wrote before it stays. */
function askedWithSlash({ variables }: Frame): boolean {
  const request = variables.get('request');
  const path =
    request !== null && typeof request === 'object' && 'get' in request ? request.get('path') : undefined;
  return typeof path === 'string' && path.endsWith('/');
}

/** Double slashes that the template made collapse. */
function tidy(joined: string, endsWithRest: boolean): string {
  const path = joined.replace(/\/{2,}/g, '/');
  if (endsWithRest) return path.endsWith('/') ? path.slice(0, -1) : path;
  return path.startsWith('/') ? path : `/${path}`;
}

/** Null: a rest that is empty. */
function renderSegment(frame: Frame, parts: readonly SegmentPart[]): string | null {
  if (parts.length === 0) return '';
  if (parts.length === 1 && typeof parts[0] === 'string') return parts[0];
  const origin = parts.some((part) => typeof part === 'object' && part.hole.origin === 'request')
    ? 'request'
    : 'other';
  let text = '';
  let keepsSlashes = false;
  for (const part of parts) {
    if (typeof part === 'string') text += part;
    else {
      text += fill(frame, part.hole, part.keeps);
      keepsSlashes ||= part.keeps !== 'nothing';
    }
  }
  if (keepsSlashes && text === '' && parts.length === 1) return null;
  checkSegments(keepsSlashes ? text.split('/').filter((segment) => segment !== '') : [text], origin);
  return text;
}

function fill(frame: Frame, hole: Hole, keeps: 'nothing' | 'path' | 'rest'): string {
  try {
    const text = textOf(frame, hole.code.run(frame));
    frame.spendText(text.length);
    if (keeps === 'path') return text;
    if (keeps === 'nothing') return percentEncoded(text);
    const encoded = frame.variables.get(ENCODED_REST);
    const rest = typeof encoded === 'string' ? encoded : text.split('/').map(percentEncoded).join('/');
    checkRest(rest, hole.origin);
    return rest;
  } catch (error) {
    throw failureFrom(error, hole.origin);
  }
}

/** Of a rest only the last segment may be empty: that is a final slash. */
function checkRest(text: string, origin: FailureOrigin): void {
  if (text.startsWith('/') || text.includes('//'))
    throw new EvaluationFailure('value', 'a segment of the path is empty', origin);
}

function checkSegments(segments: readonly string[], origin: FailureOrigin): void {
  for (const segment of segments) {
    if (segment === '') throw new EvaluationFailure('value', 'a segment of the path is empty', origin);
    if (/^(?:\.|%2e){1,2}$/i.test(segment))
      throw new EvaluationFailure('value', `a segment of the path is "${segment}"`, origin);
  }
}

function renderQuery(frame: Frame, query: PathShape['query']): string | null {
  if (query === null) return null;
  let text = '';
  for (const part of query) text += typeof part === 'string' ? part : fill(frame, part, 'nothing');
  return text;
}

/** A function gives a whole path, encoded as far as it needs to be. */
function pathOfFunction(source: Exclude<Template, string>, scope: Scope): PathTemplate {
  const { run, mentions } = compileFunction(source, scope);
  const origin = originOf(mentions);
  const render = (variables: Variables): RenderedPath => {
    const frame = new Frame(variables, DEFAULT_BUDGET);
    try {
      const text = textOf(frame, run(frame));
      const shape = shapeOf([{ kind: 'literal', text, start: 0 }], text, scope);
      return renderPath({ ...shape, endsWithRest: false }, variables);
    } catch (error) {
      if (error instanceof ExpressionError) throw new EvaluationFailure('value', error.message, origin);
      throw failureFrom(error, origin);
    }
  };
  return { constant: null, mentions, endsWithRest: false, render };
}
