import { randomBytes } from 'node:crypto';
import {
  brotliDecompressSync,
  constants,
  createBrotliCompress,
  createGzip,
  gunzipSync,
  gzipSync,
  type ZstdCompress,
  zstdDecompressSync,
} from 'node:zlib';
import { expect, test } from 'vitest';
import type { Coding } from './accept-encoding.ts';
import { GZIP_LEVEL } from './compressed-body.ts';
import { encodeAtOnce } from './encode-at-once.ts';
import { keepEncoder } from './kept-encoder.ts';

const DECODE: Record<Coding, (bytes: Buffer) => Buffer> = {
  gzip: gunzipSync,
  br: brotliDecompressSync,
  zstd: zstdDecompressSync,
};

const bodies = [
  Buffer.alloc(0),
  Buffer.from('a'),
  Buffer.from('{"a":1}'.repeat(3000)),
  randomBytes(64 * 1024),
  Buffer.alloc(64 * 1024, 'x'),
  randomBytes(40_000),
];

test.each(Object.keys(DECODE) as Coding[])(
  '%s: each body comes out whole, whatever came before it',
  (coding) => {
    const earlier: { plain: Buffer; coded: Buffer }[] = [];
    for (let round = 0; round < 20; round++) {
      for (const plain of bodies) earlier.push({ plain, coded: encodeAtOnce(plain, coding) });
    }
    // Looked at only now: a later one must not have written over an earlier one's bytes.
    for (const { plain, coded } of earlier) expect(DECODE[coding](coded).equals(plain)).toBe(true);
  },
);

test('a kept engine holds no memory a call, and leaves no listeners', () => {
  const stream = createGzip({ level: GZIP_LEVEL });
  const encode = keepEncoder(stream, constants.Z_FINISH, (bytes) => gzipSync(bytes, { level: GZIP_LEVEL }))!;
  for (let i = 0; i < 100; i++) encode(bodies[2]!);
  expect(stream.listenerCount('error')).toBe(0);
  expect(encode(bodies[2]!).equals(gzipSync(bodies[2]!, { level: GZIP_LEVEL }))).toBe(true);
});

test('an engine that answers otherwise after a reset is not kept', () => {
  const params = { [constants.BROTLI_PARAM_QUALITY]: 1 };
  const stream = createBrotliCompress({ params }) as unknown as ZstdCompress;
  expect(keepEncoder(stream, constants.BROTLI_OPERATION_FINISH, (bytes) => Buffer.from(bytes))).toBeNull();
});
