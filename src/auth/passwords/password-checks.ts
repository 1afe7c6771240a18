import { argon2, timingSafeEqual } from 'node:crypto';
import { BcryptThread } from './bcrypt-thread.ts';
import { BCRYPT_LIMIT, type PasswordHash } from './password-hash.ts';

/** Checks at once in a worker, and those that wait; more are turned away. */
const AT_ONCE = 2;
const MOST_WAITING = 32;

/** Checks passwords off the event loop, a few at a time: each is meant to be dear. */
export class PasswordChecks {
  private readonly bcrypt = new BcryptThread();
  private readonly waiting: (() => void)[] = [];
  private running = 0;

  /** Null: too many wait already. Rejects where it can't be found out. */
  check(password: Buffer, hash: PasswordHash): Promise<boolean> | null {
    if (this.running >= AT_ONCE && this.waiting.length >= MOST_WAITING) return null;
    return this.inTurn(password, hash);
  }

  close(): void {
    this.bcrypt.close();
  }

  private async inTurn(password: Buffer, hash: PasswordHash): Promise<boolean> {
    if (this.running >= AT_ONCE) await new Promise<void>((resolve) => this.waiting.push(resolve));
    else this.running++;
    try {
      return await (hash.kind === 'bcrypt'
        ? this.bcryptFits(password, hash.text)
        : argon2Fits(password, hash));
    } finally {
      const next = this.waiting.shift();
      if (next === undefined) this.running--;
      else next();
    }
  }

  /** A longer password would be cut, and count with any end: it is refused, after the time that a check takes. */
  private async bcryptFits(password: Buffer, hash: string): Promise<boolean> {
    const whole = password.length <= BCRYPT_LIMIT;
    const fits = await this.bcrypt.compare(password.subarray(0, BCRYPT_LIMIT).toString('utf8'), hash);
    return fits && whole;
  }
}

function argon2Fits(message: Buffer, hash: PasswordHash & { kind: 'argon2id' }): Promise<boolean> {
  const { memory, passes, parallelism, salt, tag } = hash;
  const parameters = { message, nonce: salt, memory, passes, parallelism, tagLength: tag.length };
  return new Promise((resolve, reject) => {
    argon2('argon2id', parameters, (error, made) => {
      if (error) reject(error);
      else resolve(timingSafeEqual(made, tag));
    });
  });
}
