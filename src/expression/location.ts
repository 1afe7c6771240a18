import type { Template } from '../config/model.ts';
import { isAuthority, textOf } from './encode.ts';
import { EvaluationFailure, ExpressionError } from './failure.ts';
import { DEFAULT_BUDGET, Frame } from './frame.ts';
import { memberName } from './member.ts';
import { compileFunction } from './native.ts';
import { compilePathParts } from './path.ts';
import { failureFrom, originOf } from './program.ts';
import type { Scope } from './scope.ts';
import { compileTemplateParts, type TextTemplate } from './template.ts';
import { compileParts, type Hole, type Part } from './template-parts.ts';
import type { Variables } from './value.ts';

/** Where a redirect goes: `/path`, `https://host/path`, each part of it filled in by its own rules. */
export interface LocationTemplate {
  readonly constant: string | null;
  readonly mentions: ReadonlySet<string>;
  /** What its scheme, host and port are made from: `query`, `headers` or `cookies` of the request may not be. */
  readonly authorityMentions: ReadonlySet<string>;
  render(variables: Variables): string;
}

/** Compiles the `to` of a redirect, or any other whole URL. Throws an ExpressionError with all problems. */
export function compileLocation(source: Template, scope: Scope): LocationTemplate {
  if (typeof source === 'function') return locationOfFunction(source, scope);
  const parts = compileParts(source, scope, false);
  const { scheme, authority, path } = cut(parts, source);
  if (authority === null) {
    const template = compilePathParts(path, source, scope);
    if (template.endsWithRest) throw restInLocation(source);
    return locationOf(null, null, template.mentions, (variables) => target(template.render(variables)));
  }
  const schemeTemplate = scheme === null ? null : compileTemplateParts(scheme, source, 'scheme');
  const authorityTemplate = compileTemplateParts(authority, source, 'authority');
  if (path.length === 0) return locationOf(schemeTemplate, authorityTemplate, new Set(), () => '/');
  const template = compilePathParts(path, source, scope);
  if (template.endsWithRest) throw restInLocation(source);
  return locationOf(schemeTemplate, authorityTemplate, template.mentions, (variables) =>
    target(template.render(variables)),
  );
}

function restInLocation(source: string): ExpressionError {
  const advice = 'write {request.path}, or {params["*"]} for the rest';
  return new ExpressionError([
    {
      message: '"*" stands for nothing here',
      start: source.lastIndexOf('*'),
      end: source.lastIndexOf('*') + 1,
      advice,
    },
  ]);
}

function target({ path, query }: { path: string; query: string | null }): string {
  return query === null ? path : `${path}?${query}`;
}

function locationOf(
  scheme: TextTemplate | null,
  authority: TextTemplate | null,
  pathMentions: ReadonlySet<string>,
  renderPath: (variables: Variables) => string,
): LocationTemplate {
  const authorityMentions = new Set([...(scheme?.mentions ?? []), ...(authority?.mentions ?? [])]);
  const mentions = new Set([...authorityMentions, ...pathMentions]);
  const render = (variables: Variables): string => {
    const schemeText = scheme === null ? '' : `${scheme.render(variables)}:`;
    const authorityText = authority === null ? '' : `//${authority.render(variables)}`;
    return schemeText + authorityText + renderPath(variables);
  };
  const isConstant = mentions.size === 0 && scheme?.constant !== null && authority?.constant !== null;
  return { constant: isConstant ? constantOf(render) : null, mentions, authorityMentions, render };
}

/** Null where something is computed that reads no variable: `now()`. */
function constantOf(render: (variables: Variables) => string): string | null {
  try {
    return render({ get: () => undefined });
  } catch {
    return null;
  }
}

interface Cut {
  readonly scheme: Part[] | null;
  readonly authority: Part[] | null;
  readonly path: Part[];
}

/** These stand for holes in the text that shows where the parts of a URL meet; `request.path` brings its own slash. */
const HOLE = '\0';
const PATH_HOLE = '\x01';

function shapeText(parts: readonly Part[]): string {
  return parts
    .map((part) =>
      part.kind === 'literal' ? part.text.replace(/[\0\x01]/g, ' ') : isPath(part) ? PATH_HOLE : HOLE,
    )
    .join('');
}

function isPath({ node }: Hole): boolean {
  return (
    memberName(node) === 'path' &&
    node.kind === 'select' &&
    node.base.kind === 'identifier' &&
    node.base.name === 'request'
  );
}

function cut(parts: readonly Part[], source: string): Cut {
  const shape = shapeText(parts);
  const match = /^([^/?#]*:)?\/\/([^/?#\x01]*)/.exec(shape);
  if (match === null) {
    if (/^[A-Za-z][A-Za-z0-9+.-]*:/.test(shape)) {
      throw new ExpressionError([
        { message: 'a URL begins with a scheme and "//"', start: 0, end: shape.indexOf(':') + 1 },
      ]);
    }
    return { scheme: null, authority: null, path: [...parts] };
  }
  const schemeEnd = match[1] === undefined ? 0 : match[1].length - 1;
  const authorityStart = match[0].length - match[2]!.length;
  if (match[2] === '')
    throw new ExpressionError([{ message: 'the host is missing', start: 0, end: source.length }]);
  return {
    scheme: match[1] === undefined ? null : between(parts, 0, schemeEnd),
    authority: between(parts, authorityStart, match[0].length),
    path: between(parts, match[0].length, shape.length),
  };
}

/** The parts that fill these places of the shape. */
function between(parts: readonly Part[], from: number, to: number): Part[] {
  const found: Part[] = [];
  let at = 0;
  for (const part of parts) {
    const length = part.kind === 'hole' ? 1 : part.text.length;
    const start = Math.max(from, at) - at;
    const end = Math.min(to, at + length) - at;
    if (start < end)
      found.push(
        part.kind === 'hole'
          ? part
          : { kind: 'literal', text: part.text.slice(start, end), start: part.start + start },
      );
    at += length;
  }
  return found;
}

function locationOfFunction(source: Exclude<Template, string>, scope: Scope): LocationTemplate {
  const { run, mentions } = compileFunction(source, scope);
  const origin = originOf(mentions);
  const render = (variables: Variables): string => {
    const frame = new Frame(variables, DEFAULT_BUDGET);
    try {
      return wholeUrl(textOf(frame, run(frame)));
    } catch (error) {
      throw failureFrom(error, origin);
    }
  };
  return { constant: null, mentions, authorityMentions: mentions, render };
}

function wholeUrl(text: string): string {
  const match = /^([A-Za-z][A-Za-z0-9+.-]*:)?\/\/([^/?#]*)(?=$|[/?#])|^\/(?!\/)/.exec(text);
  const valid =
    match !== null && (match[2] === undefined || isAuthority(match[2])) && !/[\x00-\x20\x7f\\]/.test(text);
  if (!valid) throw new EvaluationFailure('value', 'this is neither a path nor a URL');
  return Array.from(text, (character) =>
    character > '~' ? encodeURIComponent(character.toWellFormed()) : character,
  ).join('');
}
