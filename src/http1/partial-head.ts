import type { ErrorCode } from '../http/errors.ts';
import { hasBareLineEnd } from './line-ends.ts';
import type { ServerLimits } from './server-context.ts';

/** Is a head that isn't complete already past mending? */
export function partialHeadError(input: Buffer, at: number, limits: ServerLimits): ErrorCode | null {
  const size = input.length - at;
  const line = input.indexOf('\r\n', at, 'latin1');
  const longest = limits.uri + 40;
  if ((line < 0 ? size : line - at) > longest) return 'TG_REQUEST_URI_TOO_LONG';
  if (size > limits.head) return 'TG_REQUEST_HEAD_TOO_LARGE';
  if (hasBareLineEnd(input, at)) return 'TG_REQUEST_MALFORMED';
  return isMethodStart(input[at]!) ? null : 'TG_REQUEST_MALFORMED';
}

function isMethodStart(byte: number): boolean {
  return (
    byte === 13 || (byte > 0x20 && byte < 0x7f && !'"(),/:;<=>?@[\\]{}'.includes(String.fromCharCode(byte)))
  );
}
