import type { Headers } from '../http/headers.ts';
import type { Challenge } from './contract.ts';

export const TOKEN_SCHEMES: ReadonlySet<string> = new Set(['Bearer', 'DPoP']);

/** Adds `WWW-Authenticate` lines: one for each scheme (RFC 9110 §11.6.1). */
export function addChallenges(
  headers: Headers,
  challenges: readonly Challenge[],
  error: TokenError | null,
): void {
  const seen = new Set<string>();
  for (const { scheme, params } of challenges) {
    const all = TOKEN_SCHEMES.has(scheme) && error !== null ? [...params, ...errorParams(error)] : params;
    const line = `${scheme} ${all.map(([name, value]) => `${name}="${quoted(value)}"`).join(', ')}`;
    if (!seen.has(line)) headers.push('www-authenticate', line);
    seen.add(line);
  }
}

/** RFC 6750 §3.1, RFC 9449 §7.1. Never more: a description would tell a guesser why a token is no good. */
export type TokenError =
  | { readonly error: 'invalid_token' | 'invalid_request' | 'invalid_dpop_proof' }
  | { readonly error: 'insufficient_scope'; readonly scopes: readonly string[] };

function errorParams(error: TokenError): [string, string][] {
  const params: [string, string][] = [['error', error.error]];
  if ('scopes' in error && error.scopes.length > 0) params.push(['scope', error.scopes.join(' ')]);
  return params;
}

function quoted(text: string): string {
  return text.replaceAll(/["\\]/g, '\\$&');
}
