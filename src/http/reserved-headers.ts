/**
 * Header fields that no configuration may set, add or default: the gateway makes them itself from what it
 * knows, and a wrong one would break the framing of the message or the trust in who is asking.
 */
const RESERVED: ReadonlySet<string> = new Set([
  // Framing (RFC 9112 §6) and what goes with it.
  'content-length',
  'transfer-encoding',
  'trailer',
  'expect',
  // Hop-by-hop (RFC 9110 §7.6.1), with the names that older senders use.
  'connection',
  'proxy-connection',
  'keep-alive',
  'te',
  'upgrade',
  'http2-settings',
  'proxy-authenticate',
  'proxy-authorization',
  // The authority has a key of its own, `host`.
  'host',
  // Who is asking, as the gateway found it.
  'x-auth-subject',
  'x-auth-permissions',
]);

/**
 * Is this header (lower case) one that only the gateway makes? Names that a service could take for such a
 * one, because it reads `_` or other punctuation as `-`, count too.
 */
export function isReservedHeader(lower: string): boolean {
  return lower.startsWith(':') || RESERVED.has(foldedName(lower));
}

/** A header's name as the least careful of services may read it: lower case, any punctuation a `-`. */
export function foldedName(name: string): string {
  const lower = name.toLowerCase();
  return /[^a-z0-9-]/.test(lower) ? lower.replace(/[^a-z0-9]/g, '-') : lower;
}
