import type { Template } from '../config/model.ts';
import { fieldBytes } from '../http/field-text.ts';
import { encodeFor, isAuthority, type Target, textOf } from './encode.ts';
import { EvaluationFailure, ExpressionError, type FailureOrigin } from './failure.ts';
import { DEFAULT_BUDGET, Frame } from './frame.ts';
import { originOf } from './mentions.ts';
import { compileFunction } from './native.ts';
import { failureFrom } from './program.ts';
import type { Scope } from './scope.ts';
import { compileParts, type Hole, mentionsOf, type Part } from './template-parts.ts';
import { typeText } from './types.ts';
import type { Value, Variables } from './value.ts';

/** A compiled template. */
export interface TextTemplate {
  /** The text, where nothing is filled in. */
  readonly constant: string | null;
  /** The texts around what is filled in, one more than there are holes. */
  readonly literals: readonly string[];
  readonly mentions: ReadonlySet<string>;
  /** One text; a list in it fails. Throws an EvaluationFailure. */
  render(variables: Variables): string;
  /**
   * A text for each element of a list in it, for each combination where there are several lists. Where a
   * value itself is null, the failure's kind is `null`.
   */
  renderAll(variables: Variables): string[];
}

export interface TemplateOptions {
  /** What it becomes part of; `text` where nothing is said. */
  readonly into?: Target;
  readonly pure?: boolean;
  /** What is filled in must not be empty: `order:` is no tag. */
  readonly filled?: boolean;
  /** It becomes one text, never one for each element of a list. */
  readonly single?: boolean;
}

/** Compiles `text {CEL} text`, or takes a function. Throws an ExpressionError with all problems. */
export function compileTemplate(source: Template, scope: Scope, options: TemplateOptions = {}): TextTemplate {
  const into = options.into ?? 'text';
  if (typeof source === 'function') return templateOfFunction(source, scope, into);
  const parts = compileParts(source, scope, options.pure ?? false);
  reportUnfillable(parts, !options.single && (into === 'text' || into === 'header'));
  if (parts.every((part) => part.kind === 'literal')) return constantTemplate(source, parts, into);
  const pieces = parts.map((part) =>
    part.kind === 'literal' ? part.text : pieceOf(part, into, parts.length === 1, options.filled ?? false),
  );
  return templateOf(pieces, mentionsOf(parts), into);
}

/** What is known to have no text is an error when the config is loaded. */
export function reportUnfillable(parts: readonly Part[], takesLists: boolean): void {
  const problems = parts
    .filter((part) => part.kind === 'hole')
    .filter(({ code: { type } }) => UNFILLABLE.has(type.kind) || (type.kind === 'list' && !takesLists))
    .map(({ code, node }) => ({
      message: `${typeText(code.type)} can not be filled into a text`,
      start: node.start,
      end: node.end,
      advice: code.type.kind === 'list' ? 'join it, or take one element' : 'json(value) makes a text of it',
    }));
  if (problems.length > 0) throw new ExpressionError(problems);
}

const UNFILLABLE = new Set(['map', 'record', 'null']);

function constantTemplate(source: string, parts: readonly Part[], into: Target): TextTemplate {
  const constant = finish(into, parts.map((part) => (part.kind === 'literal' ? part.text : '')).join(''));
  if (constant === null) {
    throw new ExpressionError([
      { message: BAD_RESULT[into] ?? 'this can not stand here', start: 0, end: source.length },
    ]);
  }
  return {
    constant,
    literals: [constant],
    mentions: new Set(),
    render: () => constant,
    renderAll: () => [constant],
  };
}

/** Gives the encoded text of a hole, or one for each element of a list. */
interface Piece {
  readonly origin: FailureOrigin;
  fill(frame: Frame): Value;
  encode(frame: Frame, value: Value): string;
}

function pieceOf(hole: Hole, into: Target, alone: boolean, filled: boolean): Piece {
  const { run } = hole.code;
  const encode = encoder(into, alone);
  return { origin: hole.origin, fill: run, encode: filled ? filledOnly(encode) : encode };
}

