import { derivedKey, type SigningKey, signingKeyFromPem } from './signing-key.ts';

/** The keys of a gateway at a time. */
export interface KeyRing {
  /** The one that signs; `wall`: milliseconds since 1970. */
  current(wall: number): SigningKey;
  /** Those that a service must know: of tokens under way, and of tokens to come. */
  published(wall: number): readonly SigningKey[];
}

/** The one key of the config. Those it had before are told for a while, for tokens that are under way. */
export function fixedKeyRing(
  pem: string,
  before: readonly { key: SigningKey; until: number }[] = [],
): KeyRing {
  const key = signingKeyFromPem(pem);
  return {
    current: () => key,
    published: (wall) => {
      const told = before.filter((one) => wall < one.until && one.key.kid !== key.kid).map((one) => one.key);
      return [key, ...told.filter(({ kid }, at) => told.findIndex((one) => one.kid === kid) === at)];
    },
  };
}

/** How long a key signs. */
const ROTATION = 24 * 3_600_000;

/**
 * Keys made from one secret, a new one each day: all who share the secret, workers and nodes, sign alike without a word.
 * The next day's is told from the beginning, the last day's until its day after, so no clock or copy of the set matters.
 */
export function rotatingKeyRing(secret: string): KeyRing {
  const keys = new Map<number, SigningKey>();
  const at = (period: number): SigningKey => {
    let key = keys.get(period);
    if (key === undefined) {
      for (const old of keys.keys()) if (Math.abs(old - period) > 2) keys.delete(old);
      key = derivedKey(secret, period);
      keys.set(period, key);
    }
    return key;
  };
  const periodOf = (wall: number) => Math.floor(wall / ROTATION);
  return {
    current: (wall) => at(periodOf(wall)),
    published: (wall) => [0, -1, 1].map((step) => at(periodOf(wall) + step)),
  };
}
