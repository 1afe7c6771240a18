/** A server without TLS answers in words that a handshake takes for a version. */
const NO_TLS: ReadonlySet<string> = new Set([
  'wrong version number',
  'http request',
  'packet length too long',
]);

/** Why TLS failed, without OpenSSL's own places and numbers; null where it was not OpenSSL that failed it. */
export function tlsTrouble(error: Error): string | null {
  const { library, reason } = error as { library?: unknown; reason?: unknown };
  if (typeof library !== 'string' || typeof reason !== 'string') return null;
  return NO_TLS.has(reason) ? 'it does not speak TLS' : `TLS failed: ${reason}`;
}
