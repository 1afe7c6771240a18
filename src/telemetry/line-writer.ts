import { fstatSync, type NoParamCallback, write } from 'node:fs';
import { LineBytes } from './line-bytes.ts';

/** Takes whole lines, and sees to it that they get out, if anyone is there to take them. */
export interface LineWriter {
  write(line: string): void;
  /** The same of a line that `make` writes where it is to wait: it is copied nowhere else. */
  compose<T>(of: T, make: (of: T, line: LineBytes) => void): void;
  /** Resolves with true when all lines are out, or with false after `ms`. */
  flush(ms: number): Promise<boolean>;
}

/** What may wait for a slow reader; later lines are counted and dropped. */
const MOST_WAITING = 1024 * 1024;
const RETRY_AFTER = 10;
const NEWLINE = 10;
/** So much is written at once, however soon after the last. */
const ENOUGH = 512 * 1024;
/** For writers of logs: each write wakes another thread, which costs more than hundreds of lines. */
export const GATHER = 50;

type WriteCall = (
  fd: number,
  bytes: Buffer,
  offset: number,
  done: (error: Error | null, written: number) => void,
) => void;
type Lost = (lines: number, why: string) => void;
const writeToFile: WriteCall = (fd, bytes, offset, done) =>
  write(fd, bytes, offset, bytes.length - offset, null, done as NoParamCallback);

/**
 * Writes to a file descriptor beside the event loop. `process.stdout` and `writeSync` block the process while
 * a pipe is full: a stuck reader of the log would hold up every request.
 */
export class DescriptorWriter implements LineWriter {
  private readonly fd: number;
  private readonly call: WriteCall;
  private readonly lost: Lost | null;
  private waiting = new LineBytes();
  /** What was written last: room for what comes next. */
  private spare = new LineBytes();
  private dropped = 0;
  /** The last line that came out is cut: what follows begins a line of its own. */
  private torn = false;
  private busy = false;
  private closed = false;
  private idle: (() => void)[] = [];
  private readonly gather: number;
  private readonly atOnce: number;
  /** More lines are waited for. */
  private gathering: NodeJS.Timeout | null = null;

  /**
   * @param lost Told of lines that were dropped; without it the next line says so.
   * @param gather Milliseconds from one write to the next: where lines come all the time, many go in one.
   * @param atOnce Bytes of one write, if more than one line is in it (see `atOnceTo`).
   */
  constructor(
    fd: number,
    call: WriteCall = writeToFile,
    lost: Lost | null = null,
    gather = 0,
    atOnce = Number.POSITIVE_INFINITY,
  ) {
    this.gather = gather;
    this.atOnce = atOnce;
    this.fd = fd;
    this.call = call;
    this.lost = lost;
  }

  write(line: string): void {
    this.compose(line, writeText);
  }

  compose<T>(of: T, make: (of: T, line: LineBytes) => void): void {
    if (this.closed) return;
    const { waiting } = this;
    const before = waiting.length;
    make(of, waiting);
    if (waiting.length > MOST_WAITING) {
      waiting.length = before;
      this.dropped++;
      // Whoever is told hears it now: a reader that takes nothing may never take another line.
      if (this.lost !== null) this.tellDropped();
      return;
    }
    if (!this.busy) this.begin();
    else if (this.gathering !== null && waiting.length > ENOUGH) this.endGathering();
  }

