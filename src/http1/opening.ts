/** All of the preface that a line of HTTP/1.1 could begin with (RFC 9113 §3.4). */
const PREFACE = 'PRI * HTTP/2.0\r\n\r\n';

const EMPTY = Buffer.alloc(0);

/** What a connection begins with, until it is known whether that is the preface of HTTP/2, in however many pieces. */
export class Opening {
  /** Takes the connection over, with what has been read of it. */
  readonly takeHttp2: (read: Buffer) => void;
  /** All that has come so far. */
  read: Buffer = EMPTY;

  constructor(takeHttp2: (read: Buffer) => void) {
    this.takeHttp2 = takeHttp2;
  }

  /** Adds what has come. Is it the preface? Null: that is still to be seen, and the bytes are copied. */
  isPreface(chunk: Buffer): boolean | null {
    this.read = this.read.length === 0 ? chunk : Buffer.concat([this.read, chunk]);
    const start = this.read.toString('latin1', 0, PREFACE.length);
    if (start === PREFACE) return true;
    if (!PREFACE.startsWith(start)) return false;
    this.read = Buffer.from(this.read);
    return null;
  }
}
