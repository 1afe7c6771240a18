import type { Headers } from '../http/headers.ts';
import { Head, parseFields } from './head.ts';
import { hasBareLineEnd } from './line-ends.ts';
import { trailersOf } from './trailers.ts';

/** Where decoded content goes. False from `data` holds the decoder. */
export interface ChunkOutput {
  data(chunk: Buffer): boolean;
}

const State = {
  size: 0,
  extension: 1,
  sizeEnd: 2,
  data: 3,
  dataCR: 4,
  dataLF: 5,
  trailers: 6,
  done: 7,
  broken: 8,
} as const;
type State = (typeof State)[keyof typeof State];

/** `;name`, `;name=token`, `;name="quoted"` (RFC 9112 §7.1.1), without the white space that only senders of old put there. */
const EXTENSIONS = /^(?:;[!#$%&'*+\-.^_`|~\w]+(?:=(?:[!#$%&'*+\-.^_`|~\w]+|"(?:[^"\\]|\\.)*"))?)*$/;

/** Chunks up to here are moved together: written one by one, a flood of tiny ones would cost a system call each. */
const SMALL_CHUNK = 4096;

/** Longest extensions of a chunk, and longest trailer section, in bytes. */
const MAX_EXTENSIONS = 4096;
const MAX_TRAILERS = 16384;
const MAX_TRAILER_FIELDS = 100;

/**
 * Decodes the chunked transfer coding (RFC 9112 §7.1) as bytes come in, in any pieces. CRLF alone ends a
 * line; a bare CR or LF, a size without digits, white space around one, is broken: what two parsers read
 * differently is how requests are smuggled.
 */
export class ChunkDecoder {
  private state: State = State.size;
  private size = 0;
  private digits = 0;
  private extensions = '';
  private tail = '';
  /** Fields after the last chunk; null where there were none. */
  trailers: Headers | null = null;

  get done(): boolean {
    return this.state === State.done;
  }

  get broken(): boolean {
    return this.state === State.broken;
  }

  /**
   * Decodes `input` from `at`; gives back where it stopped: at the end of the input, behind the end of the
   * body (`done`), where the output held it, or anywhere (`broken`). Bytes of `input` that were passed are
   * overwritten: small chunks are moved together over the framing between them.
   */
  decode(input: Buffer, at: number, output: ChunkOutput): number {
    const end = input.length;
    /** Content that goes out next. */
    let from = at;
    let to = at;
    while (at < end && this.state < State.done) {
      if (this.state === State.data) {
        const stop = Math.min(end, at + this.size);
        const size = stop - at;
        if (from < to && size > SMALL_CHUNK) {
          const piece = input.subarray(from, to);
          from = to;
          if (!output.data(piece)) return at;
        }
        if (from === to) from = at;
        else input.copyWithin(to, at, stop);
        to = from === at ? stop : to + size;
        this.size -= size;
        if (this.size === 0) this.state = State.dataCR;
        at = stop;
      } else if (this.state === State.trailers) {
        // Content goes before the end, and the end waits where it is held.
        if (from < to && !output.data(input.subarray(from, to))) return at;
        return this.readTrailers(input, at);
      } else {
        this.state = this.step(input[at]!);
        at++;
      }
    }
    if (from < to) output.data(from === 0 && to === end ? input : input.subarray(from, to));
    return at;
  }

  /** One byte outside of chunk data. */
  private step(byte: number): State {
    switch (this.state) {
      case State.size:
        return this.sizeByte(byte);
      case State.extension:
        return this.extensionByte(byte);
      case State.sizeEnd:
        if (byte !== 10) return State.broken;
        return this.size === 0 ? State.trailers : State.data;
      case State.dataCR:
        return byte === 13 ? State.dataLF : State.broken;
      default:
        if (byte !== 10) return State.broken;
        this.digits = 0;
        this.extensions = '';
        return State.size;
    }
  }

  private sizeByte(byte: number): State {
    const value = hexValue(byte);
    if (value >= 0) {
      // 12 digits are 256 TiB: no more is exact or real.
      if (++this.digits > 12) return State.broken;
      this.size = this.size * 16 + value;
      return State.size;
    }
    if (this.digits === 0) return State.broken;
    if (byte === 13) return State.sizeEnd;
    return byte === 59 ? this.extensionByte(byte) : State.broken;
  }

  /** They say nothing to a gateway, but what is no extension may be a line end to someone else. */
  private extensionByte(byte: number): State {
    if (byte === 13) return EXTENSIONS.test(this.extensions) ? State.sizeEnd : State.broken;
    if (this.extensions.length >= MAX_EXTENSIONS || !isText(byte)) return State.broken;
    this.extensions += String.fromCharCode(byte);
    return State.extension;
  }

  /** Lines up to the empty one. They are few and rare: gathered as text, then parsed as a head is. */
  private readTrailers(input: Buffer, at: number): number {
    const before = this.tail.length;
    this.tail += input.toString('latin1', at, Math.min(input.length, at + MAX_TRAILERS + 4 - before));
    const end = this.tail.startsWith('\r\n') ? 0 : this.tail.indexOf('\r\n\r\n') + 2;
    if (end === 1) {
      if (this.tail.length > MAX_TRAILERS || hasBareLineEnd(Buffer.from(this.tail, 'latin1'), 0))
        this.state = State.broken;
      return input.length;
    }
    this.state = State.done;
    if (end > 0) this.parseTrailers(this.tail.slice(0, end));
    return at + end + 2 - before;
  }

  private parseTrailers(text: string): void {
    const fields = new Head();
    const problem = parseFields(text, 0, fields, MAX_TRAILER_FIELDS);
    // What would frame a message has no place behind one: it is there to deceive someone.
    if (problem !== null || fields.contentLength >= 0 || fields.chunked) {
      this.state = State.broken;
      return;
    }
    this.trailers = trailersOf(fields.headers);
  }
}

function isText(byte: number): boolean {
  return byte === 9 || (byte >= 0x20 && byte !== 0x7f);
}

function hexValue(byte: number): number {
  if (byte >= 48 && byte <= 57) return byte - 48;
  const lower = byte | 32;
  return lower >= 97 && lower <= 102 ? lower - 87 : -1;
}
