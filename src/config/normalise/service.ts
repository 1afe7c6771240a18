import { usualPort } from '../../util/service-scheme.ts';
import type {
  ClientCredentialsConfig,
  HostConfig,
  ServiceConfig,
  Template,
  TimeoutConfig,
  UpstreamTlsConfig,
} from '../model.ts';
import { parseServiceUrl } from '../schema/service-url.ts';
import type { ServiceInput, TimeoutInput } from '../schema/types.ts';
import type { ReadPem } from './listener.ts';
import { breakerOf, healthOf, retriesOf } from './resilience.ts';
import { countOf, durationOf, listOf, record } from './scalars.ts';
import { transformOf } from './transform.ts';

export function normaliseService(name: string, input: ServiceInput, readPem: ReadPem): ServiceConfig {
  const { pool = {} } = input;
  return {
    name,
    targets: targetsOf(input),
    discover: discoverOf(input.discover, readPem),
    timeout: timeoutOf(input.timeout),
    host: hostOf(input.host),
    tls: upstreamTlsOf(input.tls ?? {}, readPem),
    pool: { connections: countOf(pool.connections, 100), idle: durationOf(pool.idle, 4000) },
    pipelining: countOf(input.pipelining, 1),
    balance: balanceOf(input.balance),
    health: healthOf(input.health),
    retries: retriesOf(input.retries),
    breaker: breakerOf(input.breaker),
    request: transformOf(input.request),
    response: transformOf(input.response),
    auth: input.auth === undefined ? null : { clientCredentials: clientCredentialsOf(input.auth, readPem) },
  };
}

const TOKEN_TIMEOUT = 2000;

function clientCredentialsOf(
  { clientCredentials: input }: NonNullable<ServiceInput['auth']>,
  readPem: ReadPem,
): ClientCredentialsConfig {
  const { tokenEndpoint, clientId, clientSecret } = input;
  return {
    tokenEndpoint,
    clientId,
    clientSecret,
    clientAuth: input.clientAuth === 'client_secret_post' ? 'post' : 'basic',
    scope: input.scope === undefined ? null : listOf(input.scope).join(' '),
    params: record(Object.entries(input.params ?? {})),
    timeout: durationOf(input.timeout, TOKEN_TIMEOUT),
    tls: upstreamTlsOf(input.tls ?? {}, readPem),
  };
}

/** TLS toward a service or Redis. */
export function upstreamTlsOf(tls: NonNullable<ServiceInput['tls']>, readPem: ReadPem): UpstreamTlsConfig {
  const pem = (text: string | undefined) => (text === undefined ? null : readPem(text));
  return {
    ca: pem(tls.ca),
    cert: pem(tls.cert),
    key: pem(tls.key),
    serverName: tls.serverName ?? null,
    verify: String(tls.verify ?? true) === 'true',
  };
}

function discoverOf(input: ServiceInput['discover'], readPem: ReadPem): ServiceConfig['discover'] {
  if (input === undefined) return null;
  const { dns, consul, name, kubernetes, api, port, token = null, scheme = 'http' } = input;
  const asked = (url: string) => ({
    url: url.replace(/\/+$/, ''),
    token,
    tls: upstreamTlsOf(input.tls ?? {}, readPem),
  });
  if (consul !== undefined) return { kind: 'consul', ...asked(consul), name: String(name), scheme };
  if (kubernetes !== undefined) {
    const [namespace, service] = kubernetes.split('/') as [string, string];
    return {
      kind: 'kubernetes',
      namespace,
      name: service,
      port: port ?? null,
      api: api === undefined ? null : asked(api),
      scheme,
    };
  }
  return {
    kind: 'dns',
    name: String(dns),
    type: input.type ?? 'A',
    scheme,
    port: countOf(port, usualPort(scheme)),
  };
}

function balanceOf(input: ServiceInput['balance']): ServiceConfig['balance'] {
  if (input === 'roundRobin') return { kind: 'roundRobin' };
  if (typeof input !== 'object') return { kind: 'leastRequests' };
  if (input.cookie !== undefined) return { kind: 'cookie', name: input.cookie };
  return { kind: 'hash', key: input.hash ?? 'null' };
}

/** One that is listed twice is one, with the weight of both. */
function targetsOf(input: ServiceInput): ServiceConfig['targets'] {
  const targets = input.targets ?? (input.url === undefined ? [] : [input.url]);
  const places = new Map<string, ServiceConfig['targets'][number]>();
  for (const target of targets) {
    const { url, weight } = typeof target === 'string' ? { url: target, weight: undefined } : target;
    const place = parseServiceUrl(url);
    const key = JSON.stringify(place);
    places.set(key, { ...place, weight: countOf(weight, 1) + (places.get(key)?.weight ?? 0) });
  }
  return [...places.values()];
}

/** Only what is said; a duration alone bounds the time to the head of the answer. */
export function timeoutOf(input: TimeoutInput | undefined): TimeoutConfig {
  if (input === undefined) return {};
  if (typeof input === 'string') return { response: durationOf(input, 0) };
  const timeout: TimeoutConfig = {};
  for (const key of ['response', 'connect', 'firstByte', 'idle', 'total'] as const) {
    if (input[key] !== undefined) timeout[key] = durationOf(input[key], 0);
  }
  return timeout;
}

export function hostOf(input: Template | undefined): HostConfig | null {
  if (input === undefined || input === 'none') return null;
  return input === 'client' || input === 'service' ? { kind: input } : { kind: 'template', template: input };
}
