import { close, constants, fstatSync, openSync, statSync } from 'node:fs';
import type { Clock } from '../../util/clock.ts';
import type { LineBytes } from '../line-bytes.ts';
import { atOnceTo, DescriptorWriter, GATHER, type LineWriter } from '../line-writer.ts';
import type { Logger } from '../log.ts';

/** Its group may read it, nobody else. */
const MODE = 0o640;
/** Between two lines of the gateway's own log about lines that were lost, in ms. */
const TELL_EVERY = 5_000;
/** How long what waits may take to be written before a file that is left is closed, in ms. */
const PATIENCE = 2_000;

export interface LogFileParts {
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * A file that lines are added to. Several processes may add to it: each write goes to its end, and holds whole lines.
 * One that was moved away is opened anew under its name by `reopen`.
 */
export class LogFile implements LineWriter {
  readonly path: string;
  private readonly parts: LogFileParts;
  private fd: number;
  private writer: DescriptorWriter;
  private lost = 0;
  private toldAt = Number.NEGATIVE_INFINITY;

  /** @throws the system's error where it can't be opened */
  constructor(path: string, parts: LogFileParts) {
    this.path = path;
    this.parts = parts;
    this.fd = open(path);
    this.writer = this.writerTo(this.fd);
  }

  write(line: string): void {
    this.writer.write(line);
  }

  compose<T>(of: T, make: (of: T, line: LineBytes) => void): void {
    this.writer.compose(of, make);
  }

  flush(ms: number): Promise<boolean> {
    return this.writer.flush(ms);
  }

  /** Opens what stands under its name now, if that is another file. What can't be opened changes nothing. */
  reopen(): void {
    if (isSame(this.fd, this.path)) return;
    let fd: number;
    try {
      fd = open(this.path);
    } catch (error) {
      const { message } = error as Error;
      return this.parts.log.error('the access log can not be reopened; it goes on in the file it had', {
        file: this.path,
        error: message,
      });
    }
    const { fd: old, writer } = this;
    this.fd = fd;
    this.writer = this.writerTo(fd);
    void finish(writer, old);
  }

  close(): Promise<void> {
    return finish(this.writer, this.fd);
  }

  private writerTo(fd: number): DescriptorWriter {
    const lost = (count: number, why: string) => this.dropped(count, why);
    return new DescriptorWriter(fd, undefined, lost, GATHER, atOnceTo(fd));
  }

  private dropped(count: number, why: string): void {
    this.lost += count;
    const now = this.parts.clock.now();
    if (now - this.toldAt < TELL_EVERY) return;
    this.toldAt = now;
    this.parts.log.warn('lines of the access log were dropped', { file: this.path, count: this.lost, why });
    this.lost = 0;
  }
}

function open(path: string): number {
  const { O_APPEND, O_CREAT, O_RDWR, O_WRONLY, O_NONBLOCK } = constants;
  // A pipe is there also while nobody reads it: whoever reads it may come later, go, and come again.
  if (isPipe(path)) return openSync(path, O_RDWR | O_NONBLOCK);
  return openSync(path, O_APPEND | O_CREAT | O_WRONLY | O_NONBLOCK, MODE);
}

function isPipe(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFIFO() ?? false;
}

function isSame(fd: number, path: string): boolean {
  try {
    const [is, stands] = [fstatSync(fd), statSync(path)];
    return is.ino === stands.ino && is.dev === stands.dev;
  } catch {
    return false;
  }
}

async function finish(writer: LineWriter, fd: number): Promise<void> {
  await writer.flush(PATIENCE);
  close(fd, () => {});
}
