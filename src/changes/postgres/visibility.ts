import type { Clock } from '../../util/clock.ts';

const FIRST_PAUSE = 1;
const LONGEST_PAUSE = 50;

interface Waiting {
  readonly xid: number;
  resolve(): void;
  reject(error: Error): void;
}

/** The text of `pg_current_snapshot()`: `xmin:xmax:running,…`. */
export interface TransactionSnapshot {
  readonly xmax: bigint;
  readonly running: ReadonlySet<bigint>;
}

/**
 * When can a transaction be seen? Its record is in the log before its commit shows to others, with a synchronous
 * standby by that one's whole round trip. One question to the database serves all that wait.
 */
export class Visibility {
  private readonly ask: () => Promise<string>;
  private readonly clock: Clock;
  private waiting: Waiting[] = [];
  private asking = false;
  private failed: Error | null = null;

  /** `ask` gives the text of `pg_current_snapshot()`, within a deadline of its own. */
  constructor(ask: () => Promise<string>, clock: Clock) {
    this.ask = ask;
    this.clock = clock;
  }

  /** Rejects when the database can't be asked any more. */
  wait(xid: number): Promise<void> {
    if (this.failed !== null) return Promise.reject(this.failed);
    return new Promise((resolve, reject) => {
      this.waiting.push({ xid, resolve, reject });
      if (!this.asking) void this.run();
    });
  }

  fail(error: Error): void {
    this.failed ??= error;
    for (const { reject } of this.waiting.splice(0)) reject(error);
  }

  private async run(): Promise<void> {
    this.asking = true;
    try {
      for (let pause = FIRST_PAUSE; this.waiting.length > 0; pause = Math.min(pause * 2, LONGEST_PAUSE)) {
        const asked = this.waiting.length;
        const snapshot = readSnapshot(await this.ask());
        const before = this.waiting.length;
        this.waiting = this.waiting.filter((one, index) => {
          const seen = index < asked && isFinished(one.xid, snapshot);
          if (seen) one.resolve();
          return !seen;
        });
        // Who came while it was asked is asked for at once.
        if (this.waiting.length < before || before > asked) pause = FIRST_PAUSE / 2;
        else await new Promise<void>((resolve) => this.clock.after(pause, resolve));
      }
    } catch (error) {
      this.fail(error as Error);
    } finally {
      this.asking = false;
    }
  }
}

function readSnapshot(text: string): TransactionSnapshot {
  const [, xmax = '0', running = ''] = text.split(':');
  return { xmax: BigInt(xmax), running: new Set(running === '' ? [] : running.split(',').map(BigInt)) };
}

/** The stream has only the low 32 bits of a transaction's number; it is the nearest one to the snapshot's. */
function isFinished(xid: number, { xmax, running }: TransactionSnapshot): boolean {
  let full = (xmax & ~0xffffffffn) | BigInt(xid);
  if (full - xmax > 0x80000000n) full -= 0x100000000n;
  else if (xmax - full > 0x80000000n) full += 0x100000000n;
  return full < xmax && !running.has(full);
}
