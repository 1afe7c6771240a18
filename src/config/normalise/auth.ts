import { createHash } from 'node:crypto';
import type {
  ApiKeyConfig,
  AuthzenConfig,
  ClientAuthConfig,
  DecisionPointConfig,
  Expression,
  ForwardConfig,
  JwtConfig,
  OpaConfig,
  ProviderCommon,
  ProviderConfig,
  RouteAuthConfig,
} from '../model.ts';
import { ASYMMETRIC, type ProviderInput, type RouteAuthInput, urlPartsOf } from '../schema/index.ts';
import type { ReadFiles } from './index.ts';
import type { ReadPem } from './listener.ts';
import { durationOf, listOf, record } from './scalars.ts';
import { upstreamTlsOf } from './service.ts';

type Inputs = Readonly<Record<string, ProviderInput>>;
type Of<Kind extends keyof ProviderInput> = NonNullable<ProviderInput[Kind]>;

/** An auth server that takes longer is taken for one that fails, in ms. */
const TIMEOUT = 2000;

export function providersOf(inputs: Inputs, read: ReadFiles): Record<string, ProviderConfig> {
  return record(Object.entries(inputs).map(([name, input]) => [name, providerOf(name, input, read)]));
}

function providerOf(name: string, input: ProviderInput, read: ReadFiles): ProviderConfig {
  if (input.introspection !== undefined) return introspectionOf(name, input.introspection, read);
  if (input.jwt !== undefined) return jwtOf(name, input.jwt, read);
  if (input.forward !== undefined) return forwardOf(name, input.forward, read);
  if (input.mtls !== undefined) return { kind: 'mtls', ...commonOf(name, input.mtls) };
  if (input.basic !== undefined) return basicOf(name, input.basic);
  return apiKeyOf(name, input.apiKey!);
}

export function commonOf(name: string, input: Partial<Omit<Of<'apiKey'>, 'keys'>>): ProviderCommon {
  return {
    name,
    from: input.from === undefined ? null : input.from.map(placeOf),
    crossSite: String(input.crossSite ?? false) === 'true',
    subject: input.subject ?? null,
    permissions: input.permissions ?? null,
    claims: record(Object.entries(input.claims ?? {})),
    tags: listOf(input.tags),
  };
}

function placeOf({ header, query, cookie }: NonNullable<Of<'apiKey'>['from']>[number]) {
  if (header !== undefined) return { in: 'header' as const, name: header.toLowerCase() };
  return query === undefined
    ? { in: 'cookie' as const, name: cookie! }
    : { in: 'query' as const, name: query };
}

function apiKeyOf(name: string, input: Of<'apiKey'>): ProviderConfig {
  return { kind: 'apiKey', ...commonOf(name, input), keys: input.keys.map(keyOf) };
}

function keyOf({
  hash,
  key,
  subject,
  permissions,
  scopes,
  claims,
}: Of<'apiKey'>['keys'][number]): ApiKeyConfig {
  return {
    hash: hash === undefined ? createHash('sha256').update(key!).digest('hex') : hash.slice(7).toLowerCase(),
    subject: subject ?? null,
    permissions: listOf(permissions),
    scopes: listOf(scopes),
    claims: record(Object.entries(claims ?? {})),
  };
}

function basicOf(name: string, input: Of<'basic'>): ProviderConfig {
  const users = input.users.map((user) => ({
    name: user.name,
    password: user.password,
    permissions: listOf(user.permissions),
    scopes: listOf(user.scopes),
    claims: record(Object.entries(user.claims ?? {})),
  }));
  return { kind: 'basic', ...commonOf(name, input), realm: input.realm ?? 'tidegate', users };
}

function introspectionOf(name: string, input: Of<'introspection'>, read: ReadFiles): ProviderConfig {
  return {
    kind: 'introspection',
    ...commonOf(name, input),
    endpoint: input.endpoint,
    clientAuth: clientAuthOf(input, read),
    tls: upstreamTlsOf(input.tls ?? {}, read.pem),
    cache: durationOf(typeof input.cache === 'object' ? input.cache.accept : input.cache, 0),
    timeout: durationOf(input.timeout, TIMEOUT),
    staleIfError: durationOf(input.staleIfError, 0),
    sharesDecisions: sharesDecisions(input.cache),
  };
}

function clientAuthOf(input: Of<'introspection'>, read: ReadFiles): ClientAuthConfig {
  const { clientId, privateKey, keyId = null } = input;
  switch (input.clientAuth ?? (privateKey === undefined ? 'client_secret_basic' : 'private_key_jwt')) {
    case 'client_secret_post':
      return { kind: 'post', clientId, clientSecret: input.clientSecret! };
    case 'private_key_jwt':
      return { kind: 'privateKeyJwt', clientId, privateKey: read.pem(privateKey!), keyId };
    case 'tls_client_auth':
      return { kind: 'mtls', clientId };
    default:
      return { kind: 'basic', clientId, clientSecret: input.clientSecret! };
  }
}

