import { type Headers, hasHeader, removeHeader } from './headers.ts';

/** By which a client shows who it is. */
const CREDENTIALS = ['authorization', 'proxy-authorization', 'cookie'];

export function showsCredentials(headers: Headers): boolean {
  return CREDENTIALS.some((name) => hasHeader(headers, name));
}

/** In place. */
export function removeCredentials(headers: Headers): void {
  for (const name of CREDENTIALS) removeHeader(headers, name);
}
