import { isLessGuarded } from '../../auth/index.ts';
import {
  compilePath,
  ExpressionError,
  extendScope,
  identityScope,
  readsPartOf,
  requestScope,
  responseScope,
  type Scope,
} from '../../expression/index.ts';
import { isReservedHeader } from '../../http/reserved-headers.ts';
import { findOvertaken } from '../../router/index.ts';
import { nearest } from '../../util/suggest.ts';
import type { Expression, Template } from '../model.ts';
import { normaliseMatch, routeAuthOf } from '../normalise/index.ts';
import {
  type ConfigInput,
  isLoopback,
  NAME,
  type ProviderInput,
  pathKey,
  type RouteAuthInput,
  urlPartsOf,
  wordOf,
} from '../schema/index.ts';
import { CompileCheck } from './compile.ts';
import type { Findings, Path } from './findings.ts';
import { checkSecret } from './hmac-secret.ts';
import { checkPasswords } from './passwords.ts';

type Common = Pick<NonNullable<ProviderInput['apiKey']>, 'subject' | 'permissions' | 'claims' | 'tags'>;
type Jwt = NonNullable<ProviderInput['jwt']>;

/** Providers: their secrets, their templates, and the addresses they go to. */
export function checkProviders(input: ConfigInput, filled: ReadonlySet<string>, findings: Findings): void {
  const check = new CompileCheck(findings);
  for (const [name, provider] of Object.entries(input.auth ?? {})) {
    checkSharedDecisions(name, provider, input, findings);
    for (const [kind, settings] of Object.entries(provider))
      checkTemplates(settings as Common, ['auth', name, kind], check);
    const { apiKey, basic, introspection, jwt, forward } = provider;
    if (basic !== undefined) checkPasswords(basic.users, ['auth', name, 'basic', 'users'], filled, findings);
    if (apiKey !== undefined) checkKeys(apiKey.keys, ['auth', name, 'apiKey', 'keys'], filled, findings);
    if (introspection?.endpoint !== undefined)
      refusePlain(introspection, 'endpoint', ['auth', name, 'introspection'], findings);
    if (jwt !== undefined) checkJwt(jwt, ['auth', name, 'jwt'], findings);
    if (jwt !== undefined) checkSecret(jwt, ['auth', name, 'jwt'], findings);
    if (forward !== undefined) refusePatterns(forward, ['auth', name, 'forward'], findings);
    if (forward !== undefined) checkForwardHeaders(forward, ['auth', name, 'forward'], findings);
    if (forward?.url !== undefined)
      checkFilledUrl(forward.url, ['auth', name, 'forward', 'url'], check, findings);
    if (typeof forward?.cache === 'object' && forward.cache.key !== undefined)
      checkDecisionKey(forward.cache.key, ['auth', name, 'forward', 'cache', 'key'], check, findings);
  }
}

/** Decisions that nodes are to keep together: where, for how long, and that each node would decide the same. */
function checkSharedDecisions(
  name: string,
  { introspection, forward }: ProviderInput,
  input: ConfigInput,
  findings: Findings,
): void {
  for (const [kind, settings] of Object.entries({ introspection, forward })) {
    const cache = settings?.cache;
    if (typeof cache !== 'object' || String(cache.redis) !== 'true') continue;
    const path = ['auth', name, kind, 'cache', 'redis'];
    if (input.cache?.redis === undefined)
      findings.error(
        'TG_CONFIG_MISSING',
        path,
        'there is no Redis to keep decisions in',
        'say cache: { redis: redis://HOST:PORT } at the top level, or remove this',
      );
    if (kind === 'forward' && cache.accept === undefined)
      findings.error(
        'TG_CONFIG_CONFLICT',
        path,
        'no accepted decision is kept at all',
        'say accept: how long one is kept; refused ones never stand in Redis',
        { atKey: true },
      );
    if (holdsFunction(settings))
      findings.error(
        'TG_CONFIG_CONFLICT',
        path,
        'what a function decides can not be compared between nodes',
        'write subject, permissions, claims, tags and key as text',
        { atKey: true },
      );
  }
}

