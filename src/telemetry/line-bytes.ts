const SPACE = 0x20;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const TILDE = 0x7e;
const ZERO = 0x30;
const NEWLINE = 0x0a;
const POINT = 0x2e;

/** Bytes that grow as lines are written to them, and are used again. Of text, plain ASCII is copied as it is looked at. */
export class LineBytes {
  bytes: Buffer<ArrayBuffer>;
  length = 0;

  constructor(size = 4096) {
    this.bytes = Buffer.allocUnsafeSlow(size);
  }

  /** @param text ASCII alone, as most names and all keys are. */
  ascii(text: string): void {
    this.room(text.length);
    const { bytes } = this;
    let at = this.length;
    for (let i = 0; i < text.length; i++) bytes[at++] = text.charCodeAt(i);
    this.length = at;
  }

  /** Any text, in UTF-8. */
  utf8(text: string): void {
    this.room(text.length * 3);
    this.length += this.bytes.write(text, this.length);
  }

  /** What opens a string, the string, and its end. @param text ASCII alone, without anything to escape. */
  string(opening: string, text: string): void {
    this.room(opening.length + text.length + 1);
    const { bytes } = this;
    let at = this.length;
    for (let i = 0; i < opening.length; i++) bytes[at++] = opening.charCodeAt(i);
    for (let i = 0; i < text.length; i++) bytes[at++] = text.charCodeAt(i);
    bytes[at++] = QUOTE;
    this.length = at;
  }

  /** The same of any text; false, and nothing is written, where something in it must be escaped. */
  plainString(opening: string, text: string): boolean {
    this.room(opening.length + text.length + 1);
    const { bytes } = this;
    let at = this.length;
    for (let i = 0; i < opening.length; i++) bytes[at++] = opening.charCodeAt(i);
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (code < SPACE || code > TILDE || code === QUOTE || code === BACKSLASH) return false;
      bytes[at++] = code;
    }
    bytes[at++] = QUOTE;
    this.length = at;
    return true;
  }

  /** A whole number, not negative. */
  count(value: number): void {
    if (value > 0x7fff_ffff) return this.ascii(String(value));
    let digits = 1;
    for (let rest = value; rest >= 10; rest = (rest / 10) | 0) digits++;
    this.room(digits);
    let at = this.length + digits;
    this.length = at;
    let rest = value | 0;
    do {
      const next = (rest / 10) | 0;
      this.bytes[--at] = ZERO + rest - next * 10;
      rest = next;
    } while (rest > 0);
  }

  /** Milliseconds to the microsecond, as JSON writes such a number: `1.5`, `0.042`, `12`. */
  milliseconds(ms: number): void {
    const micros = Math.max(0, Math.round(ms * 1000));
    const whole = Math.floor(micros / 1000);
    const rest = micros - whole * 1000;
    this.count(whole);
    if (rest === 0) return;
    this.room(4);
    const { bytes } = this;
    bytes[this.length++] = POINT;
    bytes[this.length++] = ZERO + ((rest / 100) | 0);
    if (rest % 100 === 0) return;
    bytes[this.length++] = ZERO + (((rest / 10) | 0) % 10);
    if (rest % 10 !== 0) bytes[this.length++] = ZERO + (rest % 10);
  }

  newline(): void {
    this.room(1);
    this.bytes[this.length++] = NEWLINE;
  }

  /** What was written before, from one place to another, once more. */
  again(from: number, to: number): void {
    this.room(to - from);
    this.bytes.copyWithin(this.length, from, to);
    this.length += to - from;
  }

  private room(more: number): void {
    const needed = this.length + more;
    if (needed <= this.bytes.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(needed, this.bytes.length * 2));
    this.bytes.copy(grown, 0, 0, this.length);
    this.bytes = grown;
  }
}
