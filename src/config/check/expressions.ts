import {
  errorScope,
  extendScope,
  readsPartOf,
  requestScope,
  responseScope,
  routeScope,
  type Scope,
} from '../../expression/index.ts';
import { compileRedirect } from '../../pipeline/index.ts';
import { type PathParameters, pathParameters } from '../../router/index.ts';
import { nearest } from '../../util/suggest.ts';
import type { Template } from '../model.ts';
import { normaliseMatch } from '../normalise/index.ts';
import type { ConfigInput, RedirectInput, RespondInput, RouteInput } from '../schema/index.ts';
import { checkAggregate } from './aggregates.ts';
import { RouteAuthCheck } from './auth.ts';
import { checkCacheExpressions } from './cache.ts';
import { CompileCheck } from './compile.ts';
import type { Findings, Path } from './findings.ts';
import { transformsOf } from './headers.ts';
import { checkLimitNames, checkLimits } from './limits.ts';
import { requestReaders } from './request-readers.ts';
import { statusActionsOf } from './status-actions.ts';
import { takesKept } from './whose-answer.ts';

/** Type-checks every expression and template of the config, each with the variables of its place. */
export function checkExpressions(input: ConfigInput, findings: Findings): void {
  const check = new CompileCheck(findings);
  for (const [name, policy] of Object.entries(input.policies ?? {})) {
    check.condition(policy, requestScope, ['policies', name]);
  }
  const guards = new RouteAuthCheck(input, findings);
  guards.visit(input.defaults?.auth, requestScope, ['defaults', 'auth']);
  const nowhere: Place = { check, findings, parameters: null, scope: requestScope };
  checkCacheExpressions(input.defaults?.cache, ['defaults', 'cache'], {
    check,
    findings,
    scopes: ANYWHERE,
    parameters: null,
  });
  checkLimitNames(input, findings);
  checkLimits(input.defaults?.limit, ['defaults', 'limit'], requestScope, null, check, findings);
  checkAnswers(input.defaults ?? {}, ['defaults'], nowhere);
  checkHost(input.defaults?.host, requestScope, ['defaults', 'host'], check, findings);
  for (const [name, service] of Object.entries(input.services ?? {})) {
    checkHost(service.host, requestScope, ['services', name, 'host'], check, findings);
    const { balance } = service;
    if (typeof balance === 'object' && balance.hash !== undefined) {
      check.value(balance.hash, requestScope, ['services', name, 'balance', 'hash']);
    }
  }
  const scopes = new Map<string, Scopes>();
  for (const [name, route] of Object.entries(input.routes ?? {})) {
    const found = checkRoute(route, input, ['routes', name], check, findings);
    guards.visit(route.auth, found.request, ['routes', name, 'auth']);
    scopes.set(name, found);
  }
  for (const { transform, of, path } of transformsOf(input)) {
    const scope = (path[0] === 'routes' ? scopes.get(String(path[1])) : undefined) ?? ANYWHERE;
    checkTransform(transform, scope[of], path, check);
  }
}

export interface Scopes {
  request: Scope;
  response: Scope;
}

/** Where any route's parameters may stand. */
const ANYWHERE: Scopes = { request: requestScope, response: responseScope };

