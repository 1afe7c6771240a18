import { ExpressionError } from '../expression/index.ts';

/** A slice of a template's source, and where in the source it begins. */
export interface Part {
  readonly source: string;
  readonly at: number;
}

/** `redirect.to` cut where its literal text says what is what; null for a part that isn't there. */
export interface TargetParts {
  readonly scheme: Part | null;
  readonly authority: Part | null;
  /** With its query, if it has one. */
  readonly path: Part | null;
  readonly fragment: Part | null;
}

const HOLE = '\u0000';
/** A hole that is `request.path` and nothing else: it brings its slash along, so an authority ends before it. */
const PATH_HOLE = '\u0001';

/**
 * Cuts the source of `to` into scheme, authority, path and fragment, so that each value is filled in by the
 * rules of the place it stands in. Only literal text separates: a value never makes an authority of a path.
 *
 * @throws ExpressionError where it begins with none of a scheme, `//`, `/` or an expression.
 */
export function cutTarget(source: string): TargetParts {
  const text = withoutHoles(source);
  const hash = text.indexOf('#');
  const end = hash < 0 ? text.length : hash;
  const part = (from: number, to: number): Part | null =>
    from >= to ? null : { source: source.slice(from, to), at: from };
  const fragment = hash < 0 ? null : part(hash + 1, text.length);
  const head = /^(?:([^:/?#]+):)?\/\/([^/?#\u0001]*)/.exec(text);
  if (head !== null) {
    const schemeEnd = head[1]?.length ?? 0;
    const from = head[1] === undefined ? 2 : schemeEnd + 3;
    return {
      scheme: part(0, schemeEnd),
      authority: { source: source.slice(from, head[0].length), at: from },
      path: part(head[0].length, end),
      fragment,
    };
  }
  if (!/^[/\u0000\u0001]/.test(text)) {
    const message = 'a redirect goes to a URL with its scheme, or to a path that begins with /';
    const advice = `write "/${source}", or "https://${source}"`;
    throw new ExpressionError([{ message, start: 0, end: source.length, advice }]);
  }
  return { scheme: null, authority: null, path: part(0, end), fragment };
}

/** The source with every expression and escaped brace blotted out, each character by one: offsets stay. */
function withoutHoles(source: string): string {
  let text = '';
  let at = 0;
  while (at < source.length) {
    const two = source.slice(at, at + 2);
    if (two === '{{' || two === '}}') {
      text += '..';
      at += 2;
    } else if (source[at] === '{') {
      const end = holeEnd(source, at + 1);
      text += (/^\{\s*request\.path\s*\}$/.test(source.slice(at, end)) ? PATH_HOLE : HOLE).repeat(end - at);
      at = end;
    } else {
      text += source[at];
      at += 1;
    }
  }
  return text;
}

/** Behind the brace that closes the expression begun before `at`: braces in CEL's texts and maps don't. */
function holeEnd(source: string, at: number): number {
  const token = /\/\/[^\n]*|([rR]?)("""|'''|"|')|[{}]/g;
  token.lastIndex = at;
  let depth = 1;
  for (let match = token.exec(source); match !== null; match = token.exec(source)) {
    if (match[2] !== undefined) token.lastIndex = textEnd(source, token.lastIndex, match[2], match[1] !== '');
    else if (match[0] === '{') depth++;
    else if (match[0] === '}' && --depth === 0) return token.lastIndex;
  }
  return source.length;
}

function textEnd(source: string, from: number, quote: string, raw: boolean): number {
  for (let i = from; i < source.length; i++) {
    if (source.startsWith(quote, i)) return i + quote.length;
    if (source[i] === '\\' && !raw) i++;
  }
  return source.length;
}
