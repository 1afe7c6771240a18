import type { Http2Stream } from 'node:http2';

/**
 * Tells when END_STREAM has come. node:http2 ends the content of a stream alike where the other side resets it
 * without an error (NO_ERROR), and that must not pass for the whole; but by then the stream counts as closed.
 */
export function onEndStream(stream: Http2Stream, told: () => void): void {
  const { push } = stream;
  stream.push = (chunk: unknown, encoding?: BufferEncoding) => {
    if (chunk === null && !stream.closed) told();
    return push.call(stream, chunk, encoding);
  };
}
