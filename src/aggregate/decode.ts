import { brotliDecompress, gunzip, inflate, zstdDecompress } from 'node:zlib';
import type { Headers } from '../http/headers.ts';
import { getJoined } from '../http/headers.ts';

type Inflate = (
  bytes: Buffer,
  options: { maxOutputLength: number },
  done: (error: Error | null, result: Buffer) => void,
) => void;

const CODINGS: Readonly<Record<string, Inflate>> = {
  gzip: gunzip,
  'x-gzip': gunzip,
  deflate: inflate,
  br: brotliDecompress,
  zstd: zstdDecompress,
};

/** The codings of an answer, last one first; null: none, as was asked for. */
export function codingsOf(headers: Headers): string[] | null {
  const said = getJoined(headers, 'content-encoding');
  if (said === undefined) return null;
  const codings = said
    .split(',')
    .map((coding) => coding.trim().toLowerCase())
    .filter((coding) => coding !== '' && coding !== 'identity');
  return codings.length === 0 ? null : codings.reverse();
}

/**
 * Undoes codings that a service used although none was asked for. Never gives more than `most` bytes.
 *
 * @param done Gets the bytes, or what is wrong with them.
 */
export function decode(
  bytes: Buffer,
  codings: readonly string[],
  most: number,
  done: (result: Buffer | 'tooLarge' | 'truncated' | 'invalid') => void,
): void {
  const [coding, ...rest] = codings;
  // Nothing is nothing in any coding: a 204, say, that names one all the same.
  if (coding === undefined || bytes.length === 0) return done(bytes);
  const inflate = Object.hasOwn(CODINGS, coding) ? CODINGS[coding]! : null;
  // Each coding is a bomb's chance: two are more than anyone needs.
  if (inflate === null || codings.length > 2) return done('invalid');
  inflate(bytes, { maxOutputLength: Math.max(1, most) }, (error, result) => {
    if (error === null) return decode(result, rest, most, done);
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ERR_BUFFER_TOO_LARGE') return done('tooLarge');
    done(code === 'Z_BUF_ERROR' ? 'truncated' : 'invalid');
  });
}