function holdsFunction(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return typeof value === 'function';
  return Object.values(value).some(holdsFunction);
}

function checkTemplates(
  { subject, permissions, claims, tags }: Common,
  path: Path,
  check: CompileCheck,
): void {
  const look = (template: Template | undefined, at: Path) => {
    if (template !== undefined) check.template(template, identityScope, at);
  };
  look(subject, [...path, 'subject']);
  look(permissions, [...path, 'permissions']);
  for (const [name, template] of Object.entries(claims ?? {})) look(template, [...path, 'claims', name]);
  if (!Array.isArray(tags)) return look(tags as Template | undefined, [...path, 'tags']);
  for (const [index, tag] of tags.entries()) look(tag, [...path, 'tags', index]);
}

/** What is asked about a request is asked before anybody knows whose it is. */
function checkFilledUrl(url: string, path: Path, check: CompileCheck, findings: Findings): void {
  const { server, path: filled } = urlPartsOf(url);
  if (!filled.includes('{')) return;
  const compiled = check.attempt(path, () =>
    compileAt(server.length, () => compilePath(filled, requestScope)),
  );
  if (compiled === null) return;
  const wrong = (message: string, advice: string) =>
    findings.error('TG_CONFIG_EXPRESSION', path, message, advice);
  if (readsPartOf(compiled.mentions, 'auth'))
    wrong('nobody knows yet who asks: that is what is asked here', 'there are request and params');
  if (readsPartOf(compiled.mentions, 'request.body'))
    wrong('request.body is not read before that is allowed', 'take it out: forward is never shown a body');
  if (compiled.endsWithRest)
    wrong('"/*" takes over no rest of a path here', 'say {params["*"]}, or {request.path}');
}

/** A key that can't be made keeps nothing: its decision is asked for each time. */
function checkDecisionKey(key: Expression, path: Path, check: CompileCheck, findings: Findings): void {
  const compiled = check.value(key, requestScope, path);
  for (const name of ['auth', 'request.body']) {
    if (compiled === null || !readsPartOf(compiled.mentions, name)) continue;
    const message = `${name} is not known yet where this is read, so no decision is kept`;
    findings.warning(
      'TG_CONFIG_EXPRESSION',
      path,
      message,
      'let it read what the client sent: headers, cookies',
    );
  }
}

/** What is wrong is shown where it stands in the whole text. */
function compileAt<T>(start: number, compile: () => T): T {
  try {
    return compile();
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error;
    throw new ExpressionError(
      error.problems.map((one) => ({ ...one, start: one.start + start, end: one.end + start })),
    );
  }
}

/** A star in the name of a header is a letter like others, which nobody means by it. */
function refusePatterns(
  forward: NonNullable<ProviderInput['forward']>,
  path: Path,
  findings: Findings,
): void {
  for (const key of ['requestHeaders', 'responseHeaders', 'clientHeaders'] as const) {
    const names = forward[key];
    const list = Array.isArray(names) ? names : [names];
    for (const [index, name] of list.entries()) {
      if (typeof name !== 'string' || !name.includes('*')) continue;
      const at = Array.isArray(names) ? [...path, key, index] : [...path, key];
      const message = `"${name}" names one header: there are no patterns here`;
      findings.error('TG_CONFIG_HEADER', at, message, 'write the names, one by one');
    }
  }
}

/** An answer of the auth service says nothing of framing, nor in the gateway's own words who is asking. */
function checkForwardHeaders(
  forward: NonNullable<ProviderInput['forward']>,
  path: Path,
  findings: Findings,
): void {
  for (const key of ['responseHeaders', 'clientHeaders'] as const) {
    const names = forward[key];
    const list = Array.isArray(names) ? names : [names];
    for (const [index, name] of list.entries()) {
      if (typeof name !== 'string' || !isReservedHeader(name.toLowerCase())) continue;
      const at = Array.isArray(names) ? [...path, key, index] : [...path, key];
      const advice =
        'say subject and permissions for who it is; what frames a message belongs to one connection';
      findings.error(
        'TG_CONFIG_HEADER',
        at,
        `"${name}" cannot be taken over: the gateway makes it itself`,
        advice,
      );
    }
  }
}

