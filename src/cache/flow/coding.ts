import { type Headers, hasHeader } from '../../http/headers.ts';
import { type Storable, varyValues } from '../policy/index.ts';

/**
 * A coded answer is for those who take the coding, whether or not its origin says `Vary: Accept-Encoding`: many
 * forget to, and a client would get bytes that it can't read.
 */
export function apartByCoding(storable: Storable, requestHeaders: Headers): Storable {
  if (!hasHeader(storable.headers, 'content-encoding')) return storable;
  if (storable.varyOn.includes('accept-encoding')) return storable;
  const varyOn = [...storable.varyOn, 'accept-encoding'].sort();
  return { ...storable, varyOn, varyValues: varyValues(varyOn, requestHeaders) };
}
