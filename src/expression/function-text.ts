/** What the text of a function says of the object that it is called with: by which names it reads it. Null: by any. */
export function namesRead(text: string): ReadonlySet<string> | null {
  const code = codeOf(text);
  const parameter = code === null ? null : parameterOf(code);
  if (code === null || parameter === null || /\barguments\b/.test(code)) return null;
  const { written, rest } = parameter;
  if (written === '') return new Set();
  if (written.startsWith('{')) return patternNames(written);
  return /^[\w$]+$/.test(written) ? membersRead(written, rest) : null;
}

/** The same; where any may be read, those whose names stand in it as words. */
export function namesSaid(text: string): ReadonlySet<string> {
  return namesRead(text) ?? wordsOf(text);
}

export function wordsOf(text: string): ReadonlySet<string> {
  return new Set(text.match(/[A-Za-z_$][\w$]*/g) ?? []);
}

/** The names that `{ a, b: c, d = 1, e: { f } }` takes out of an object; null where it takes the rest of it, too. */
function patternNames(pattern: string): Set<string> | null {
  const names = new Set<string>();
  for (const entry of split(pattern.slice(1, -1))) {
    const name = /^\s*([\w$]+)\s*(?:[:=]|$)/.exec(entry)?.[1];
    if (name !== undefined) names.add(name);
    else if (entry.trim() !== '') return null;
  }
  return names;
}

/** The members of a parameter that are read by their names; null where it is used in another way. */
function membersRead(parameter: string, code: string): Set<string> | null {
  const names = new Set<string>();
  const use = new RegExp(
    `(?<![\\w$.])${parameter.replaceAll('$', '\\$')}(?![\\w$])(\\s*\\??\\.\\s*([\\w$]+))?`,
    'g',
  );
  for (const [, member, name] of code.matchAll(use)) {
    if (member === undefined) return null;
    names.add(name!);
  }
  return names;
}

/** The first parameter as it is written, without its default, and what stands behind all of them; null where that can't be told. */
function parameterOf(code: string): { written: string; rest: string } | null {
  const bare = /^\s*(?:async\s+)?([\w$]+)\s*=>/.exec(code);
  if (bare !== null) return { written: bare[1]!, rest: code.slice(bare[0].length) };
  const open = code.indexOf('(');
  if (open < 0) return null;
  const close = closing(code, open);
  if (close < 0) return null;
  const [first = ''] = split(code.slice(open + 1, close));
  const trimmed = first.trim();
  const written = trimmed.startsWith('{')
    ? trimmed.slice(0, closing(trimmed, 0) + 1)
    : trimmed.replace(/\s*=.*$/s, '');
  return { written, rest: code.slice(close + 1) };
}

const BRACKETS: Readonly<Record<string, number>> = { '(': 1, '[': 1, '{': 1, ')': -1, ']': -1, '}': -1 };

/** Where the bracket at `open` is closed; -1: nowhere. */
function closing(code: string, open: number): number {
  let depth = 0;
  for (let at = open; at < code.length; at++) {
    depth += BRACKETS[code[at]!] ?? 0;
    if (depth === 0) return at;
  }
  return -1;
}

/** Cut at the commas that stand in no brackets. */
function split(code: string): string[] {
  const parts = [''];
  let depth = 0;
  for (const character of code) {
    depth += BRACKETS[character] ?? 0;
    if (character === ',' && depth === 0) parts.push('');
    else parts[parts.length - 1] += character;
  }
  return parts;
}

/** Comments, texts and patterns: what stands in them names nothing. */
const QUOTED =
  /\/\/[^\n]*|\/\*[\s\S]*?\*\/|"(?:[^"\\\n]|\\[\s\S])*"|'(?:[^'\\\n]|\\[\s\S])*'|(?<=(?:^|[(,=:[!&|?{};>]|\breturn)\s*)\/(?![/*])(?:[^/\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/\w*|[`{}]|[^"'`/{}]+|[\s\S]/g;

/** A program's text with what is quoted in it left out, but for what stands in the `${}` of templates; null: it can't be told apart. */
function codeOf(text: string): string | null {
  let code = '';
  /** The depth of braces at which each open template goes on. */
  const templates: number[] = [];
  let depth = 0;
  QUOTED.lastIndex = 0;
  for (let match = QUOTED.exec(text); match !== null; match = QUOTED.exec(text)) {
    const [piece] = match;
    const goesOn = piece === '}' && templates.at(-1) === depth;
    if (piece === '`' || goesOn) {
      if (goesOn) templates.pop();
      const end = templateEnd(text, QUOTED.lastIndex);
      if (end < 0) return null;
      QUOTED.lastIndex = end;
      code += ' ';
      if (text[end - 1] === '{') templates.push(depth);
      continue;
    }
    if (piece === '{') depth++;
    if (piece === '}') depth--;
    const quoted = piece.length > 1 && /^["'/]/.test(piece);
    code += quoted ? ' ' : piece;
  }
  return templates.length === 0 ? code : null;
}

/** Behind the next backtick or `${` of a template; -1: it has no end. */
function templateEnd(text: string, from: number): number {
  for (let at = from; at < text.length; at++) {
    if (text[at] === '\\') at++;
    else if (text[at] === '`') return at + 1;
    else if (text.startsWith('${', at)) return at + 2;
  }
  return -1;
}