function checkRoute(
  route: RouteInput,
  input: ConfigInput,
  path: Path,
  check: CompileCheck,
  findings: Findings,
): Scopes {
  const match = route.match === undefined ? null : normaliseMatch(route.match);
  const parameters = match === null ? null : pathParameters(match);
  const scopes = parameters === null ? ANYWHERE : scopesWith(parameters);
  const place: Place = { check, findings, parameters, scope: scopes.request };
  if (match?.when != null) checkWhen(match.when, [...path, 'match', 'when'], place);
  checkHost(route.host, scopes.request, [...path, 'host'], check, findings);
  checkDestinations(route, path, place);
  checkAnswers(route, path, place);
  const auth = route.auth ?? input.defaults?.auth;
  const guarded = typeof auth === 'object' && auth.with !== 'none';
  checkLimits(route.limit, [...path, 'limit'], scopes.request, guarded, check, findings);
  checkCacheExpressions(route.cache, [...path, 'cache'], { check, findings, scopes, parameters });
  if (route.respond !== undefined) checkRespond(route.respond, [...path, 'respond'], place);
  if (route.redirect !== undefined) checkRedirect(route.redirect, [...path, 'redirect'], place);
  if (route.aggregate !== undefined) {
    const checkRest = (template: Template, at: Path) => checkTaken(template, at, place);
    const at = [...path, 'aggregate'];
    const cache = route.cache ?? input.defaults?.cache;
    checkAggregate(
      route.aggregate,
      at,
      scopes.request,
      check,
      findings,
      checkRest,
      requestReaders(input, route),
      takesKept(route, cache) ? cache : undefined,
    );
  }
  return scopes;
}

/** What the checks of one route share. */
interface Place {
  check: CompileCheck;
  findings: Findings;
  /** Null where its paths can't be read: that is told already. */
  parameters: PathParameters | null;
  scope: Scope;
}

function scopesWith({ names, rest }: PathParameters): Scopes {
  return { request: routeScope(requestScope, names, rest), response: routeScope(responseScope, names, rest) };
}

/** Matching comes before a body is read, and before anyone is asked who they are. */
function checkWhen(when: Template, path: Path, place: Place): void {
  const { check, findings } = place;
  const compiled = check.condition(when, place.scope, path);
  if (compiled === null) return;
  warnOfPartial(compiled.mentions, path, place);
  if (readsPartOf(compiled.mentions, 'auth')) {
    const advice = 'a route is chosen before anyone is asked who they are; say auth: { allow } on it';
    findings.error('TG_CONFIG_EXPRESSION', path, 'auth cannot be read in a match', advice);
  }
  if (readsPartOf(compiled.mentions, 'request.body')) {
    const advice = 'a route is chosen before the body is read; match by path, headers or query';
    findings.error('TG_CONFIG_EXPRESSION', path, 'request.body cannot be read in a match', advice);
  }
}