function filledOnly(encode: Piece['encode']): Piece['encode'] {
  return (frame, value) => {
    const text = encode(frame, value);
    if (text === '') throw new EvaluationFailure('value', 'the value is empty');
    return text;
  };
}

function encoder(into: Target, alone: boolean): Piece['encode'] {
  // A whole authority may have a port and the brackets of an IPv6 address; it is checked as a whole.
  if (into === 'authority' && alone) return (frame, value) => textOf(frame, value);
  return (frame, value) => {
    const text = textOf(frame, value);
    frame.spendText(text.length);
    return encodeFor(into, text);
  };
}

function templateOf(
  pieces: readonly (string | Piece)[],
  mentions: ReadonlySet<string>,
  into: Target,
): TextTemplate {
  const origin = originOf(mentions);
  const render = (variables: Variables): string => {
    const frame = new Frame(variables, DEFAULT_BUDGET);
    let text = '';
    for (const piece of pieces) text += typeof piece === 'string' ? piece : filled(frame, piece);
    return finished(into, text, origin);
  };
  const renderAll = (variables: Variables): string[] => {
    const frame = new Frame(variables, DEFAULT_BUDGET);
    let texts = [''];
    for (const piece of pieces) {
      texts =
        typeof piece === 'string'
          ? texts.map((text) => text + piece)
          : combined(frame, texts, filledAll(frame, piece));
    }
    return texts.map((text) => finished(into, text, origin));
  };
  return { constant: null, literals: literalsOf(pieces), mentions, render, renderAll };
}

function literalsOf(pieces: readonly (string | Piece)[]): string[] {
  const literals = [''];
  for (const piece of pieces) {
    if (typeof piece === 'string') literals[literals.length - 1] += piece;
    else literals.push('');
  }
  return literals;
}

function filled(frame: Frame, piece: Piece): string {
  try {
    return piece.encode(frame, piece.fill(frame));
  } catch (error) {
    throw failureFrom(error, piece.origin);
  }
}

function filledAll(frame: Frame, piece: Piece): string[] {
  try {
    const value = piece.fill(frame);
    if (value === null) throw new EvaluationFailure('null', 'null can not be filled in');
    if (!Array.isArray(value)) return [piece.encode(frame, value)];
    return value.map((element) => piece.encode(frame, element));
  } catch (error) {
    throw failureFrom(error, piece.origin);
  }
}

function combined(frame: Frame, texts: readonly string[], endings: readonly string[]): string[] {
  frame.spend(texts.length * endings.length);
  return texts.flatMap((text) => endings.map((ending) => text + ending));
}

function finished(into: Target, text: string, origin: FailureOrigin): string {
  const result = finish(into, text);
  if (result === null)
    throw new EvaluationFailure(
      into === 'header' ? 'nul' : 'value',
      BAD_RESULT[into] ?? 'the text can not stand here',
      origin,
    );
  return result;
}

const BAD_RESULT: Partial<Record<Target, string>> = {
  header: 'a header can not hold control characters',
  authority: 'this is not a host with an optional port',
  scheme: 'this is not a scheme',
};

/** What is asked of the text as a whole; null where it can't stand. */
function finish(into: Target, text: string): string | null {
  switch (into) {
    case 'header':
      return /[\x00-\x08\x0a-\x1f\x7f]/.test(text) ? null : fieldBytes(withoutBlanks(text));
    case 'authority':
      return isAuthority(text) ? text : null;
    case 'scheme':
      return /^[A-Za-z][A-Za-z0-9.-]*$/.test(text) ? text : null;
    default:
      return text;
  }
}

function templateOfFunction(source: Exclude<Template, string>, scope: Scope, into: Target): TextTemplate {
  const { run, mentions } = compileFunction(source, scope);
  return templateOf([{ origin: originOf(mentions), fill: run, encode: encoder(into, true) }], mentions, into);
}

/** Blanks around a header's value are not part of it (RFC 9110 §5.5). */
function withoutBlanks(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isBlank(text.charCodeAt(start))) start++;
  while (end > start && isBlank(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}

const isBlank = (code: number): boolean => code === 0x20 || code === 0x09;
