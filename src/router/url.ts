import { normalisePath, splitTarget } from './normalise.ts';

/**
 * An absolute http or https URL in the one spelling in which answers are filed and purges name them: its path as
 * requests are brought to it, its host in lower case, without the usual port, without fragment. Null where it is none.
 */
export function canonicalUrl(text: string): string | null {
  const parts = /^(https?):\/\/([^/?#]*)([^#]*)/i.exec(text);
  if (parts === null) return null;
  const origin = canonicalOrigin(parts[1]!, parts[2]!);
  const { path, query } = splitTarget(parts[3]!);
  const spelled = normalisePath(path);
  if (origin === null || spelled === null) return null;
  const url = `${origin}${spelled}${query === null ? '' : `?${query}`}`;
  return URL.parse(url)?.href ?? null;
}

/**
 * The beginning of such a URL, or of a path (then on every host), in the same spelling. What it ends in may be half of a
 * segment, an escape or a query. Null where no URL begins so.
 */
export function canonicalPrefix(text: string): string | null {
  if (text.startsWith('/')) return spelledBeginning(text);
  const parts = /^(https?):\/\/([^/?#]*)([^#]*)/i.exec(text);
  const origin = parts === null ? null : canonicalOrigin(parts[1]!, parts[2]!);
  const rest = parts === null ? null : spelledBeginning(parts[3]!);
  return origin === null || rest === null ? null : origin + rest;
}

/** What may become something else by what follows: dots of a longer name, half of a character or of an escape. */
const OPEN_END = /(?:(?<=\/)\.{1,2}|(?:%[89a-f][0-9a-f])*(?:%[0-9a-f]?)?)$/i;
const ANY_ORIGIN = 'http://any';

function spelledBeginning(text: string): string | null {
  const { path, query } = splitTarget(text.replace(/#.*/s, ''));
  const end = query === null ? OPEN_END.exec(path)![0] : '';
  const spelled = normalisePath(path.slice(0, path.length - end.length));
  if (spelled === null) return null;
  if (query === null) return spelled + end.toUpperCase();
  return new URL(`${ANY_ORIGIN}${spelled}?${query}`).href.slice(ANY_ORIGIN.length);
}

let lastText = '';
let lastOrigin: string | null = null;

/**
 * Scheme, host in lower case, and the port where it is not the usual one; null where it is none. The last is kept: a
 * client asks one host again and again.
 */
function canonicalOrigin(scheme: string, authority: string): string | null {
  const text = `${scheme}://${authority}`;
  if (text === lastText) return lastOrigin;
  lastText = text;
  lastOrigin =
    authority === '' || authority.includes('@')
      ? null
      : (URL.parse(text.replace(/\.(?=:\d*$|$)/, ''))?.origin ?? null);
  return lastOrigin;
}
