type Style = 'plain' | 'single' | 'double' | 'block';

/**
 * For each character of a text, the offset into its source in YAML or JSON at which it is written: within quotes, between
 * escapes, indentation and folded lines; and at last the offset behind it. Null where the one can't be told from the other.
 */
export function placesOf(value: string, source: string): number[] | null {
  const style = styleOf(source);
  const places: number[] = [];
  let at = style === 'plain' ? 0 : style === 'block' ? source.indexOf('\n') + 1 : 1;
  while (places.length < value.length) {
    const meant = value[places.length]!;
    const escaped = escapeAt(source, at, style);
    const written = source[at];
    if (escaped !== null) {
      if (!value.startsWith(escaped.text, places.length)) return null;
      for (const _ of escaped.text.split('')) places.push(at);
      at += escaped.length;
    } else if (written === meant || (isBlank(meant) && isBlank(written))) places.push(at++);
    else if (isBlank(written)) at++;
    else return null;
  }
  places.push(at);
  return places;
}

function styleOf(source: string): Style {
  if (source.startsWith('"')) return 'double';
  if (source.startsWith("'")) return 'single';
  return /^[|>]/.test(source) ? 'block' : 'plain';
}

/** A line that is folded stands for a blank, and what indents one for nothing. */
function isBlank(character: string | undefined): boolean {
  return character === ' ' || character === '\n' || character === '\r' || character === '\t';
}

const SIMPLE: Readonly<Record<string, string>> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  ' ': ' ',
  '\t': '\t',
  0: '\0',
  a: '\x07',
  b: '\b',
  e: '\x1b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
};
const NUMBERED = /\\(?:x([0-9A-Fa-f]{2})|u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8}))/y;
/** It joins two lines, and stands for nothing. */
const LINE_END = /\\\r?\n[ \t]*/y;

/** What is written in more characters than it stands for. */
function escapeAt(source: string, at: number, style: Style): { text: string; length: number } | null {
  if (style === 'single') return source.startsWith("''", at) ? { text: "'", length: 2 } : null;
  if (style !== 'double' || source[at] !== '\\') return null;
  const simple = SIMPLE[source[at + 1] ?? ''];
  if (simple !== undefined) return { text: simple, length: 2 };
  LINE_END.lastIndex = at;
  const joined = LINE_END.exec(source);
  if (joined !== null) return { text: '', length: joined[0].length };
  NUMBERED.lastIndex = at;
  const numbered = NUMBERED.exec(source);
  if (numbered === null) return null;
  const code = Number.parseInt((numbered[1] ?? numbered[2] ?? numbered[3])!, 16);
  return code > 0x10ffff ? null : { text: String.fromCodePoint(code), length: numbered[0].length };
}
