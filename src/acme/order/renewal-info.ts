import { certificateName } from './certificates.ts';
import { isObject, readObject } from './problem.ts';
import type { Session } from './session.ts';
import { retryAfterOf } from './transport.ts';

/** When the authority would have a certificate renewed, milliseconds since 1970 (RFC 9773 §4.2). */
export interface RenewalWindow {
  readonly start: number;
  readonly end: number;
}

export interface RenewalAdvice {
  /** Null: it says nothing of this one. */
  readonly window: RenewalWindow | null;
  /** Milliseconds after which to ask again; null: it does not say. */
  readonly askAfter: number | null;
}

/** What the authority advises; null where it gives no such advice at all. Rejects where it can't be asked. */
export async function askRenewal(session: Session, cert: string): Promise<RenewalAdvice | null> {
  const { renewalInfo } = session.directory;
  const name = renewalInfo === null ? null : certificateName(cert);
  if (name === null) return null;
  const answer = await session.get(`${renewalInfo!.replace(/\/$/, '')}/${name}`);
  const told = answer.status === 200 ? readObject(answer.text) : null;
  return { window: windowOf(told?.suggestedWindow), askAfter: retryAfterOf(answer, session.wall) };
}

/** One that ends before it begins is as good as none (RFC 9773 §4.2). */
function windowOf(told: unknown): RenewalWindow | null {
  if (!isObject(told)) return null;
  const [start, end] = [Date.parse(String(told.start)), Date.parse(String(told.end))];
  return start < end ? { start, end } : null;
}