function checkHost(
  host: Template | undefined,
  scope: Scope,
  path: Path,
  check: CompileCheck,
  findings: Findings,
): void {
  if (host === undefined || ['client', 'service', 'none'].includes(host as string)) return;
  check.template(host, scope, path, 'authority');
  const meant = typeof host === 'string' && !/[.{:]/.test(host) ? nearest(host, ['client', 'service']) : null;
  if (meant !== null) {
    findings.warning(
      'TG_CONFIG_VALUE',
      path,
      `"${host}" is sent as the Host, letter by letter`,
      `did you mean "${meant}"?`,
    );
  }
}

function checkDestinations(route: Pick<RouteInput, 'to'>, path: Path, place: Place): void {
  const entries = Array.isArray(route.to) ? route.to : [route.to];
  for (const [index, entry] of entries.entries()) {
    if (typeof entry !== 'object' || entry.path === undefined) continue;
    const at = Array.isArray(route.to) ? [...path, 'to', index, 'path'] : [...path, 'to', 'path'];
    checkPath(entry.path, at, place);
  }
}

/** What a route, or `defaults`, say of answers on their way out. */
function checkAnswers(
  { errors, onStatus, mirror }: Pick<RouteInput, 'errors' | 'onStatus' | 'mirror'>,
  path: Path,
  place: Place,
): void {
  if (typeof errors === 'object' && errors.body !== undefined) {
    const scope = extendScope(place.scope, { error: errorScope.variables.get('error')! });
    place.check.value(errors.body, scope, [...path, 'errors', 'body']);
  }
  if (typeof mirror === 'object' && mirror.to !== undefined)
    checkDestinations({ to: mirror.to }, [...path, 'mirror'], place);
  for (const { action, path: at } of statusActionsOf(onStatus, [...path, 'onStatus'])) {
    if (action.to !== undefined) checkDestinations(action, at, place);
    if (action.respond !== undefined) checkRespond(action.respond, [...at, 'respond'], place);
    if (action.redirect !== undefined) checkRedirect(action.redirect, [...at, 'redirect'], place);
  }
}

function checkPath(template: Template, path: Path, place: Place): void {
  const compiled = place.check.path(template, place.scope, path);
  if (compiled === null || place.parameters === null) return;
  warnOfPartial(compiled.mentions, path, place);
  if (compiled.endsWithRest) checkRestOf(path, place);
}

/** A path of a call; what is filled in has been checked with the variables of its place. */
function checkTaken(template: Template, path: Path, place: Place): void {
  if (typeof template === 'string' && /\/\*$/.test(template)) checkRestOf(path, place);
}

function checkRestOf(path: Path, place: Place): void {
  if (place.parameters === null || place.parameters.alwaysRest) return;
  const advice = 'let match end in /* or {name*} too, or write the whole path here';
  place.findings.error(
    'TG_CONFIG_PATH',
    path,
    'this path ends in /*, but the match has no rest that it could take over',
    advice,
  );
}

/** A parameter that only some of the route's paths have is absent in requests for the others. */
function warnOfPartial(mentions: ReadonlySet<string>, path: Path, { parameters, findings }: Place): void {
  for (const name of parameters?.partial ?? []) {
    if (!mentions.has(`params.${name}`)) continue;
    const message = `params.${name} is missing in requests that match another path of this route`;
    findings.warning(
      'TG_CONFIG_PARAMETER',
      path,
      message,
      `give every path {${name}}, or make two routes of it`,
    );
  }
}

function checkRespond(respond: RespondInput, path: Path, { check, scope }: Place): void {
  for (const [name, value] of Object.entries(respond.headers ?? {})) {
    checkHeader(value, scope, [...path, 'headers', name], check);
  }
  if (respond.template !== undefined) check.singleText(respond.template, scope, [...path, 'template']);
  checkJson(respond.json, scope, [...path, 'json'], check);
}

/** Every text in a JSON value is a template. */
function checkJson(value: unknown, scope: Scope, path: Path, check: CompileCheck): void {
  if (typeof value === 'string' || typeof value === 'function') {
    check.singleText(value as Template, scope, path);
  } else if (typeof value === 'object' && value !== null) {
    for (const [key, item] of Object.entries(value)) {
      checkJson(item, scope, [...path, Array.isArray(value) ? Number(key) : key], check);
    }
  }
}

function checkRedirect(redirect: RedirectInput, path: Path, place: Place): void {
  const nothing = { status: 308, to: null, scheme: null, host: null, path: null };
  for (const key of ['to', 'scheme', 'host'] as const) {
    const part = redirect[key];
    if (part === undefined) continue;
    place.check.attempt([...path, key], () => compileRedirect({ ...nothing, [key]: part }, place.scope));
  }
  if (redirect.path !== undefined) checkPath(redirect.path, [...path, 'path'], place);
}

function checkTransform(
  transform: ReturnType<typeof transformsOf>[number]['transform'],
  scope: Scope,
  path: Path,
  check: CompileCheck,
): void {
  if (transform === undefined || transform === 'none') return;
  const { headers } = transform;
  if (headers === undefined || headers === 'none') return;
  for (const kind of ['set', 'add', 'default'] as const) {
    const values = headers[kind];
    if (values === undefined || values === 'none') continue;
    for (const [name, value] of Object.entries(values)) {
      checkHeader(value as Template | Template[], scope, [...path, 'headers', kind, name], check);
    }
  }
}

function checkHeader(value: Template | Template[], scope: Scope, path: Path, check: CompileCheck): void {
  if (!Array.isArray(value)) return void check.template(value, scope, path, 'header');
  for (const [index, one] of value.entries()) {
    if (one !== undefined) check.template(one, scope, [...path, index], 'header');
  }
}
