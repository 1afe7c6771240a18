/** How the sending side of a connection ended. */
export type Ending = 'fin' | 'reset';

/** The connection ended before what was asked for had come. */
export class Truncated extends Error {
  readonly ending: Ending;

  constructor(ending: Ending, wanted: string, had: Buffer) {
    super(`the connection ended by ${ending} where ${wanted} was expected; before that came ${show(had)}`);
    this.name = 'Truncated';
    this.ending = ending;
  }
}

/** Bytes as they stand in a test's message: control characters written out, the middle of long ones left out. */
export function show(bytes: Buffer, most = 600): string {
  if (bytes.length === 0) return 'nothing';
  const text = bytes.toString('latin1');
  const shown = text.length <= most ? text : `${text.slice(0, most / 2)} … ${text.slice(-most / 2)}`;
  return `${bytes.length} bytes: ${JSON.stringify(shown)}`;
}

/** What one side of a connection sent, read by one reader at a time: it waits for what is not there yet. */
export class ByteReader {
  /** Null as long as more may come. */
  ending: Ending | null = null;
  /** Bytes that came so far, read or not. */
  received = 0;
  private readonly chunks: Buffer[] = [];
  private readonly ends: ((ending: Ending) => void)[] = [];
  private wake: (() => void) | null = null;
  private recorded: Buffer[] | null = null;

  push(chunk: Buffer): void {
    this.received += chunk.length;
    this.chunks.push(chunk);
    this.notify();
  }

  end(ending: Ending): void {
    if (this.ending !== null) return;
    this.ending = ending;
    for (const tell of this.ends.splice(0)) tell(ending);
    this.notify();
  }

  /** What came and has not been read yet. */
  pending(): Buffer {
    return Buffer.concat(this.chunks);
  }

  closed(): Promise<Ending> {
    if (this.ending !== null) return Promise.resolve(this.ending);
    return new Promise((resolve) => this.ends.push(resolve));
  }

  /** Begins to keep what is read; the function returned gives it and stops. */
  record(): () => Buffer {
    const kept: Buffer[] = [];
    this.recorded = kept;
    return () => {
      this.recorded = null;
      return Buffer.concat(kept);
    };
  }

  /** Up to and including the next LF. */
  async line(): Promise<Buffer> {
    let searched = 0;
    for (;;) {
      const all = this.pending();
      const at = all.indexOf(10, searched);
      if (at >= 0) return this.take(at + 1);
      searched = all.length;
      await this.more('the end of a line');
    }
  }

  async exactly(count: number): Promise<Buffer> {
    while (this.size() < count) await this.more(`${count} bytes`);
    return this.take(count);
  }

  /** At least one byte: whatever is there. Empty once the connection has ended. */
  async some(): Promise<Buffer> {
    while (this.size() === 0) {
      if (this.ending !== null) return Buffer.alloc(0);
      await this.more('any byte');
    }
    return this.take(this.size());
  }

  /** Everything until the other side ends, however it does. */
  async rest(): Promise<Buffer> {
    await this.closed();
    return this.take(this.size());
  }

  private size(): number {
    let size = 0;
    for (const chunk of this.chunks) size += chunk.length;
    return size;
  }

  private take(count: number): Buffer {
    const parts: Buffer[] = [];
    let missing = count;
    while (missing > 0) {
      const chunk = this.chunks.shift()!;
      if (chunk.length > missing) this.chunks.unshift(chunk.subarray(missing));
      parts.push(chunk.subarray(0, missing));
      missing -= Math.min(missing, chunk.length);
    }
    const bytes = Buffer.concat(parts);
    this.recorded?.push(bytes);
    return bytes;
  }

  private async more(wanted: string): Promise<void> {
    if (this.ending !== null) throw new Truncated(this.ending, wanted, this.pending());
    if (this.wake !== null) throw new Error('two readers on one connection');
    await new Promise<void>((resolve) => {
      this.wake = resolve;
    });
  }

  private notify(): void {
    const wake = this.wake;
    this.wake = null;
    wake?.();
  }
}