  flush(ms: number): Promise<boolean> {
    if (this.gathering !== null) this.endGathering();
    if (!this.busy) return Promise.resolve(true);
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms, false);
      this.idle.push(() => {
        clearTimeout(timer);
        resolve(true);
      });
    });
  }

  /** In a turn of its own: the request that a line tells of does not wait for it, nor do those behind it. */
  private begin(): void {
    this.busy = true;
    setImmediate(() => this.next());
  }

  private next(): void {
    const { waiting, spare } = this;
    if (waiting.length === 0) {
      this.rest();
      return;
    }
    this.busy = true;
    // One write is under way at a time, so of two pieces of memory one is always free.
    this.waiting = spare.bytes.length > ENOUGH * 2 ? new LineBytes() : spare;
    this.waiting.length = 0;
    this.spare = waiting;
    this.send(waiting.bytes.subarray(0, waiting.length), 0);
  }

  private send(bytes: Buffer, offset: number): void {
    this.call(this.fd, this.partOf(bytes, offset), offset, (error, written) => {
      if (error !== null) return this.failed(error as NodeJS.ErrnoException, bytes, offset);
      if (offset + written < bytes.length) return this.send(bytes, offset + written);
      this.torn = false;
      this.tellDropped();
      if (this.gather === 0) return this.next();
      this.gathering = setTimeout(() => this.endGathering(), this.gather);
      this.gathering.unref();
    });
  }

  /** Whole lines, as many of them as go out in one piece; at least one. */
  private partOf(bytes: Buffer, from: number): Buffer {
    if (bytes.length - from <= this.atOnce) return bytes;
    const last = bytes.lastIndexOf(NEWLINE, from + this.atOnce - 1);
    const end = last >= from ? last : bytes.indexOf(NEWLINE, from);
    return end < 0 ? bytes : bytes.subarray(0, end + 1);
  }

  private endGathering(): void {
    clearTimeout(this.gathering!);
    this.gathering = null;
    this.next();
  }

  private failed(error: NodeJS.ErrnoException, bytes: Buffer, offset: number): void {
    // A descriptor that some other process made non-blocking: its buffer is full.
    if (error.code === 'EAGAIN' || error.code === 'EINTR') {
      setTimeout(() => this.send(bytes, offset), RETRY_AFTER);
      return;
    }
    // EPIPE, EIO, ENOSPC: there is nobody to tell.
    if (error.code === 'EPIPE' || error.code === 'EIO' || error.code === 'EBADF') this.closed = true;
    const { waiting } = this;
    // What was put before the first line ended none.
    const from = offset === 0 && this.torn ? 1 : offset;
    const lines = linesIn(bytes, from) + linesIn(waiting.bytes.subarray(0, waiting.length), 0);
    this.lost?.(lines, error.code ?? error.message);
    waiting.length = 0;
    if (offset > 0) this.torn = bytes[offset - 1] !== NEWLINE;
    if (this.torn) waiting.ascii('\n');
    this.rest();
  }

  private tellDropped(): void {
    if (this.dropped === 0) return;
    const count = this.dropped;
    this.dropped = 0;
    if (this.lost !== null) return this.lost(count, 'nobody read them');
    const line = {
      time: new Date().toISOString(),
      level: 'warn',
      message: 'log entries were dropped: nobody read them',
      count,
    };
    this.waiting.utf8(`${JSON.stringify(line)}\n`);
  }

  private rest(): void {
    this.busy = false;
    const told = this.idle;
    this.idle = [];
    for (const tell of told) tell();
  }
}

function writeText(text: string, line: LineBytes): void {
  line.utf8(text);
}

function linesIn(bytes: Buffer, from: number): number {
  let lines = 0;
  for (let at = bytes.indexOf(NEWLINE, from); at >= 0; at = bytes.indexOf(NEWLINE, at + 1)) lines++;
  return lines;
}

/** PIPE_BUF: what is written to a pipe at once, and not mixed with what others write to it (POSIX, write()). */
const IN_ONE_PIECE = process.platform === 'linux' ? 4096 : 512;

/** How much may be written at once, so that no line of another process gets into one of this: each write to a file is whole. */
export function atOnceTo(fd: number): number {
  try {
    return fstatSync(fd).isFile() ? Number.POSITIVE_INFINITY : IN_ONE_PIECE;
  } catch {
    return IN_ONE_PIECE;
  }
}

let stdout: LineWriter | undefined;

/** The one writer of standard output. */
export function stdoutWriter(): LineWriter {
  stdout ??= new DescriptorWriter(1, writeToFile, null, GATHER, atOnceTo(1));
  return stdout;
}
