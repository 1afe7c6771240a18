import type { MatchConfig, ValueMatch } from '../config/model.ts';
import { NO_PARAMS, type Params } from '../http/exchange.ts';
import { MASK } from '../util/secret.ts';
import { type Candidate, type CompiledRoute, matchOf } from './candidate.ts';
import { conditionsHold, methodFits, passes, type ValueCondition } from './conditions.ts';
import { describeValue, isSecretName } from './describe.ts';
import { hostFits, parseHostPattern } from './host-pattern.ts';
import { whyBetter } from './precedence.ts';
import type { NoMatch, Router } from './router.ts';
import type { RouteSubject } from './subject.ts';

export interface Explanation {
  /** Name of the route that takes the request; null where none does. */
  route: string | null;
  /** Why none does, null where one does. */
  refusal: NoMatch | null;
  params: Params;
  /** Every other route, in the order of the file, with one sentence. */
  rejected: { route: string; why: string }[];
}

/** Which route takes a request, and why each of the others does not. Not for the hot path. */
export function explainMatch<R>(router: Router<R>, subject: RouteSubject): Explanation {
  const outcome = router.match(subject);
  const refusal = 'status' in outcome ? outcome : null;
  const best = router.best(subject);
  const taken = refusal === null ? best : null;
  const fits = bestOfEachRoute(router.fits(subject.path, subject));
  const rejected = router.routes
    .filter((route) => route !== taken?.route)
    .map((route) => ({ route: route.name, why: whyNot(route, fits.get(route), best, subject) }));
  return {
    route: taken === null ? null : taken.route.name,
    refusal,
    params: taken === null ? NO_PARAMS : matchOf(taken, subject.path).params,
    rejected,
  };
}

function bestOfEachRoute<R>(candidates: readonly Candidate<R>[]): Map<CompiledRoute<R>, Candidate<R>> {
  const best = new Map<CompiledRoute<R>, Candidate<R>>();
  for (const candidate of candidates) if (!best.has(candidate.route)) best.set(candidate.route, candidate);
  return best;
}

function whyNot<R>(
  route: CompiledRoute<R>,
  fit: Candidate<R> | undefined,
  best: Candidate<R> | null,
  subject: RouteSubject,
): string {
  if (fit === undefined) return whyNotHere(route.match, subject);
  const failed = failedConditions(fit, subject);
  if (failed.length > 0) return failed.join(', and ');
  if (best === null || best.route === route) return doubt(subject.path);
  return `matches too, but ${whyBetter(best, fit)}`;
}

function doubt(path: string): string {
  return `matches, but a service might read ${path} as a path that this route does not rule (\`%2F\` as a slash, or without \`;\` and what follows it)`;
}

/** Of listener, host and path the first that does not fit. */
function whyNotHere(match: MatchConfig, subject: RouteSubject): string {
  if (match.listeners.length > 0 && !match.listeners.includes(subject.listener)) {
    return `listener must be ${either(match.listeners)}, was ${subject.listener}`;
  }
  if (match.hosts.length > 0 && !match.hosts.some((host) => hostFits(parseHostPattern(host), subject.host))) {
    return `host must be ${either(match.hosts)}, was ${subject.host === '' ? 'absent' : subject.host}`;
  }
  if (match.paths.length === 1) return `path ${match.paths[0]} does not match`;
  return `none of the paths ${match.paths.join(', ')} matches`;
}

function failedConditions(
  { route: { match }, conditions, captures }: Candidate<unknown>,
  subject: RouteSubject,
): string[] {
  const failed: string[] = [];
  if (!methodFits(match.methods, subject.method)) {
    const methods = match.methods.flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method]));
    failed.push(`method must be ${either([...new Set(methods)])}, was ${subject.method}`);
  }
  if (conditions === null) return failed;
  const { headers, query, cookies, ip } = conditions;
  failed.push(
    ...failedValues('header', headers, match.headers, (name) => subject.header(name)),
    ...failedValues('query parameter', query, match.query, (name) => subject.queryValue(name)),
    ...failedValues('cookie', cookies, match.cookies, (name) => subject.cookie(name)),
  );
  if (ip !== null && !ip.has(subject.ip)) failed.push(`address ${subject.ip} is not in ${either(match.ip)}`);
  if (failed.length === 0 && !conditionsHold(conditions, subject, captures)) failed.push(whenFailed(match));
  return failed;
}

function whenFailed(match: MatchConfig): string {
  return `when${typeof match.when === 'string' ? ` \`${match.when}\`` : ''} is false, or can't be evaluated`;
}

function failedValues(
  kind: string,
  conditions: readonly ValueCondition[] | null,
  written: Record<string, ValueMatch>,
  read: (name: string) => string | undefined,
): string[] {
  if (conditions === null) return [];
  const values = Object.values(written);
  return conditions.flatMap(({ name, test }, i) => {
    const value = read(name);
    if (passes(test, value)) return [];
    const must = `${test.kind === 'regex' ? 'match' : 'be'} ${describeValue(name, values[i]!)}`;
    return [`${kind} ${name} must ${must}, was ${found(kind, name, value)}`];
  });
}

function found(kind: string, name: string, value: string | undefined): string {
  if (value === undefined) return 'absent';
  if (kind === 'cookie' || isSecretName(name)) return MASK;
  return JSON.stringify(value.length > 100 ? `${value.slice(0, 100)}…` : value);
}

function either(words: readonly string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;
}