type Keys = NonNullable<ProviderInput['apiKey']>['keys'];

/** A key that stands in the file is known to all who can read it; its hash is of no use to them. */
function checkKeys(
  keys: Keys | undefined,
  path: Path,
  filled: ReadonlySet<string>,
  findings: Findings,
): void {
  const seen = new Map<string, Path>();
  for (const [index, entry] of (keys ?? []).entries()) {
    if (entry?.key !== undefined && !filled.has(pathKey([...path, index, 'key']))) {
      const advice =
        '"tidegate hash key" gives the hash for hash:, or take it from the environment: ${env.NAME}';
      findings.error('TG_CONFIG_SECRET', [...path, index, 'key'], 'a key must not stand in the file', advice);
    }
    const hash = entry?.hash?.toLowerCase();
    if (hash === undefined) continue;
    const twin = seen.get(hash);
    if (twin !== undefined)
      findings.error(
        'TG_CONFIG_DUPLICATE',
        [...path, index, 'hash'],
        'this key stands in the list twice',
        'keep one',
        {
          also: { path: [...twin] },
        },
      );
    seen.set(hash, [...path, index, 'hash']);
  }
}

function checkJwt(jwt: Jwt, path: Path, findings: Findings): void {
  const discovers = jwt.jwks === undefined && jwt.secret === undefined;
  if (jwt.issuer !== undefined && discovers) {
    if (/^https?:\/\/[^/]/i.test(jwt.issuer) && URL.canParse(jwt.issuer))
      refusePlain(jwt, 'issuer', path, findings);
    else
      findings.error(
        'TG_CONFIG_VALUE',
        [...path, 'issuer'],
        'no metadata can be found there: this is no URL',
        'write the URL that the auth server calls itself, or say where its keys are: jwks',
      );
  }
  if (jwt.jwks !== undefined && /^https?:/i.test(jwt.jwks)) refusePlain(jwt, 'jwks', path, findings);
  const asked = jwt.jwks === undefined ? 'issuer' : 'jwks';
  if (discovers || jwt.jwks !== undefined) refuseUser(jwt[asked], [...path, asked], findings);
  if (jwt.jwks !== undefined && jwt.issuer === undefined) {
    const advice = 'say issuer: what must stand in iss; others may sign with the same keys';
    findings.warning('TG_CONFIG_AUTH', path, 'tokens of any issuer are taken here', advice, { atKey: true });
  }
}

/** Keys are public: they are asked for by nobody in particular. */
function refuseUser(url: string | undefined, path: Path, findings: Findings): void {
  if (url === undefined || !/^https?:/i.test(url) || !URL.canParse(url)) return;
  const { username, password } = new URL(url);
  if (username === '' && password === '') return;
  const message = 'a user and password in the URL would not be sent';
  findings.error('TG_CONFIG_VALUE', path, message, 'take them out');
}

/** Over http: a token, or the keys it is checked with, could be read or replaced on the way. */
export function refusePlain<Key extends string>(
  settings: { readonly [key in Key]?: string | undefined } & { readonly allowHttp?: unknown },
  key: Key,
  path: Path,
  findings: Findings,
): void {
  const url = settings[key] as string;
  if (!/^http:/i.test(url) || String(settings.allowHttp) === 'true' || !URL.canParse(url)) return;
  const { hostname } = new URL(url);
  if (isLoopback(hostname.replace(/^\[|\]$/g, ''))) return;
  const advice = 'write https://, or say allowHttp: true where the network itself is trusted';
  findings.error('TG_CONFIG_AUTH', [...path, key], 'http: to another machine can be listened to', advice);
}

