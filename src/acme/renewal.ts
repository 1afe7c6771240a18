import type { RenewalAdvice, RenewalWindow } from './order/index.ts';
import type { StoredCertificate } from './stored-certificate.ts';

type Lifetime = Pick<StoredCertificate, 'from' | 'until'>;

const MINUTE = 60_000;
/** How often the authority is asked for advice: what it says itself within these bounds (RFC 9773 §4.3), ms. */
const SOONEST_ASK = MINUTE;
const USUAL_ASK = 6 * 60 * MINUTE;
const LATEST_ASK = 24 * 60 * MINUTE;

/** Renewed with a third of its life left, and a little earlier by chance, so that not all come at once. */
export function usualTime({ from, until }: Lifetime, chance: number): number {
  const life = until - from;
  return from + (life * 2) / 3 - (life / 50) * chance;
}

/** Half of the time for its renewal is over by then: whatever the authority advises, it is not waited for any longer. */
export function latestTime({ from, until }: Lifetime): number {
  return until - (until - from) / 6;
}

/** Anywhere in the window that the authority has chosen (RFC 9773 §4.2). */
export function advisedTime({ start, end }: RenewalWindow, life: Lifetime, chance: number): number {
  return Math.min(start + (end - start) * chance, latestTime(life));
}

/**
 * Soonest that one that was just got may be replaced, whatever it or the authority says: a wrong clock would else
 * order without end.
 */
export function leastAge({ from, until }: Lifetime): number {
  return Math.max(0, (until - from) / 4);
}

/** Milliseconds until the authority is asked for advice again; null: it gave none when it was asked last. */
export function nextAsk(advice: RenewalAdvice | null): number {
  return Math.min(Math.max(advice?.askAfter ?? USUAL_ASK, SOONEST_ASK), LATEST_ASK);
}
