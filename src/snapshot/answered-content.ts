import { brotliDecompressSync, gunzipSync, inflateSync, zstdDecompressSync } from 'node:zlib';
import type { Answered } from '../cache/index.ts';
import { JsonError, parseJson, type Value } from '../expression/index.ts';
import { getHeader, type Headers } from '../http/headers.ts';

/** The JSON of an answer; absent where it is none. */
export function jsonOf({ headers, body }: Answered): Value | undefined {
  if (body === null) return undefined;
  const plain = decoded(body, headers);
  return plain === null ? undefined : readJson(plain);
}

/** The JSON that bytes are; absent where they are none. */
export function readJson(plain: Buffer): Value | undefined {
  try {
    return parseJson(plain, { duplicates: 'last' });
  } catch (error) {
    if (error instanceof JsonError) return undefined;
    throw error;
  }
}

/** Decoded, a body may be many times as long; longer than this it is not looked into. */
const MOST_DECODED = { maxOutputLength: 32 * 1024 * 1024 };

/** As it is without its coding; null where that is none that is known. */
export function decoded(body: Buffer, headers: Headers): Buffer | null {
  const coding = getHeader(headers, 'content-encoding')?.trim().toLowerCase() ?? 'identity';
  try {
    switch (coding) {
      case 'identity':
        return body;
      case 'gzip':
      case 'x-gzip':
        return gunzipSync(body, MOST_DECODED);
      case 'deflate':
        return inflateSync(body, MOST_DECODED);
      case 'br':
        return brotliDecompressSync(body, MOST_DECODED);
      case 'zstd':
        return zstdDecompressSync(body, MOST_DECODED);
      default:
        return null;
    }
  } catch {
    return null;
  }
}
