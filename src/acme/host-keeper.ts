import type { Logger } from '../telemetry/index.ts';
import type { Clock } from '../util/clock.ts';
import type { Random } from '../util/random.ts';
import type { CertificateStore } from './certificate-store.ts';
import { AcmeError, type Authority, type Proofs } from './contract.ts';
import { advisedTime, latestTime, leastAge, nextAsk, usualTime } from './renewal.ts';
import { examine, type StoredCertificate } from './stored-certificate.ts';
import { Tries } from './tries.ts';

export interface KeeperParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly store: CertificateStore;
  /** Takes a certificate from now on. */
  readonly show: (certificate: StoredCertificate) => void;
  /** Lets the authority see a proof; resolves once it can be seen, with what takes it away. */
  readonly prove: (proofs: Proofs) => Promise<() => void>;
  /** Told what came of each order. */
  readonly ordered: (result: 'ok' | 'failed') => void;
}

/** Another process has the lock: it is looked at again after this, ms. */
const LOCKED_PAUSE = 5_000;
/** The wall clock may jump, and timers sleep with the machine: it is looked at this often at least, ms. */
const LONGEST_SLEEP = 3_600_000;
/** After a certificate was taken over its authority is not asked for advice for this long, ms. */
const FIRST_ASK = 60_000;
/** The authority may advise to renew one again after this at the soonest, ms. */
const ADVISED_AGE = 6 * 3_600_000;
const NOT_OF_THE_AUTHORITY = { retryAfter: null, type: null };

/** Sees to it that a host has a certificate, from when it runs until it is stopped. */
export class HostKeeper {
  readonly authority: Authority;
  private readonly host: string;
  private readonly parts: KeeperParts;
  private readonly ending = new AbortController();
  private running: Promise<void> = Promise.resolve();
  private certificate: StoredCertificate | null = null;
  private tries = new Tries(null, 0);
  /** Of this certificate: when in the time that is given for it. */
  private chance = 0;
  /** Milliseconds since 1970, like all that follow. */
  private renewAt = 0;
  /** Not before this, whatever the authority advises. */
  private advisedFrom = 0;
  private askAt = 0;
  private lockedUntil = 0;
  /** What was logged last; null: all is well. */
  private trouble: string | null = null;

  constructor(host: string, authority: Authority, parts: KeeperParts) {
    this.host = host;
    this.authority = authority;
    this.parts = parts;
  }

  start(): void {
    this.running = this.run();
  }

  /** Breaks off what is under way; resolves once nothing is. */
  async stop(): Promise<void> {
    this.ending.abort();
    await this.running;
  }

  private get ended(): boolean {
    return this.ending.signal.aborted;
  }

  private async run(): Promise<void> {
    const { clock, store, log } = this.parts;
    this.tries = new Tries(await store.readTries(this.host), clock.wall());
    const kept = await store.read(this.host).catch((error: Error) => {
      log.warn('a certificate that was kept is of no use', { host: this.host, why: error.message });
      return null;
    });
    if (kept !== null) this.hold(kept, kept.from);
    while (!this.ended) {
      await this.look().catch((error: Error) => this.failed(error));
      await this.sleep(this.nextLook() - clock.wall());
    }
  }

  private async look(): Promise<void> {
    const wall = this.parts.clock.wall();
    if (this.certificate !== null && wall < this.renewAt) {
      if (wall >= this.askAt) await this.askAdvice(this.certificate);
      return;
    }
    if (wall >= this.tries.nextAt && wall >= this.lockedUntil)
      await this.parts.store.inTurn(() => this.renew());
  }

  private nextLook(): number {
    const wall = this.parts.clock.wall();
    if (this.certificate !== null && wall < this.renewAt) return Math.min(this.renewAt, this.askAt);
    return Math.max(this.tries.nextAt, this.lockedUntil);
  }

  private async renew(): Promise<void> {
    if (this.ended) return;
    const { store, clock } = this.parts;
    try {
      await store.open();
      if (!(await store.lock.take())) {
        this.lockedUntil = clock.wall() + LOCKED_PAUSE;
        return;
      }
    } catch (error) {
      return this.failed(new AcmeError(`the storage can't be used: ${(error as Error).message}`));
    }
    try {
      if (!(await this.takeOver())) await this.order();
    } catch (error) {
      await this.failed(error as Error);
    } finally {
      await store.lock.release();
    }
  }

