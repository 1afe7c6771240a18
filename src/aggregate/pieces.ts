import { type Body, type BodySink, type BodySource, retained } from '../http/body.ts';

/** Up to here an answer is made one piece, which leaves in one write with its head. */
const SMALL = 64 * 1024;

/** A body of pieces that are at hand. Large ones are written one by one, as fast as the client takes them. */
export function bodyOfPieces(pieces: readonly (string | Buffer)[]): Body {
  const buffers = pieces.map((piece) => (typeof piece === 'string' ? Buffer.from(piece) : piece));
  const length = buffers.reduce((sum, { length }) => sum + length, 0);
  if (length <= SMALL) return buffers.length === 1 ? buffers[0]! : Buffer.concat(buffers, length);
  return new PiecesBody(buffers.flatMap(inSmall), length);
}

function inSmall(buffer: Buffer): Buffer[] {
  const pieces: Buffer[] = [];
  for (let at = 0; at < buffer.length; at += SMALL) pieces.push(buffer.subarray(at, at + SMALL));
  return pieces;
}

class PiecesBody implements BodySource {
  readonly length: number;
  private readonly pieces: readonly Buffer[];
  private next = 0;
  private sink: BodySink | null = null;
  private writing = false;

  constructor(pieces: readonly Buffer[], length: number) {
    this.pieces = pieces;
    this.length = length;
  }

  open(sink: BodySink): void {
    this.sink = sink;
    this.resume();
  }

  resume(): void {
    // A sink may ask for more while it is written to.
    if (this.writing) return;
    this.writing = true;
    let more = true;
    while (more && this.sink !== null && this.next < this.pieces.length)
      more = this.sink.write(this.pieces[this.next++]!, retained);
    this.writing = false;
    if (this.next < this.pieces.length || this.sink === null) return;
    const { sink } = this;
    this.sink = null;
    sink.end(null);
  }

  cancel(): void {
    this.sink = null;
  }
}
