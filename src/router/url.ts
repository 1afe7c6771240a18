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
  return URL.canParse(url) ? new URL(url).href : null;
}

/** Scheme, host in lower case, and the port where it is not the usual one; null where it is none. */
export function canonicalOrigin(scheme: string, authority: string): string | null {
  const text = `${scheme}://${authority.replace(/\.(?=:\d*$|$)/, '')}`;
  if (authority === '' || authority.includes('@') || !URL.canParse(text)) return null;
  return new URL(text).origin;
}
