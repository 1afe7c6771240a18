import type { ActionConfig, Expression, MatchConfig, RouteConfig, StickyConfig } from '../model.ts';
import type { DefaultsInput, MatchInput, RouteInput } from '../schema/types.ts';
import { destinationsOf, type ReadBytes, redirectOf, respondOf } from './action.ts';
import { aggregateOf } from './aggregate.ts';
import { answersOf, mirrorOf } from './answers.ts';
import { routeAuthOf } from './auth.ts';
import type { ReadFiles } from './index.ts';
import { limitsOf } from './limit.ts';
import { retriesOf } from './resilience.ts';
import { routeCacheOf } from './route-cache.ts';
import { durationOf, listOf, sizeOf } from './scalars.ts';
import { hostOf, timeoutOf } from './service.ts';
import { mergeTransforms } from './transform.ts';

export function normaliseRoute(
  name: string,
  input: RouteInput,
  defaults: DefaultsInput,
  read: ReadFiles,
  policies: Readonly<Record<string, Expression>>,
): RouteConfig {
  const action = actionOf(input, defaults, read.bytes);
  return {
    name,
    match: matchOf(input),
    action,
    auth: routeAuthOf(input.auth ?? defaults.auth, policies, read.pem),
    timeout: timeoutOf(input.timeout ?? defaults.timeout),
    host: hostOf(input.host ?? defaults.host),
    request: mergeTransforms(defaults.request, input.request),
    response: mergeTransforms(defaults.response, input.response),
    retries: ownRetries(input.retries, defaults.retries),
    cache: keepsAnswers(action) ? routeCacheOf(input.cache ?? defaults.cache) : null,
    mirror: mirrorOf(input.mirror, defaults.mirror),
    answers: answersOf(input, defaults, read.bytes),
    priority: priorityOf(input.priority ?? defaults.priority),
    limits: limitsOf(input.limit ?? defaults.limit),
    maxBody: sizeOf(input.maxBody ?? defaults.maxBody, Number.POSITIVE_INFINITY),
  };
}

/** A route's own `none` means that nothing is tried again, whatever its service says. */
function ownRetries(own: RouteInput['retries'], fallback: DefaultsInput['retries']): RouteConfig['retries'] {
  const said = own ?? fallback;
  return said === undefined ? null : retriesOf(said);
}

/** What the gateway answers by itself is at hand anyway. */
function keepsAnswers({ kind }: ActionConfig): boolean {
  return kind === 'proxy' || kind === 'aggregate';
}

/** An aggregate answers GET, and with it HEAD, unless another method is said. */
export function matchOf(input: Pick<RouteInput, 'match' | 'aggregate'>): MatchConfig {
  const match = normaliseMatch(input.match);
  return input.aggregate !== undefined && match.methods.length === 0 ? { ...match, methods: ['GET'] } : match;
}

export function normaliseMatch(input: string | MatchInput): MatchConfig {
  const match: MatchInput = typeof input === 'string' ? { path: input } : input;
  return {
    listeners: textsOf(match.listener),
    hosts: textsOf(match.host),
    paths: textsOf(match.path),
    methods: textsOf(match.method),
    headers: { ...match.headers },
    query: { ...match.query },
    cookies: { ...match.cookies },
    ip: textsOf(match.ip),
    when: match.when ?? null,
    ignoreCase: String(match.ignoreCase ?? false) === 'true',
  };
}

/** Entries that were found wrong have left holes. */
function textsOf(value: string | readonly string[] | undefined): string[] {
  return listOf(value).filter((text) => text !== undefined);
}

function priorityOf(input: RouteInput['priority']): number {
  return input === undefined || input === 'none' ? 0 : Number(input);
}

function actionOf(input: RouteInput, defaults: DefaultsInput, readBytes: ReadBytes): ActionConfig {
  if (input.respond !== undefined) return { kind: 'respond', respond: respondOf(input.respond, readBytes) };
  if (input.aggregate !== undefined) return { kind: 'aggregate', aggregate: aggregateOf(input.aggregate) };
  if (input.redirect !== undefined) return { kind: 'redirect', redirect: redirectOf(input.redirect) };
  // Where there is one way alone, a client need not be kept on it.
  const sticky = Array.isArray(input.to) ? stickyOf(input.sticky ?? defaults.sticky) : null;
  return { kind: 'proxy', to: destinationsOf(input.to), sticky };
}

function stickyOf(input: RouteInput['sticky']): StickyConfig | null {
  if (input === undefined || input === 'none') return null;
  const maxAge = input.maxAge === undefined ? null : Math.round(durationOf(input.maxAge, 0) / 1000);
  return { cookie: input.cookie, maxAge };
}
