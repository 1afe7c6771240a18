import { ERRORS, type ErrorCode, Failure } from '../http/errors.ts';
import { type Reply, reply } from '../http/exchange.ts';
import type { Headers } from '../http/headers.ts';

/**
 * Problem documents (RFC 9457): what the gateway answers when it can't do what was asked.
 *
 * `type` is a name, not an address: `urn:tidegate:error:TG_ROUTE_NOT_FOUND`. It never changes and needs no
 * server to stand somewhere; `code`, an extension member, is its last part for those who compare it.
 */
const TYPE = 'urn:tidegate:error:';

/** A document is these two with the request's id between them: nothing else of it changes. */
interface Skeleton {
  readonly status: number;
  readonly before: string;
  readonly after: string;
}

const SKELETONS: ReadonlyMap<ErrorCode, Skeleton> = new Map(
  (Object.keys(ERRORS) as ErrorCode[]).map((code) => [code, skeleton(code)]),
);

function skeleton(code: ErrorCode): Skeleton {
  const { status, title, detail } = ERRORS[code];
  const fixed = JSON.stringify({ type: TYPE + code, title, status, detail });
  return { status, before: `${fixed.slice(0, -1)},"instance":`, after: `,"code":${JSON.stringify(code)}` };
}

/** What the gateway alone says in a problem document; an extension never speaks in its place. */
const STANDARD: ReadonlySet<string> = new Set(['type', 'title', 'status', 'detail', 'instance', 'code']);

/**
 * The answer to a request that failed. Says what the table of errors says and nothing of `failure.cause`,
 * which is for logs and may name addresses.
 *
 * @param id The request's id, shown as `instance`.
 * @param extra Extension members; must be free of anything internal.
 */
export function problem(failure: Failure, id: string, extra?: Readonly<Record<string, unknown>>): Reply {
  const { status, before, after } = SKELETONS.get(failure.code)!;
  const body = Buffer.from(`${before}${JSON.stringify(id)}${after}${members(extra)}}`);
  const headers: Headers = [
    'content-type',
    'application/problem+json',
    // A failure passes; without this a 404 or 405 may be kept by a cache on the way (RFC 9111 §4.2.2).
    'cache-control',
    'no-store',
    'x-content-type-options',
    'nosniff',
  ];
  if (failure.retryAfter !== undefined) headers.push('retry-after', delaySeconds(failure.retryAfter));
  const answer = reply(status, headers, body);
  answer.failure = failure;
  return answer;
}

/** The 405 to a request whose path has routes, but for other methods: `Allow` is required (RFC 9110 §15.5.6). */
export function methodNotAllowed(allow: readonly string[], id: string): Reply {
  const answer = problem(new Failure('TG_ROUTE_METHOD'), id);
  answer.headers.push('allow', allow.join(', '));
  return answer;
}

function members(extra: Readonly<Record<string, unknown>> | undefined): string {
  if (extra === undefined) return '';
  const own = Object.entries(extra).filter(([name, value]) => !STANDARD.has(name) && value !== undefined);
  if (own.length === 0) return '';
  return `,${JSON.stringify(Object.fromEntries(own)).slice(1, -1)}`;
}

/** Whole seconds, never sooner than meant (RFC 9110 §10.2.3). */
function delaySeconds(seconds: number): string {
  return String(Math.max(0, Math.ceil(seconds)));
}