function jwtOf(name: string, input: Of<'jwt'>, read: ReadFiles): ProviderConfig {
  return {
    kind: 'jwt',
    ...commonOf(name, input),
    keys: keySourceOf(input, read),
    issuer: input.issuer ?? null,
    audience: listOf(input.audience),
    algorithms: input.algorithms ?? (input.secret === undefined ? [...ASYMMETRIC] : ['HS256']),
    typ: input.typ === undefined ? null : input.typ.toLowerCase().replace(/^application\//, ''),
    skew: durationOf(input.skew, 5000),
    tls: upstreamTlsOf(input.tls ?? {}, read.pem),
    timeout: durationOf(input.timeout, TIMEOUT),
    allowHttp: String(input.allowHttp ?? false) === 'true',
  };
}

function keySourceOf({ jwks, secret }: Of<'jwt'>, read: ReadFiles): JwtConfig['keys'] {
  if (secret !== undefined) return { kind: 'secret', secret };
  if (jwks === undefined) return { kind: 'discovery' };
  if (/^https?:\/\//i.test(jwks)) return { kind: 'url', url: jwks };
  return { kind: 'file', text: read.bytes(jwks).toString('utf8') };
}

function forwardOf(name: string, input: Of<'forward'>, read: ReadFiles): ProviderConfig {
  return {
    kind: 'forward',
    ...commonOf(name, input),
    ...serverOf(input.url),
    requestHeaders: lower(input.requestHeaders ?? ['authorization', 'cookie']),
    responseHeaders: lower(input.responseHeaders),
    clientHeaders: lower(input.clientHeaders),
    cache: forwardCacheOf(input.cache),
    sharesDecisions: sharesDecisions(input.cache),
    timeout: durationOf(input.timeout, TIMEOUT),
    tls: upstreamTlsOf(input.tls ?? {}, read.pem),
  };
}

/** A path that nothing is filled into is sent as URLs are written. */
function serverOf(url: string): Pick<ForwardConfig, 'server' | 'path'> {
  const { server, path } = urlPartsOf(url);
  if (path.includes('{')) return { server, path: path.startsWith('/') ? path : `/${path}` };
  const { pathname, search } = new URL(url);
  return { server, path: pathname + search };
}

function forwardCacheOf(input: Of<'forward'>['cache']): ForwardConfig['cache'] {
  if (typeof input !== 'object') {
    const kept = durationOf(input, 0);
    return { accept: kept, refuse: kept, key: null };
  }
  return { accept: durationOf(input.accept, 0), refuse: durationOf(input.refuse, 0), key: input.key ?? null };
}

const sharesDecisions = (cache: string | number | { readonly redis?: unknown } | undefined): boolean =>
  typeof cache === 'object' && String(cache.redis ?? false) === 'true';

const lower = (names: string | readonly string[] | undefined): string[] =>
  listOf(names).map((name) => name.toLowerCase());

export function routeAuthOf(
  input: RouteAuthInput | 'none' | undefined,
  policies: Readonly<Record<string, Expression>>,
  read: ReadPem,
): RouteAuthConfig | null {
  if (input === undefined || input === 'none') return null;
  const { allow = null } = input;
  const policy = typeof allow === 'string' && Object.hasOwn(policies, allow) ? allow : null;
  return {
    providers: listOf(input.with).filter((name) => name !== 'none'),
    allow: policy === null ? allow : policies[policy]!,
    policy,
    permissions: listOf(input.permissions),
    scopes: listOf(input.scopes),
    report: String(input.report ?? false) === 'true',
    optional: String(input.optional ?? false) === 'true',
    passToken: String(input.passToken ?? false) === 'true',
    forwardAs: input.forwardAs ?? null,
    opa: input.opa === undefined ? null : opaOf(input.opa, read),
    authzen: input.authzen === undefined ? null : authzenOf(input.authzen, read),
    allowResponse: input.allowResponse ?? null,
  };
}

function opaOf(input: NonNullable<RouteAuthInput['opa']>, read: ReadPem): OpaConfig {
  return { ...decisionPointOf(input, read), input: input.input ?? null };
}

function authzenOf(input: NonNullable<RouteAuthInput['authzen']>, read: ReadPem): AuthzenConfig {
  const { evaluations = [input] } = input;
  return {
    ...decisionPointOf(input, read),
    url: input.url.replace(/\/+$/, ''),
    evaluations: evaluations.map((one) => ({
      action: one.action ?? input.action ?? null,
      resourceType: one.resourceType ?? input.resourceType ?? null,
      resourceId: one.resourceId ?? input.resourceId ?? null,
    })),
  };
}

function decisionPointOf(
  input: Pick<NonNullable<RouteAuthInput['opa']>, 'url' | 'cache' | 'timeout' | 'tls'>,
  read: ReadPem,
): DecisionPointConfig {
  return {
    url: input.url,
    cache: durationOf(input.cache, 0),
    timeout: durationOf(input.timeout, TIMEOUT),
    tls: upstreamTlsOf(input.tls ?? {}, read),
  };
}
