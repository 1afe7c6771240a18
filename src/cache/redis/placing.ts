import { hash } from 'node:crypto';
import type { Entry } from '../entry.ts';
import { currentAge } from '../policy/index.ts';
import type { EntryHead } from '../shared-store.ts';

/** Kept at least, where it can be validated and so be of use after its time; seconds. */
const VALIDATED = 600;
/** Kept at most; seconds. */
const LONGEST = 30 * 86_400;

/** Until when Redis keeps an entry: wall clock, ms. Null for one that is of no use any more. */
export function keptUntil(entry: Entry, now: number): number | null {
  const seconds = entry.lifetime + Math.max(entry.staleWhileRevalidate, entry.staleIfError);
  const left = seconds - currentAge(entry, now);
  const canBeValidated = entry.etag !== undefined || entry.lastModified !== undefined;
  const kept = Math.min(Math.max(left, canBeValidated ? VALIDATED : 0), LONGEST);
  return kept > 0 ? Math.ceil(now + kept * 1000) : null;
}

/** Equal for entries that answer the same requests. */
export function variantId({ varyOn, varyValues }: EntryHead): string {
  if (varyOn.length === 0) return '-';
  const values = varyOn.map((name, i) => [name, varyValues[i] ?? null]);
  return hash('sha256', JSON.stringify(values), 'base64url').slice(0, 16);
}
