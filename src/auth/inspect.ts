import { randomBytes } from 'node:crypto';
import type { DecisionPointConfig, GatewayConfig, ProviderConfig } from '../config/model.ts';
import { Failure } from '../http/errors.ts';
import { Endpoint, type RequestOfCall } from './call/index.ts';
import { IntrospectionProtocol } from './introspection-protocol.ts';
import { Issuer } from './jwt/index.ts';
import type { AuthParts } from './parts.ts';

/** What came of asking one server of those that decide who may do what. */
export interface AuthServerFinding {
  /** Where the config names it: `auth.main`. */
  readonly name: string;
  /** Scheme, host and port. */
  readonly server: string;
  /** Null where it failed. */
  readonly milliseconds: number | null;
  readonly error: string | null;
}

interface Server {
  readonly name: string;
  readonly url: string;
  ask(): Promise<Failure | null>;
}

/**
 * Asks each server that guards will ask, once, in nobody's name: an issuer for its keys, an introspection endpoint about a
 * token that nobody has, the others for any answer.
 */
export function inspectAuthServers(config: GatewayConfig, parts: AuthParts): Promise<AuthServerFinding[]> {
  return Promise.all(serversOf(config, parts).map(finding));
}

async function finding({ name, url, ask }: Server): Promise<AuthServerFinding> {
  const { origin } = new URL(url);
  const began = performance.now();
  const failure = await ask();
  if (failure === null)
    return { name, server: origin, milliseconds: Math.round(performance.now() - began), error: null };
  const error = failure.cause.replace(`${name} (${origin}): `, '');
  return { name, server: origin, milliseconds: null, error };
}

function serversOf({ auth, routes, services }: GatewayConfig, parts: AuthParts): Server[] {
  const servers = Object.values(auth).flatMap((provider) => ofProvider(provider, parts) ?? []);
  for (const { name, auth: own } of Object.values(services)) {
    if (own === null) continue;
    const { tokenEndpoint: url, tls, timeout } = own.clientCredentials;
    servers.push(reached(`services.${name}.auth`, { url, tls, timeout }, parts));
  }
  // Those of defaults stand on many routes.
  const points = new Map<string, Server>();
  for (const { name, auth: guard } of Object.values(routes)) {
    for (const [kind, point] of Object.entries({ opa: guard?.opa, authzen: guard?.authzen })) {
      if (point == null || points.has(point.url)) continue;
      points.set(point.url, reached(`routes.${name}.auth.${kind}`, point, parts));
    }
  }
  return [...servers, ...points.values()];
}

/** Null: it asks nobody. */
function ofProvider(provider: ProviderConfig, parts: AuthParts): Server | null {
  const name = `auth.${provider.name}`;
  switch (provider.kind) {
    case 'introspection': {
      const { endpoint: url, tls } = provider;
      const protocol = new IntrospectionProtocol(provider, new Endpoint(name, url, tls, parts));
      return { name, url, ask: async () => failureIn(await protocol.ask(nobodysToken(), null)) };
    }
    case 'jwt':
      return ofIssuer({ ...provider, name }, parts);
    case 'forward': {
      const { server: url, path, tls, timeout } = provider;
      // Of a path that each request fills in nobody knows what it answers to none.
      if (path.includes('{')) return reached(name, { url, tls, timeout }, parts);
      return answering(name, { url: url + path, tls, timeout }, parts, isDecision);
    }
    default:
      return null;
  }
}

function ofIssuer(config: ProviderConfig & { kind: 'jwt' }, parts: AuthParts): Server | null {
  const { name, keys, issuer } = config;
  if (keys.kind !== 'discovery' && keys.kind !== 'url') return null;
  const ask = async () => {
    const found = await new Issuer(config, parts).keys();
    if (found instanceof Failure) return found;
    return found.size > 0 ? null : new Failure('TG_AUTH_UNAVAILABLE', 'none of its keys can be used');
  };
  return { name, url: keys.kind === 'url' ? keys.url : issuer!, ask };
}

type Asked = Pick<DecisionPointConfig, 'url' | 'tls' | 'timeout'>;

function reached(name: string, asked: Asked, parts: AuthParts): Server {
  return answering(name, asked, parts, () => true);
}

function answering(
  name: string,
  { url, tls, timeout }: Asked,
  parts: AuthParts,
  isGood: (status: number) => boolean,
): Server {
  const endpoint = new Endpoint(name, url, tls, parts);
  const { pathname, search } = new URL(url);
  const question: RequestOfCall = { method: 'GET', target: pathname + search, headers: [], body: null };
  const ask = async () => {
    const answer = await endpoint.call(question, timeout);
    if (answer instanceof Failure) return answer;
    return isGood(answer.status) ? null : endpoint.failed(`it answers ${answer.status}`);
  };
  return { name, url, ask };
}

/** Of a request that shows nothing; anything else would be 503. */
function isDecision(status: number): boolean {
  return (status >= 200 && status <= 399) || status === 401 || status === 403;
}

function nobodysToken(): string {
  return randomBytes(24).toString('base64url');
}

function failureIn(answered: unknown): Failure | null {
  return answered instanceof Failure ? answered : null;
}