  /** Another process, that shares the storage, may have been faster. */
  private async takeOver(): Promise<boolean> {
    const { store, clock } = this.parts;
    const kept = await store.read(this.host).catch(() => null);
    if (kept === null || kept.until <= (this.certificate?.until ?? 0)) return false;
    if (usualTime(kept, 1) <= clock.wall()) return false;
    this.hold(kept, kept.from);
    this.settle('a certificate that another process got is taken over');
    return true;
  }

  private async order(): Promise<void> {
    const { store, clock, log, prove, ordered } = this.parts;
    const { host, authority, certificate } = this;
    const { orderCertificate } = await import('./order/index.ts');
    if (this.trouble === null) log.info('a certificate is ordered', { host, directory: authority.directory });
    const given = await orderCertificate(host, authority, {
      clock,
      prove,
      signal: this.ending.signal,
      account: await store.accountKey(authority.email),
      replaced: certificate?.cert ?? null,
      joined: (terms) => log.info('an account was made at the authority', { email: authority.email, terms }),
    });
    const fresh = examine(given);
    if (fresh.until <= clock.wall())
      throw new AcmeError('the certificate has run out when it comes: is the clock of this machine right?');
    // It is good already, whether it can be kept or not.
    this.hold(fresh, clock.wall());
    await store.write(fresh);
    await store.writeTries(host, null);
    this.tries = new Tries(null, clock.wall());
    ordered('ok');
    this.settle('a certificate was obtained');
  }

  private hold(certificate: StoredCertificate, gotAt: number): void {
    const { clock, random, show } = this.parts;
    const least = leastAge(certificate);
    this.certificate = certificate;
    this.chance = random.number();
    this.renewAt = Math.max(usualTime(certificate, this.chance), gotAt + least);
    this.advisedFrom = gotAt + Math.min(least, ADVISED_AGE);
    this.askAt = clock.wall() + FIRST_ASK;
    show(certificate);
  }

  /** What can't be asked is no advice: the usual time holds (RFC 9773 §4.3.3). */
  private async askAdvice(certificate: StoredCertificate): Promise<void> {
    const { clock } = this.parts;
    const { askRenewal, Session } = await import('./order/index.ts');
    const ask = async () => {
      const session = await Session.open(this.authority, { clock, signal: this.ending.signal });
      return await askRenewal(session, certificate.cert).finally(() => session.close());
    };
    const advice = await ask().catch(() => null);
    this.askAt = clock.wall() + nextAsk(advice);
    if (advice?.window == null) return;
    this.renewAt = Math.max(advisedTime(advice.window, certificate, this.chance), this.advisedFrom);
  }

  /** What was broken off has not failed. */
  private async failed(error: Error): Promise<void> {
    if (this.ended) return;
    const { clock, random, store, ordered } = this.parts;
    const { retryAfter, type } = error instanceof AcmeError ? error : NOT_OF_THE_AUTHORITY;
    this.tries.failed(clock.wall(), retryAfter, random.number());
    ordered('failed');
    this.tell(error.message, type ?? error.message);
    // A folder that can't be written to is told of already.
    await store.writeTries(this.host, this.tries.note()).catch(() => {});
  }

  /** Once for each kind of reason, and again when the certificate in use is about to run out. */
  private tell(why: string, kind: string): void {
    const { clock, log } = this.parts;
    const { certificate, host } = this;
    const urgent = certificate === null || clock.wall() > latestTime(certificate);
    const trouble = `${urgent} ${kind}`;
    if (trouble === this.trouble) return;
    this.trouble = trouble;
    const until = certificate === null ? null : dateOf(certificate.until);
    const fields = { host, why, until, again: dateOf(Math.max(this.tries.nextAt, clock.wall())) };
    if (urgent) log.error('a certificate could not be obtained', fields);
    else log.warn('a certificate could not be renewed', fields);
  }

  private settle(message: string): void {
    const { host, certificate, renewAt } = this;
    const { until, issuer } = certificate!;
    this.trouble = null;
    this.parts.log.info(message, { host, issuer, until: dateOf(until), renewal: dateOf(renewAt) });
  }

  /** Until then, or until it is stopped. */
  private sleep(ms: number): Promise<void> {
    const { clock } = this.parts;
    const { signal } = this.ending;
    return new Promise((resolve) => {
      const wake = () => {
        clock.cancel(timer);
        signal.removeEventListener('abort', wake);
        resolve();
      };
      const timer = clock.after(Math.min(Math.max(ms, 0), LONGEST_SLEEP), wake);
      if (signal.aborted) wake();
      else signal.addEventListener('abort', wake, { once: true });
    });
  }
}

function dateOf(wall: number): string {
  return new Date(wall).toISOString();
}
