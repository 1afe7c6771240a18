import type { Http2Stream } from 'node:http2';
import { PassThrough } from 'node:stream';
import { expect, it } from 'vitest';
import { StreamWriter } from './stream-writer.ts';

/** A writer to a stream whose other side takes nothing yet. */
function writer() {
  const stream = new PassThrough();
  stream.cork();
  const owner = { written() {}, broken() {}, moved() {} };
  return { stream, writer: new StreamWriter(stream as unknown as Http2Stream, owner) };
}

/** Writes so many bytes out of a memory that is used again. Was that memory kept from its source, and what came? */
function written(size: number) {
  const { stream, writer: one } = writer();
  const memory = Buffer.alloc(size, 'a');
  let kept = false;
  one.write(memory, {
    retain() {
      kept = true;
    },
  });
  if (!kept) memory.fill('b');
  stream.uncork();
  return { kept, came: (stream.read() as Buffer).toString() };
}

it('a little that waits to be taken is copied: its source reads on into the same memory', () => {
  expect(written(200)).toEqual({ kept: false, came: 'a'.repeat(200) });
});

it('of much the memory itself is kept', () => {
  expect(written(60_000)).toEqual({ kept: true, came: 'a'.repeat(60_000) });
});