/** Who may use a route: names, and what excludes what. */
export class RouteAuthCheck {
  private readonly input: ConfigInput;
  private readonly findings: Findings;
  private readonly check: CompileCheck;

  constructor(input: ConfigInput, findings: Findings) {
    this.input = input;
    this.findings = findings;
    this.check = new CompileCheck(findings);
  }

  /** `scope`: what expressions see there. */
  visit(auth: RouteAuthInput | 'none' | undefined, scope: Scope, path: Path): void {
    if (auth === undefined || auth === 'none') return;
    if (auth.with !== undefined) this.providers(auth, path);
    if (auth.allow !== undefined) this.allow(auth.allow, scope, [...path, 'allow']);
    this.decisionPoints(auth, scope, path);
  }

  private providers(auth: RouteAuthInput, path: Path): void {
    const names = Array.isArray(auth.with) ? auth.with : [auth.with];
    const known = Object.keys(this.input.auth ?? {});
    const at = (index: number) => (Array.isArray(auth.with) ? [...path, 'with', index] : [...path, 'with']);
    for (const [index, name] of names.entries()) {
      if (name === undefined || name === 'none' || known.includes(name)) continue;
      const meant = nearest(name, known);
      const all =
        known.length === 0
          ? 'there are no providers: define it under auth'
          : `there are: ${known.join(', ')}`;
      const advice = meant === null ? all : `did you mean "${meant}"?`;
      this.findings.error('TG_CONFIG_REFERENCE', at(index), `there is no provider named "${name}"`, advice);
    }
    if (!names.includes('none')) return;
    if (names.length > 1) {
      const advice = 'say optional: true to let requests without a credential pass';
      const where = at(names.indexOf('none'));
      this.findings.error('TG_CONFIG_CONFLICT', where, '"none" stands beside providers', advice);
    } else this.nobody(auth, path);
  }

  /** `with: none` is a rule about requests, whoever sends them. */
  private nobody(auth: RouteAuthInput, path: Path): void {
    if (auth.allow === undefined && auth.opa === undefined) {
      const advice = 'say allow: CEL, or auth: none for a route that is open to everyone';
      this.findings.error('TG_CONFIG_MISSING', path, 'this guard lets everyone pass', advice, {
        atKey: true,
      });
    }
    for (const key of ['permissions', 'scopes', 'optional', 'passToken', 'forwardAs', 'authzen'] as const) {
      if (auth[key] === undefined || wordOf(auth[key]) === 'false') continue;
      const message = `"${key}" needs to know who is asking, and with: none asks nobody`;
      this.findings.error('TG_CONFIG_CONFLICT', [...path, key], message, 'name a provider', {
        atKey: true,
        also: { path: [...path, 'with'], atKey: true },
      });
    }
  }

  private decisionPoints({ opa, authzen, allowResponse }: RouteAuthInput, scope: Scope, path: Path): void {
    if (opa?.input !== undefined) this.check.value(opa.input, scope, [...path, 'opa', 'input']);
    const places = authzen === undefined ? [] : [{ entry: authzen, at: [...path, 'authzen'] }];
    authzen?.evaluations?.forEach((entry, index) => {
      places.push({
        entry: entry as typeof authzen,
        at: [...path, 'authzen', 'evaluations', index] as never,
      });
    });
    for (const { entry, at } of places) {
      for (const key of ['action', 'resourceType', 'resourceId'] as const)
        if (entry?.[key] !== undefined) this.check.template(entry[key], scope, [...at, key]);
    }
    if (allowResponse === undefined) return;
    const withResponse = extendScope(scope, { response: responseScope.variables.get('response')! });
    this.check.condition(allowResponse, withResponse, [...path, 'allowResponse']);
  }

