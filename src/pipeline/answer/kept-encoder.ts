import type { Gzip, ZstdCompress } from 'node:zlib';

/** Compresses a whole message; nothing of the one before is left in it. */
export type KeptEncoder = (bytes: Buffer) => Buffer;

/** What of an engine Node doesn't document: npm's own archives stand on it as well (minizlib). */
interface Engine {
  _handle: { close(): void } | null;
  _processChunk(bytes: Buffer, flush: number): Buffer;
  reset(): void;
}

/**
 * One engine for message after message. Node's synchronous calls make a new one each time: with gzip a quarter of
 * a megabyte outside the heap, which at some thousand a second has the garbage collector run without end. What
 * such a call does at its end, closing the engine, is kept from it; a reset follows instead.
 *
 * Null where this Node does not let itself be used so: the first messages must come out as `fresh` makes them.
 */
export function keepEncoder(
  stream: Gzip | ZstdCompress,
  finish: number,
  fresh: (bytes: Buffer) => Buffer,
): KeptEncoder | null {
  const engine = stream as unknown as Engine;
  const handle = engine._handle;
  if (typeof engine._processChunk !== 'function' || typeof handle?.close !== 'function') return null;
  handle.close = () => {};
  Object.defineProperty(engine, '_handle', { get: () => handle, set() {} });
  const encode = (bytes: Buffer): Buffer => {
    // Given nothing, it would not even begin.
    if (bytes.length === 0) return fresh(bytes);
    try {
      // What it gives back lies in memory that it writes to again.
      return Buffer.from(engine._processChunk(bytes, finish));
    } finally {
      // Each call leaves one behind.
      stream.removeAllListeners('error');
      engine.reset();
    }
  };
  return provesItself(encode, fresh) ? encode : null;
}

function provesItself(encode: KeptEncoder, fresh: (bytes: Buffer) => Buffer): boolean {
  try {
    const messages = ['first', 'second, second', 'first'].map((text) => Buffer.from(text));
    const encoded = messages.map(encode);
    return encoded.every((bytes, i) => bytes.equals(fresh(messages[i]!)));
  } catch {
    return false;
  }
}
