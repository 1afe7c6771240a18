import { type Headers, removeHeader } from '../../http/headers.ts';

const CONDITIONS = ['if-none-match', 'if-modified-since', 'range', 'if-range', 'cache-control', 'pragma'];

/** Of a client's headers what is left where nobody in particular asks. */
export function plainHeaders(headers: Headers): Headers {
  const plain = headers.slice();
  for (const name of CONDITIONS) removeHeader(plain, name);
  return plain;
}
