import { type Body, type BodySink, cancelBody, isSource } from './body.ts';
import type { Failure } from './errors.ts';

/**
 * Reads a whole body into memory; `tooLarge` names the failure where it is longer than `limit` bytes: then
 * the rest of it is not read.
 */
export function collect(body: Body, limit: number, tooLarge: Failure): Promise<Buffer | Failure> {
  if (body === null) return Promise.resolve(Buffer.alloc(0));
  if (body.length > limit) {
    cancelBody(body);
    return Promise.resolve(tooLarge);
  }
  if (!isSource(body)) return Promise.resolve(body);
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const sink: BodySink = {
      write(chunk) {
        size += chunk.length;
        if (size > limit) {
          body.cancel();
          resolve(tooLarge);
          return false;
        }
        chunks.push(Buffer.from(chunk));
        return true;
      },
      end: () => resolve(Buffer.concat(chunks, size)),
      fail: (failure) => resolve(failure),
    };
    body.open(sink);
  });
}
