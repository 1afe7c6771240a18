import type { Entry } from '../../../src/cache/entry.ts';
import {
  type Judged,
  judgeStorable,
  type NotStored,
  type RoutePolicy,
  STANDARD_POLICY,
  type Storable,
} from '../../../src/cache/policy/index.ts';
import type { Headers } from '../../../src/http/headers.ts';

/** Wall clock of the tests: a whole second, so that dates in headers are exact. */
export const NOW = Date.UTC(2026, 0, 1, 12, 0, 0);

/** A head written as lines: `Cache-Control: max-age=60`. */
export function head(...lines: string[]): Headers {
  return lines.flatMap((line) => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon), line.slice(colon + 1).trim()];
  });
}

/** The HTTP-date that many seconds from `NOW`. */
export function date(seconds = 0): string {
  return new Date(NOW + seconds * 1000).toUTCString();
}

export function policy(changes: Partial<RoutePolicy> = {}): RoutePolicy {
  return { ...STANDARD_POLICY, ...changes };
}

/** Judges a 200 to a plain GET that came at `NOW`, but for the changes. */
export function judge(lines: string[], changes: Partial<Judged> = {}): Storable | NotStored {
  return judgeStorable({
    method: 'GET',
    requestHeaders: [],
    authenticated: false,
    hasCookie: false,
    status: 200,
    responseHeaders: head(...lines),
    policy: policy(),
    requestAt: NOW,
    responseAt: NOW,
    ...changes,
  });
}

/** What is stored of an answer; throws where nothing is. */
export function stored(lines: string[], changes: Partial<Judged> = {}): Storable {
  const judged = judge(lines, changes);
  if (!judged.storable) throw new Error(`not stored: ${judged.reason}`);
  return judged;
}

/** Why an answer isn't stored; null where it is. */
export function refusal(lines: string[], changes: Partial<Judged> = {}): string | null {
  const judged = judge(lines, changes);
  return judged.storable ? null : judged.reason;
}

/** The entry made of an answer with the body `0123456789`. */
export function entry(lines: string[], changes: Partial<Judged> = {}, own: Partial<Entry> = {}): Entry {
  const { storable: _, ...rest } = stored(lines, changes);
  return {
    ...rest,
    body: Buffer.from('0123456789'),
    tags: [],
    sequence: 1,
    url: 'http://shop.test/a',
    ...own,
  };
}
