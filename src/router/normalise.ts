import { hexByte, isControl, isUnreserved } from './characters.ts';

/** A path in the one spelling that is both matched and forwarded. Always begins with a slash. */
export type NormalPath = string;

/** What a character of a path asks for. */
const PLAIN = 0;
const SLASH = 1;
const DOT = 2;
const SPECIAL = 3;

/** Unreserved characters, sub-delims, `:` and `@` stand in a path as they are (RFC 3986 §3.3). */
const KINDS = new Uint8Array(128).fill(SPECIAL);
for (const plain of "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_~!$&'()*+,;=:@") {
  KINDS[plain.charCodeAt(0)] = PLAIN;
}
KINDS[0x2f] = SLASH;
KINDS[0x2e] = DOT;

/** Characters that URIs don't allow raw, but browsers send; they mean their encoded form. */
const ENCODED_FOR_CLIENTS = '"<>[]^`{|}';

/** The path and the query of a request target. The query is without its `?`, null where there is none. */
export function splitTarget(target: string): { path: string; query: string | null } {
  const mark = target.indexOf('?');
  if (mark < 0) return { path: target, query: null };
  return { path: target.slice(0, mark), query: target.slice(mark + 1) };
}

/**
 * Brings the path of a request target (without its query) to its one spelling: dot segments removed
 * (RFC 3986 §5.2.4), duplicate slashes collapsed, encoded unreserved characters decoded, hex digits in upper
 * case (§6.2.2). `%2F` and other reserved characters stay encoded. An empty path is `/` (§6.2.3).
 *
 * Null means 400: no leading slash, a malformed or non-UTF-8 percent-encoding (overlong forms of `/` and `.`
 * among them), a control character, backslash or NUL in any spelling, a raw byte above ASCII, a fragment, and
 * a `..` above the root, which the RFC would drop, but which no honest client sends.
 */
export function normalisePath(raw: string): NormalPath | null {
  if (raw === '') return '/';
  return isNormal(raw) ? raw : normaliseSlowly(raw);
}

/** Surely normal; false only says that a closer look is needed. */
function isNormal(path: string): boolean {
  if (path.charCodeAt(0) !== 0x2f) return false;
  let afterSlash = true;
  for (let i = 1; i < path.length; i++) {
    const code = path.charCodeAt(i);
    if (code >= 128) return false;
    const kind = KINDS[code]!;
    if (kind === PLAIN) {
      afterSlash = false;
      continue;
    }
    if (kind === SPECIAL || afterSlash) return false;
    afterSlash = kind === SLASH;
  }
  return true;
}

function normaliseSlowly(raw: string): NormalPath | null {
  if (raw.charCodeAt(0) !== 0x2f) return null;
  const spelled = normaliseText(raw);
  return spelled === null ? null : removeDotSegments(spelled);
}

/** Percent-encoding alone, as `normalisePath` does it; slashes and dots stay where they are. */
export function normaliseText(raw: string): string | null {
  let text = '';
  let beyondAscii = false;
  for (let i = 0; i < raw.length; i++) {
    const code = raw.charCodeAt(i);
    if (code === 0x25) {
      const byte = hexByte(raw, i + 1);
      if (byte < 0 || isControl(byte) || byte === 0x5c) return null;
      text += isUnreserved(byte) ? String.fromCharCode(byte) : percent(byte);
      beyondAscii ||= byte >= 0x80;
      i += 2;
    } else if (code < 128 && KINDS[code] !== SPECIAL) {
      text += raw[i];
    } else if (ENCODED_FOR_CLIENTS.includes(raw[i]!)) {
      text += percent(code);
    } else {
      return null;
    }
  }
  return beyondAscii && !isUtf8(text) ? null : text;
}

function isUtf8(encoded: string): boolean {
  try {
    decodeURIComponent(encoded);
    return true;
  } catch {
    return false;
  }
}

/** RFC 3986 §5.2.4, duplicate slashes counting as one. Null where `..` leads above the root. */
function removeDotSegments(path: string): NormalPath | null {
  const kept: string[] = [];
  const segments = path.split('/');
  for (const segment of segments) {
    if (segment === '..') {
      if (kept.pop() === undefined) return null;
    } else if (segment !== '.' && segment !== '') {
      kept.push(segment);
    }
  }
  if (kept.length === 0) return '/';
  const last = segments.at(-1)!;
  const open = last === '' || last === '.' || last === '..';
  return `/${kept.join('/')}${open ? '/' : ''}`;
}

function percent(byte: number): string {
  return `%${byte < 16 ? '0' : ''}${byte.toString(16).toUpperCase()}`;
}
