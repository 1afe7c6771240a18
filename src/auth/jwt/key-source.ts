import type { JwtConfig } from '../../config/model.ts';
import { Failure } from '../../http/errors.ts';
import type { AuthParts } from '../parts.ts';
import { Issuer } from './issuer.ts';
import { KeySet, readKeySet, secretKeySet } from './key-set.ts';

/** Keys older than this are asked for again, in the background, in ms. */
const FRESH = 5 * 60_000;
/** An unknown key causes at most one question in this time, in ms. */
const UNKNOWN = 30_000;
/** After a failure the issuer is asked again no sooner, in ms. */
const AFTER_FAILURE = 3000;

/** Gives the keys that tokens are checked with. */
export interface KeySource {
  /** Keys that are known now; null: none have ever come. */
  readonly keys: KeySet | null;
  /** Keys worth a second look, for a token that none of those known has signed; a failure where nobody can say. */
  renewed(): Promise<KeySet | Failure>;
  /** The keys are in use: they are asked for again when they have grown old. */
  used(): void;
  /** What names one of them has another signature: it may have been replaced by one of the same name. */
  doubted(): void;
  close(): void;
}

/** @param onLost Told when a key that was good is none any more. */
export function keySourceOf(config: JwtConfig, parts: AuthParts, onLost: () => void): KeySource {
  switch (config.keys.kind) {
    case 'secret':
      return fixed(secretKeySet(config.keys.secret));
    case 'file':
      return fixed(readKeySet(config.keys.text) ?? new KeySet([]));
    default:
      return new RemoteKeys(config, parts, onLost);
  }
}

function fixed(keys: KeySet): KeySource {
  return { keys, renewed: () => Promise.resolve(keys), used() {}, doubted() {}, close() {} };
}

/** Keys that an issuer publishes. Those known are kept while it is away. */
class RemoteKeys implements KeySource {
  keys: KeySet | null = null;
  private readonly parts: AuthParts;
  private readonly issuer: Issuer;
  private readonly onLost: () => void;
  private fetchedAt = Number.NEGATIVE_INFINITY;
  private failedAt = Number.NEGATIVE_INFINITY;
  private failure: Failure | null = null;
  /** When an unknown key last caused a question. */
  private unknownAt = Number.NEGATIVE_INFINITY;
  private underWay: Promise<KeySet | Failure> | null = null;

  constructor(config: JwtConfig, parts: AuthParts, onLost: () => void) {
    this.parts = parts;
    this.issuer = new Issuer(config, parts);
    this.onLost = onLost;
  }

  renewed(): Promise<KeySet | Failure> {
    if (this.underWay !== null) return this.underWay;
    const now = this.parts.clock.now();
    if (this.failure !== null && now - this.failedAt < AFTER_FAILURE) return Promise.resolve(this.failure);
    if (this.keys === null) return this.fetch();
    if (this.failure === null && now - this.unknownAt < UNKNOWN) return Promise.resolve(this.keys);
    this.unknownAt = now;
    return this.fetch();
  }

  used(): void {
    this.renewOlderThan(FRESH);
  }

  doubted(): void {
    this.renewOlderThan(UNKNOWN);
  }

  /** Nobody waits for it. */
  private renewOlderThan(age: number): void {
    const now = this.parts.clock.now();
    if (now - this.fetchedAt < age || this.underWay !== null || now - this.failedAt < UNKNOWN) return;
    void this.fetch();
  }

  close(): void {
    this.issuer.close();
  }

  private fetch(): Promise<KeySet | Failure> {
    this.underWay = this.issuer
      .keys()
      .finally(() => {
        this.underWay = null;
      })
      .then((found) => this.take(found));
    return this.underWay;
  }

  private take(found: KeySet | Failure): KeySet | Failure {
    const now = this.parts.clock.now();
    if (found instanceof Failure) {
      this.failure = found;
      this.failedAt = now;
      return found;
    }
    this.failure = null;
    this.fetchedAt = now;
    const lost = this.keys !== null && !this.keys.isWithin(found);
    this.keys = found;
    if (lost) this.onLost();
    return found;
  }
}
