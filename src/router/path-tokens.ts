import { nearest } from '../util/suggest.ts';
import { normaliseText } from './normalise.ts';
import { PathPatternError } from './path-error.ts';

/** A piece of a path pattern; `start` and `end` are offsets into its text. */
export type PatternToken =
  /** Literal, in the percent-encoding that requests are brought to. */
  | { kind: 'text'; text: string; start: number; end: number }
  | { kind: 'name'; name: string; type: TokenType | null; start: number; end: number }
  | { kind: 'rest'; name: string; start: number; end: number };

export type TokenType = { kind: 'int' } | { kind: 'uuid' } | { kind: 'regex'; source: string; start: number };

const TYPES = ['int', 'uuid'] as const;
const TYPES_ELSEWHERE: Record<string, string> = {
  integer: 'int',
  number: 'int',
  digits: 'int',
  guid: 'uuid',
};
/** Words that CEL does not take after a dot. */
const NO_MEMBERS = ['in', 'true', 'false', 'null'];

/** Splits a pattern that begins with a slash at its slashes, those inside braces aside. */
export function tokeniseSegments(pattern: string): PatternToken[][] {
  const segments: PatternToken[][] = [];
  const names = new Set<string>();
  let at = 1;
  for (;;) {
    const tokens: PatternToken[] = [];
    while (at < pattern.length && pattern[at] !== '/') {
      const token = tokenAt(pattern, at);
      if (token.kind !== 'text') refuseTwice(names, token);
      tokens.push(token);
      at = token.end;
    }
    segments.push(tokens);
    if (at >= pattern.length) return segments;
    at++;
  }
}

function refuseTwice(names: Set<string>, token: PatternToken & { name: string }): void {
  if (names.has(token.name)) {
    throw new PathPatternError(
      `the name \`${token.name}\` stands twice`,
      token.start,
      token.end,
      'call one of them something else',
    );
  }
  names.add(token.name);
}

function tokenAt(pattern: string, at: number): PatternToken {
  if (pattern[at] === '{') return placeholder(pattern, at);
  if (pattern[at] === '*') return star(pattern, at);
  let end = at + 1;
  while (end < pattern.length && !'/{*'.includes(pattern[end]!)) end++;
  return { kind: 'text', text: literal(pattern.slice(at, end), at), start: at, end };
}

function star(pattern: string, at: number): PatternToken {
  const alone = pattern[at - 1] === '/' && (at + 1 === pattern.length || pattern[at + 1] === '/');
  if (alone) return { kind: 'rest', name: '*', start: at, end: at + 1 };
  const advice = pattern.slice(at - 1).startsWith('/**')
    ? 'one `*` already stands for any number of segments'
    : 'write `{name}` for a part of a segment, or `~RE2` over the whole path';
  throw new PathPatternError(
    '`*` stands for the rest of a path, as a segment of its own',
    at,
    at + 1,
    advice,
  );
}

