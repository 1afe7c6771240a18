/** A path in the one spelling that is both matched and forwarded. Always begins with a slash. */
export type NormalPath = string;

/** An escape, or a character that may not stand in a path raw (RFC 3986 §3.3). */
const SPECIAL = /%[0-9a-fA-F]{2}|[^\w\-.~!$&'()*+,;=:@/]/g;

/**
 * Surely normal; what does not match needs a closer look. No segment begins with a dot or is empty, save after
 * a final slash. Each character has one place in it, so it takes linear time.
 */
const NORMAL = /^(?:\/[\w\-~!$&'()*+,;=:@][\w\-.~!$&'()*+,;=:@]*)*\/?$/;

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
  return NORMAL.test(raw) ? raw : normaliseSlowly(raw);
}

function normaliseSlowly(raw: string): NormalPath | null {
  if (raw.charCodeAt(0) !== 0x2f) return null;
  const spelled = normaliseText(raw);
  return spelled === null ? null : removeDotSegments(spelled);
}

/** Percent-encoding alone, as `normalisePath` does it; slashes and dots stay where they are. */
export function normaliseText(raw: string): string | null {
  let refused = false;
  const text = raw.replaceAll(SPECIAL, (found) => {
    const normal = found.length === 3 ? normaliseEscape(found) : encodeForClient(found);
    refused ||= normal === null;
    return normal ?? '';
  });
  if (refused || (/%[89A-F]/.test(text) && !isUtf8(text))) return null;
  return text;
}

function normaliseEscape(encoded: string): string | null {
  const char = String.fromCharCode(Number.parseInt(encoded.slice(1), 16));
  if (/[\x00-\x1f\x7f\\]/.test(char)) return null;
  return /[\w\-.~]/.test(char) ? char : encoded.toUpperCase();
}

function encodeForClient(char: string): string | null {
  return ENCODED_FOR_CLIENTS.includes(char) ? encodeURIComponent(char) : null;
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
