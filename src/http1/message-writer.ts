import type { Socket } from 'node:net';
import { type BodySink, type BodySource, isSource, openBody, type Retain } from '../http/body.ts';
import { Failure } from '../http/errors.ts';
import type { Headers } from '../http/headers.ts';
import { Framing, trailerLines } from './response-head.ts';

/** Told how a message ended, once. */
export interface WriterOwner {
  /** All of it has been handed to the socket. */
  written(): void;
  /** It can't be completed. `reset`: the receiver could otherwise take what it got for the whole. */
  broken(failure: Failure, reset: boolean): void;
  /** The receiver takes nothing at the moment. */
  blocked(): void;
}

/** Up to here content is gathered with its head, and with the messages before it, into one write. */
const GATHER_CHUNK = 16 * 1024;
const GATHER_TOTAL = 64 * 1024;
/** A large body at hand goes out in slices, so that a slow reader is seen to make progress. */
const SLICE = 256 * 1024;

/**
 * Writes messages to one socket: heads and content, framed. While it gathers, small pieces wait to leave
 * together; one write in place of two is worth a fifth of a small answer.
 */
export class MessageWriter implements BodySink {
  readonly socket: Socket;
  private readonly owner: WriterOwner;
  private text = '';
  private gathering = false;
  private source: BodySource | null = null;
  private framing: Framing = Framing.none;
  private remaining = 0;
  private unlimited = false;
  /** Bytes of content of the current message. */
  bytes = 0;

  constructor(socket: Socket, owner: WriterOwner) {
    this.socket = socket;
    this.owner = owner;
  }

  /** Holds small writes back until `flush`. */
  gather(): void {
    this.gathering = true;
  }

  flush(): void {
    this.gathering = false;
    if (this.text !== '') this.send();
  }

  private send(): void {
    const text = this.text;
    this.text = '';
    this.socket.write(text, 'latin1');
  }

  head(text: string): void {
    this.text += text;
    if (!this.gathering) this.flush();
  }

  /** Begins a message; the owner hears of its end, perhaps before this returns. */
  begin(head: string, framing: Framing, body: null | Buffer | BodySource): void {
    const alone = !this.gathering;
    this.gathering = true;
    this.text += head;
    this.framing = framing;
    this.bytes = 0;
    this.unlimited = framing !== Framing.length;
    this.remaining = framing === Framing.length && body !== null ? body.length : 0;
    this.source = isSource(body) ? body : null;
    if (framing === Framing.none) {
      this.source?.cancel();
      this.source = null;
      this.end(null);
    } else if (Buffer.isBuffer(body) && body.length > SLICE) {
      this.source = new SlicedSource(body);
      this.source.open(this);
    } else {
      openBody(body, this);
    }
    if (alone) this.flush();
  }

  /** A whole message, its content of `size` bytes too, one byte a character. */
  whole(text: string, size: number): void {
    const alone = !this.gathering;
    this.gathering = true;
    this.text += text;
    this.framing = Framing.none;
    this.source = null;
    this.bytes = size;
    if (this.text.length >= GATHER_TOTAL) this.send();
    this.owner.written();
    if (alone) this.flush();
  }

  write(chunk: Buffer, retain: Retain): boolean {
    const size = chunk.length;
    if (size === 0) return true;
    this.bytes += size;
    if (!this.unlimited) {
      this.remaining -= size;
      if (this.remaining < 0) {
        this.stop(new Failure('TG_UPSTREAM_INVALID', 'more content than announced'));
        return false;
      }
    }
    if (this.gathering && size <= GATHER_CHUNK && this.text.length < GATHER_TOTAL) {
      this.text +=
        this.framing === Framing.chunked
          ? `${size.toString(16)}\r\n${chunk.toString('latin1', 0, size)}\r\n`
          : chunk.toString('latin1', 0, size);
      return true;
    }
    return this.writeThrough(chunk, retain);
  }

  private writeThrough(chunk: Buffer, retain: Retain): boolean {
    const socket = this.socket;
    // A little behind bytes that wait will wait too: a copy spares its source the whole memory around it.
    const copied = socket.writableLength > 0 && chunk.length <= GATHER_CHUNK;
    if (copied) chunk = Buffer.from(chunk);
    if (this.framing === Framing.chunked) this.text += `${chunk.length.toString(16)}\r\n`;
    if (this.text === '') {
      socket.write(chunk);
    } else {
      socket.cork();
      socket.write(this.text, 'latin1');
      this.text = '';
      socket.write(chunk);
      if (this.framing === Framing.chunked) socket.write('\r\n', 'latin1');
      socket.uncork();
    }
    if (socket.writableLength === 0) return true;
    if (!copied) retain.retain();
    if (!socket.writableNeedDrain) return true;
    this.owner.blocked();
    return false;
  }

  /** The receiver takes bytes again. */
  drained(): void {
    this.source?.resume();
  }

  end(trailers: Headers | null): void {
    if (!this.unlimited && this.remaining !== 0)
      return this.stop(new Failure('TG_UPSTREAM_TRUNCATED', 'less content than announced'));
    this.source = null;
    if (this.framing === Framing.chunked) {
      this.text += trailerLines(trailers);
      if (!this.gathering) this.flush();
    }
    this.owner.written();
  }

  fail(failure: Failure): void {
    this.source = null;
    this.flush();
    const unframed =
      this.framing === Framing.close ||
      (this.framing === Framing.chunked && failure.code === 'TG_UPSTREAM_RESET');
    this.owner.broken(failure, unframed);
  }

  /** Gives up a message whose source is at fault. */
  private stop(failure: Failure): void {
    this.source?.cancel();
    this.fail(failure);
  }

  /** The receiver is gone: whoever still sends is told. */
  abandon(): void {
    this.text = '';
    this.source?.cancel();
    this.source = null;
  }
}

/** A large body that is at hand, given out slice by slice. */
class SlicedSource implements BodySource {
  readonly length: number;
  private readonly bytes: Buffer;
  private at = 0;
  private sink: BodySink | null = null;
  private held = false;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
    this.length = bytes.length;
  }

  open(sink: BodySink): void {
    this.sink = sink;
    this.pump();
  }

  resume(): void {
    if (!this.held) return;
    this.held = false;
    this.pump();
  }

  cancel(): void {
    this.sink = null;
  }

  private pump(): void {
    while (this.sink !== null && !this.held) {
      if (this.at === this.length) {
        const sink = this.sink;
        this.sink = null;
        return sink.end(null);
      }
      const from = this.at;
      this.at = Math.min(this.length, from + SLICE);
      this.held = !this.sink.write(this.bytes.subarray(from, this.at), { retain() {} });
    }
  }
}