/** Literal text as requests spell it. */
function literal(text: string, start: number): string {
  const found = /[\\?#}\u0000-\u001f\u007f]|%(?![0-9a-fA-F]{2})|%(?:[01][0-9a-fA-F]|5[cC]|7[fF])/.exec(text);
  if (found !== null) throw badCharacter(found[0], start + found.index);
  const normal = text.isWellFormed()
    ? normaliseText(text.replaceAll(/[^\x21-\x7e]+/g, encodeURIComponent))
    : null;
  if (normal !== null) return normal;
  throw new PathPatternError(
    'the percent-encoding is not UTF-8',
    start,
    start + text.length,
    'requests with it are refused',
  );
}

function badCharacter(found: string, at: number): PathPatternError {
  const end = at + found.length;
  if (found === '?')
    return new PathPatternError('a path holds no query', at, end, 'put its parameters under `query`');
  if (found === '#')
    return new PathPatternError(
      'a path holds no fragment',
      at,
      end,
      'clients never send one; `%23` is the character',
    );
  if (found === '}')
    return new PathPatternError('`}` closes nothing', at, end, 'take it away, or open a name with `{`');
  if (found === '%')
    return new PathPatternError('`%` needs two hex digits after it', at, end, '`%25` is the character');
  const what = found === '\\' || found.toLowerCase() === '%5c' ? 'a backslash' : 'a control character';
  return new PathPatternError(`${what} never matches`, at, end, 'requests with it are refused');
}

/** `{name}`, `{name*}`, `{name:type}`, `{name~RE2}`; `at` is its opening brace. */
function placeholder(pattern: string, at: number): PatternToken {
  const name = /^[^{}:~*/]*/.exec(pattern.slice(at + 1))![0];
  const after = at + 1 + name.length;
  checkName(name, at, after, pattern[after]);
  if (pattern[after] === '}') return { kind: 'name', name, type: null, start: at, end: after + 1 };
  if (pattern[after] === '~') return regexPlaceholder(pattern, at, name, after + 1);
  if (pattern.startsWith('*}', after)) return { kind: 'rest', name, start: at, end: after + 2 };
  const close = pattern.indexOf('}', after);
  if (close < 0 || pattern[after] === '{' || pattern[after] === '/') throw unclosed(pattern, at);
  if (pattern[after] === '*') {
    throw new PathPatternError('nothing may follow `*` in a name', after + 1, close, 'write `{name*}`');
  }
  const type = pattern.slice(after + 1, close);
  const known = TYPES.find((word) => word === type);
  if (known === undefined) throw unknownType(type, after + 1, close);
  return { kind: 'name', name, type: { kind: known }, start: at, end: close + 1 };
}

function checkName(name: string, at: number, end: number, next: string | undefined): void {
  if (name === '') {
    const advice = next === '}' ? 'write `{name}`' : 'a name stands first, as in `{id~[0-9]+}`';
    throw new PathPatternError('the braces hold no name', at, Math.min(end + 1, at + 2), advice);
  }
  if (NO_MEMBERS.includes(name)) {
    throw new PathPatternError(
      `\`params.${name}\` can't be written in CEL`,
      at + 1,
      end,
      'choose another name',
    );
  }
  if (/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) return;
  const plain = name
    .trim()
    .replaceAll(/[^A-Za-z0-9_]+/g, '_')
    .replace(/^(?=[0-9])/, '_');
  const advice = `letters, digits and _, no digit first: \`{${plain === '' ? 'name' : plain}}\``;
  throw new PathPatternError(`"${name}" is no name that \`params.NAME\` could read`, at + 1, end, advice);
}

function regexPlaceholder(pattern: string, at: number, name: string, from: number): PatternToken {
  const close = closingBrace(pattern, from);
  if (close < 0) throw unclosed(pattern, at);
  if (close === from)
    throw new PathPatternError('the pattern is empty', at, close + 1, `write \`{${name}}\` for any text`);
  const source = pattern.slice(from, close);
  return { kind: 'name', name, type: { kind: 'regex', source, start: from }, start: at, end: close + 1 };
}

/** The brace that ends a pattern; braces of its own (`[0-9]{3}`), escapes and classes are passed over. */
function closingBrace(pattern: string, from: number): number {
  let depth = 0;
  for (let i = from; i < pattern.length; i++) {
    const char = pattern[i];
    if (char === '\\') i++;
    else if (char === '[') i = endOfClass(pattern, i);
    else if (char === '{') depth++;
    else if (char === '}' && depth-- === 0) return i;
  }
  return -1;
}

/** Where a character class ends; a `]` that stands first is one of its characters. */
function endOfClass(pattern: string, open: number): number {
  let i = pattern[open + 1] === '^' ? open + 2 : open + 1;
  for (let first = true; i < pattern.length; i++, first = false) {
    if (pattern[i] === '\\') i++;
    else if (pattern.startsWith('[:', i) && pattern.includes(':]', i)) i = pattern.indexOf(':]', i) + 1;
    else if (pattern[i] === ']' && !first) return i;
  }
  return i;
}

function unclosed(pattern: string, at: number): PathPatternError {
  return new PathPatternError(
    'the brace is not closed',
    at,
    pattern.length,
    'write `{name}`; a literal brace is `%7B`',
  );
}

function unknownType(type: string, start: number, end: number): PathPatternError {
  const meant = TYPES_ELSEWHERE[type.toLowerCase()] ?? nearest(type, TYPES);
  const known = 'the types are `int` and `uuid`, anything else is `{name~RE2}`';
  const advice = meant === null ? known : `did you mean \`${meant}\`? (${known})`;
  return new PathPatternError(`there is no type "${type}"`, start, Math.max(end, start + 1), advice);
}