  /** A bare name is a policy's. */
  private allow(allow: Template, scope: Scope, path: Path): void {
    const policies = Object.keys(this.input.policies ?? {});
    if (typeof allow === 'string' && NAME.test(allow) && allow !== 'true' && allow !== 'false') {
      if (policies.includes(allow)) return this.policyFits(allow, scope, path);
      const meant = nearest(allow, policies);
      const all =
        policies.length === 0
          ? 'there are none: define it under policies'
          : `there are: ${policies.join(', ')}`;
      const advice = meant === null ? all : `did you mean "${meant}"?`;
      this.findings.error('TG_CONFIG_REFERENCE', path, `there is no policy named "${allow}"`, advice);
      return;
    }
    this.check.condition(allow, scope, path);
  }

  /** A policy that reads a parameter which the route's paths don't have refuses everyone. */
  private policyFits(name: string, scope: Scope, path: Path): void {
    const policy = this.input.policies![name]!;
    const [problem] = this.check.problemsOf(policy, scope);
    if (problem === undefined || this.check.problemsOf(policy, requestScope).length > 0) return;
    const message = `the policy "${name}" does not fit this route: ${problem.message}`;
    this.findings.warning('TG_CONFIG_EXPRESSION', path, message, problem.advice);
  }
}

/** A route that opens what another guards. Of a config in which nothing is wrong. */
export function checkLessGuarded(input: ConfigInput, findings: Findings): void {
  const routes = Object.entries(input.routes ?? {});
  const guards = routes.map(([, route]) =>
    routeAuthOf(route.auth ?? input.defaults?.auth, input.policies ?? {}, () => ''),
  );
  if (guards.every((guard) => guard === null)) return;
  const entries = routes.map(([name, route], index) => {
    const match = normaliseMatch(route.match);
    return { route: guards[index]!, name, match, when: match.when === null ? null : () => true };
  });
  for (const { route, over } of findOvertaken(entries, isLessGuarded)) {
    const message = `the route "${route}" takes requests that would else reach "${over}", which is guarded more`;
    const advice = 'if that is meant, fine; else give it the same auth, or a path of its own';
    findings.warning('TG_CONFIG_AUTH', ['routes', route], message, advice, {
      atKey: true,
      also: { path: ['routes', over], atKey: true },
    });
  }
}

/**
 * `allowResponse` decides on the answer to a GET alone: a route that takes none refuses whatever it takes. Of a config in
 * which nothing is wrong.
 */
export function checkSeenAnswers(input: ConfigInput, findings: Findings): void {
  for (const [name, route] of Object.entries(input.routes ?? {})) {
    const auth = route.auth ?? input.defaults?.auth;
    if (typeof auth !== 'object' || auth.allowResponse === undefined) continue;
    const { methods } = normaliseMatch(route.match);
    if (methods.length === 0 || methods.includes('GET')) continue;
    const own = [...(route.auth === undefined ? ['defaults'] : ['routes', name]), 'auth', 'allowResponse'];
    const message = `the route "${name}" takes no GET, and allowResponse lets no other method pass`;
    const advice = 'decide before the service is asked: allow, opa or authzen';
    findings.warning('TG_CONFIG_AUTH', own, message, advice, {
      atKey: true,
      also: { path: ['routes', name, 'match', 'method'], atKey: true },
    });
  }
}

/** Providers that no route names. */
export function checkUnusedProviders(input: ConfigInput, findings: Findings): void {
  const guards = [input.defaults ?? {}, ...Object.values(input.routes ?? {})].map(({ auth }) => auth);
  const used = new Set(guards.flatMap((auth) => (typeof auth === 'object' ? auth.with : [])));
  for (const name of Object.keys(input.auth ?? {})) {
    if (used.has(name)) continue;
    const message = `no route asks the provider "${name}"`;
    findings.warning(
      'TG_CONFIG_UNUSED',
      ['auth', name],
      message,
      'say auth: { with: … } on a route, or in defaults',
      {
        atKey: true,
      },
    );
  }
}
