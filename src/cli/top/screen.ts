import type { ReadStream, WriteStream } from 'node:tty';
import type { Size } from './frame.ts';

/** The other screen of the terminal, without a cursor and without lines that wrap; and all of it as it was. */
const ENTER = '\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[2J';
const LEAVE = '\x1b[?7h\x1b[?25h\x1b[?1049l';
const HOME = '\x1b[H';
const REST_OF_LINE = '\x1b[K';
const REST_OF_SCREEN = '\x1b[J';

const ENDINGS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
const CTRL_C = '\x03';

/** A terminal that is drawn on as a whole, until somebody ends it; it is left as it was found. */
export class Screen {
  /** Resolves when q or Ctrl-C was typed, or a signal came. */
  readonly ended: Promise<void>;
  private readonly output: WriteStream;
  private readonly input: ReadStream | null;
  private readonly resized: () => void;
  private readonly end: () => void;
  private open = true;
  private readonly leave = () => this.close();

  /** @param input Null: nobody types. */
  constructor(output: WriteStream, input: ReadStream | null, resized: () => void) {
    this.output = output;
    this.input = input;
    this.resized = resized;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.ended = promise;
    this.end = resolve;
    // Also when the process ends by a fault.
    process.once('exit', this.leave);
    for (const signal of ENDINGS) process.on(signal, this.end);
    output.on('resize', resized);
    output.write(ENTER);
    if (input === null) return;
    input.setRawMode(true);
    input.setEncoding('utf8').on('data', this.typed);
    // The terminal is gone.
    input.on('end', this.end).on('error', this.end);
  }

  get size(): Size {
    const { columns, rows } = this.output;
    return { columns: columns || 80, rows: rows || 24 };
  }

  draw(lines: readonly string[]): void {
    const text = lines.map((line) => `${line}${REST_OF_LINE}`).join('\r\n');
    this.output.write(`${HOME}${text}${REST_OF_SCREEN}`);
  }

  close(): void {
    if (!this.open) return;
    this.open = false;
    process.off('exit', this.leave);
    for (const signal of ENDINGS) process.off(signal, this.end);
    this.output.off('resize', this.resized);
    if (this.input !== null) {
      this.input.off('data', this.typed).pause();
      this.input.setRawMode(false);
    }
    this.output.write(LEAVE);
  }

  private readonly typed = (keys: string): void => {
    if (/^[qQ]$/.test(keys) || keys.includes(CTRL_C)) this.end();
  };
}
