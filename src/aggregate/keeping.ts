import {
  ageOnArrival,
  judgeStorable,
  type RoutePolicy,
  responseDirectives,
  STANDARD_POLICY,
} from '../cache/index.ts';
import { getHeader, getJoined, type Headers, hasHeader, removeHeader } from '../http/headers.ts';
import type { HeaderTransform } from '../pipeline/index.ts';
import type { Varies } from './varies.ts';

/** What an answer that goes into an aggregate brings along beside its head. */
export interface Told {
  /** What it says to caches of this gateway alone. */
  readonly said: Headers;
  /** Null: they could not be told, or it must not be kept. */
  readonly tags: readonly string[] | null;
  /** Where it is an aggregate's that keeps none of its own: what it is made of. */
  readonly madeOf: readonly Part[];
}

/** One answer that went into an aggregate. Times of the wall clock, in ms. */
export interface Part extends Pick<Told, 'tags' | 'madeOf'> {
  readonly status: number;
  readonly headers: Headers;
  /** What its call says of keeping it; null: nothing. */
  readonly policy: RoutePolicy | null;
  readonly requestAt: number;
  readonly responseAt: number;
}

/**
 * For how many seconds what is composed of these parts may be kept: as long as the part that lives shortest, its age
 * counted. A part that names no lifetime counts as the route's own (`ttl`); null, it may not be kept at all, where
 * there is none, or where any part forbids it (`no-store`, `private`, `no-cache`, `Vary: *`, Set-Cookie).
 */
export function keepsFor(parts: readonly Part[], ttl: number | null): number | null {
  let least = Number.POSITIVE_INFINITY;
  for (const part of parts) {
    const left = part.tags === null ? null : leftOf(part, ttl);
    if (left === null || left <= 0) return null;
    least = Math.min(least, left);
  }
  // Where every call was skipped, the route alone says how long.
  return least === Number.POSITIVE_INFINITY ? ttl : least;
}

function leftOf(part: Part, ttl: number | null): number | null {
  const { status, headers, policy, madeOf, requestAt, responseAt } = part;
  // An aggregate that says nothing itself lives as long as what it is made of.
  const unsaid = madeOf.length === 0 ? ttl : keepsFor(madeOf, ttl);
  const judged = judge(status, headers, policy ?? STANDARD_POLICY, requestAt, responseAt);
  if (!judged.storable) {
    if (judged.reason !== 'no-lifetime' || unsaid === null) return null;
    // In whole seconds, as Date and Age have them: else a `ttl` of a second would never be one.
    return unsaid - Math.floor(ageOnArrival(headers, requestAt, responseAt));
  }
  const forbidden = judged.noCache || (madeOf.length > 0 && unsaid === null);
  return forbidden ? null : judged.lifetime - judged.ageAtResponse;
}

function judge(status: number, headers: Headers, policy: RoutePolicy, requestAt: number, responseAt: number) {
  return judgeStorable({
    method: 'GET',
    requestHeaders: [],
    authenticated: false,
    hasCookie: false,
    status,
    responseHeaders: headers,
    policy,
    requestAt,
    responseAt,
  });
}

/** What the route names as the lifetime of answers with this status, in seconds; null: nothing. */
function ttlOf(status: number, policy: RoutePolicy): number | null {
  const judged = judge(status, [], policy, 0, 0);
  return judged.storable ? judged.lifetime : null;
}

/**
 * By these an aggregate tells the cache before it what follows from its parts: a lifetime, by the field that is meant
 * for this gateway alone (RFC 9213), and the tags. They never go out: `unsaid` takes them off each answer.
 */
const LIFETIME = 'tidegate-cache-control';
const TAGS = 'tidegate-aggregate-tags';
/** In place of tags, where the answer must not be kept whatever the route says. */
const NOT_KEPT = 'none';

