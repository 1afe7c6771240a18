import { randomBytes } from 'node:crypto';
import { open, readFile, rm, stat, utimes } from 'node:fs/promises';
import type { Clock, Timer } from '../util/clock.ts';

/** How often whoever has it shows that it lives, and how long no sign of life is needed to take it over; ms. */
const SIGN_EVERY = 3_000;
const STALE = 15_000;

/**
 * A lock that one process has at a time, also of several containers that share a folder: a file, which its holder
 * touches. Whoever finds it untouched for long enough, by its own clock, takes it over. Should two do so in the very
 * same moment, both go on: an order is then made twice, and no file is harmed.
 */
export class FolderLock {
  private readonly path: string;
  private readonly clock: Clock;
  private readonly holder = randomBytes(12).toString('hex');
  private timer: Timer | null = null;
  /** Another's lock as it was seen last, and since when it has looked so. */
  private seen = { sign: '', since: 0 };

  constructor(path: string, clock: Clock) {
    this.path = path;
    this.clock = clock;
  }

  /** False: another process has it. Rejects where the folder can't be written to. */
  async take(): Promise<boolean> {
    if (!(await this.create()) && !((await this.isLeft()) && (await this.create()))) return false;
    this.showLife();
    return true;
  }

  async release(): Promise<void> {
    if (this.timer !== null) this.clock.cancel(this.timer);
    this.timer = null;
    if ((await holderOf(this.path)) === this.holder) await rm(this.path, { force: true });
  }

  private async create(): Promise<boolean> {
    try {
      const file = await open(this.path, 'wx', 0o600);
      await file.writeFile(this.holder).finally(() => file.close());
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
      throw error;
    }
  }

  /** Was it left behind? Then it is taken away. */
  private async isLeft(): Promise<boolean> {
    const sign = await signOf(this.path);
    if (sign === null) return true;
    const now = this.clock.now();
    if (sign !== this.seen.sign) this.seen = { sign, since: now };
    if (now - this.seen.since < STALE || (await signOf(this.path)) !== sign) return false;
    await rm(this.path, { force: true });
    return true;
  }

  private showLife(): void {
    this.timer = this.clock.after(SIGN_EVERY, () => {
      const now = new Date(this.clock.wall());
      // One that was taken away meanwhile is another's, or nobody's.
      void utimes(this.path, now, now).catch(() => {});
      this.showLife();
    });
  }
}

/** What changes with each sign of life; null: there is no lock. */
async function signOf(path: string): Promise<string | null> {
  try {
    const [holder, { mtimeMs, ino }] = await Promise.all([readFile(path, 'utf8'), stat(path)]);
    return `${holder}|${ino}|${mtimeMs}`;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

async function holderOf(path: string): Promise<string | null> {
  return await readFile(path, 'utf8').catch(() => null);
}
