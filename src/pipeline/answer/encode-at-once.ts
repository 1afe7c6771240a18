import { promisify } from 'node:util';
import {
  brotliCompress,
  brotliCompressSync,
  constants,
  createGzip,
  createZstdCompress,
  gzip as gzipCallback,
  gzipSync,
  zstdCompress,
  zstdCompressSync,
} from 'node:zlib';
import type { Coding } from './accept-encoding.ts';
import { BROTLI, GZIP_LEVEL } from './compressed-body.ts';
import { type KeptEncoder, keepEncoder } from './kept-encoder.ts';

const asideGzip = promisify(gzipCallback);
const asideZstd = promisify(zstdCompress);
const asideBrotli = promisify(brotliCompress);

type Encode = (bytes: Buffer) => Buffer;

/**
 * Compresses a whole body at hand, on this thread. gzip and zstd each keep one engine for the worker's life;
 * brotli's forgets its quality when it is reset (it goes back to 11, a hundred times the work), so it has a new
 * one each time.
 */
export function encodeAtOnce(bytes: Buffer, coding: Coding): Buffer {
  switch (coding) {
    case 'gzip':
      gzip ??= keptGzip() ?? freshGzip;
      return gzip(bytes);
    case 'zstd':
      zstd ??= keptZstd() ?? freshZstd;
      return zstd(bytes);
    case 'br':
      return brotliCompressSync(bytes, { ...BROTLI, chunkSize: roomFor(bytes) });
  }
}

/** Compresses a long body in the background: this thread goes on meanwhile. */
export function encodeAside(bytes: Buffer, coding: Coding): Promise<Buffer> {
  switch (coding) {
    case 'gzip':
      return asideGzip(bytes, { level: GZIP_LEVEL, chunkSize: roomFor(bytes) });
    case 'zstd':
      return asideZstd(bytes, { chunkSize: roomFor(bytes) });
    case 'br':
      return asideBrotli(bytes, { ...BROTLI, chunkSize: roomFor(bytes) });
  }
}

let gzip: Encode | null = null;
let zstd: Encode | null = null;

function keptGzip(): KeptEncoder | null {
  return keepEncoder(createGzip({ level: GZIP_LEVEL }), constants.Z_FINISH, freshGzip);
}

function keptZstd(): KeptEncoder | null {
  return keepEncoder(createZstdCompress(), constants.ZSTD_e_end, freshZstd);
}

function freshGzip(bytes: Buffer): Buffer {
  return gzipSync(bytes, { level: GZIP_LEVEL, chunkSize: roomFor(bytes) });
}

function freshZstd(bytes: Buffer): Buffer {
  return zstdCompressSync(bytes, { chunkSize: roomFor(bytes) });
}

/** Text shrinks to a third or less: room for half of it spares zlib its usual 16 KiB, which costs as much as the work. */
function roomFor(bytes: Buffer): number {
  return Math.max(1024, bytes.length >> 1);
}