/** What the answer's headers say to the cache, beside what they say to the client. */
export function keepingHeaders(
  parts: readonly Part[],
  policy: RoutePolicy,
  {
    status,
    headers,
    partial,
    varies,
    byAddress,
  }: { status: number; headers: Headers; partial: boolean; varies: Varies; byAddress: boolean },
): Headers {
  const vary = varyOf(parts, varies);
  if (vary === '*' || (!byAddress && varyBy(parts, ADDRESS))) return ['vary', '*', TAGS, NOT_KEPT];
  const ttl = ttlOf(status, policy);
  const keeps = partial ? null : keepsFor(parts, ttl);
  if (keeps === null) return [TAGS, NOT_KEPT];
  const tags = [...new Set(parts.flatMap((part) => part.tags ?? []))];
  const said: Headers = vary === '' ? [] : ['vary', vary];
  said.push(TAGS, Buffer.from(JSON.stringify(tags)).toString('base64'));
  // What the answer says itself of its lifetime stands; a `ttl` of less than a second can only be left to the route.
  const isSaid =
    getHeader(headers, 'cache-control') !== undefined || getHeader(headers, LIFETIME) !== undefined;
  if (!isSaid && !(keeps < 1 && keeps === ttl)) said.push(LIFETIME, `max-age=${Math.floor(keeps)}`);
  return said;
}

/** What is carried of one client alone, and never twice the same. */
const OF_ONE_CLIENT = /\b(?:forwarded|x-forwarded-for|x-request-id|traceparent|tracestate)\b/i;

const ADDRESS = 'x-forwarded-for';
const CARRIED = ['accept-language', ADDRESS];

/** Of what parts vary by, a call carries the client's language and address alone, and what the expressions read. */
function varyOf(parts: readonly Part[], varies: Varies): string {
  if (varies === '*') return '*';
  return [...new Set([...varies, ...CARRIED.filter((name) => varyBy(parts, name))])].join(', ');
}

function varyBy(parts: readonly Part[], name: string): boolean {
  return parts.some(({ headers }) =>
    (getJoined(headers, 'vary') ?? '').split(',').some((one) => one.trim().toLowerCase() === name),
  );
}

/** What an aggregate that is kept by none but those who asked for it tells them of its answer. */
export function toldOfParts(parts: readonly Part[], varies: Varies): Told {
  const forbidden = varies === '*' || OF_ONE_CLIENT.test(varies.join(' '));
  const vary = forbidden ? '*' : varyOf(parts, varies);
  const tags = parts.some((part) => part.tags === null) ? null : parts.flatMap((part) => part.tags!);
  return { said: vary === '' ? [] : ['vary', vary], tags, madeOf: parts };
}

/** The same for one that keeps its answers: they say it in their head, to the cache before it. */
export function toldByHead(headers: Headers): Told {
  const said = headers.filter((_, i) => SAID.has(headers[i - (i % 2)]!.toLowerCase()));
  // Where the answer is one subject's own, nothing is said of how long its parts live.
  const isOpen = !hasHeader(said, LIFETIME) && responseDirectives(headers).maxAge === null;
  return { said, tags: isOpen ? null : partTags(headers), madeOf: [] };
}

const SAID: ReadonlySet<string> = new Set([LIFETIME, 'age', 'vary']);

/** The tags of an aggregate's parts; null: it must not be kept. */
export function partTags(headers: Headers): string[] | null {
  const said = getHeader(headers, TAGS);
  if (said === undefined) return [];
  return said === NOT_KEPT ? null : (JSON.parse(Buffer.from(said, 'base64').toString()) as string[]);
}

/** A transform after which nothing stands of what is said to the cache alone. */
export function unsaid(transform: HeaderTransform | null): HeaderTransform {
  return {
    gives: transform?.gives ?? NOTHING,
    apply(headers, vars, own) {
      removeHeader(headers, LIFETIME);
      removeHeader(headers, TAGS);
      transform?.apply(headers, vars, own);
    },
  };
}

const NOTHING: ReadonlySet<string> = new Set();
