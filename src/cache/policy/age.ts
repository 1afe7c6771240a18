import { getHeader, type Headers } from '../../http/headers.ts';
import type { Entry } from '../entry.ts';
import { deltaSeconds } from './directives.ts';
import { parseHttpDate } from './http-date.ts';

/** Age in seconds, with fractions, at `now` (wall clock, ms): current_age of RFC 9111 §4.2.3. */
export function currentAge(entry: Pick<Entry, 'ageAtResponse' | 'responseAt'>, now: number): number {
  // A clock set back makes nothing younger than it came.
  return entry.ageAtResponse + Math.max(0, now - entry.responseAt) / 1000;
}

/** Seconds for which it stays fresh; negative: for how long it has been stale. */
export function freshFor(entry: Entry, now: number): number {
  return entry.lifetime - currentAge(entry, now);
}

/** corrected_initial_age of RFC 9111 §4.2.3, in seconds. */
export function ageOnArrival(headers: Headers, requestAt: number, responseAt: number): number {
  const apparent = Math.max(0, responseAt - dateValue(headers, responseAt)) / 1000;
  const delay = Math.max(0, responseAt - requestAt) / 1000;
  return Math.max(apparent, ageValue(headers) + delay);
}

/** When the answer says it was made; when it came where it doesn't say so validly. */
export function dateValue(headers: Headers, responseAt: number): number {
  const date = getHeader(headers, 'date');
  return (date === undefined ? null : parseHttpDate(date, responseAt)) ?? responseAt;
}

/** Of several members the first counts, and an invalid one is ignored (RFC 9111 §5.1). */
function ageValue(headers: Headers): number {
  const age = getHeader(headers, 'age');
  return age === undefined ? 0 : (deltaSeconds(age.split(',')[0]!.trim()) ?? 0);
}
