import type { GatewayConfig, RouteAuthConfig, RouteCacheConfig } from '../config/model.ts';
import type { Handover } from '../pipeline/index.ts';
import type { Identity, Provider } from './contract.ts';
import { isGuarded } from './guard.ts';
import { choosing, compileHandover, namesOwner, toldByKey } from './handover/index.ts';
import type { AuthParts } from './parts.ts';
import { AUTHORIZATION } from './places.ts';
import type { ServiceToken } from './service-token/index.ts';
import { type KeyRing, signerFor } from './signing/index.ts';

export interface HandoversParts {
  readonly config: GatewayConfig;
  readonly parts: AuthParts;
  readonly providers: ReadonlyMap<string, Provider>;
  /** What is signed with; null: nothing is. */
  readonly keys: KeyRing | null;
  /** What the gateway shows services of itself, by service. */
  readonly tokens: ReadonlyMap<string, ServiceToken>;
}

const EVERYTHING = { subject: true, permissions: true };

/** What services are told of who asks, and what a client may not tell them, in one config. */
export class Handovers {
  private readonly of: HandoversParts;

  constructor(of: HandoversParts) {
    this.of = of;
  }

  /** For requests of a route that are proxied. */
  ofRoute(auth: RouteAuthConfig | null, service: string, cache: RouteCacheConfig | null): Handover | null {
    const whole = this.handoverOf(auth, service, EVERYTHING, true);
    if (cache === null || !isGuarded(auth)) return whole;
    const kept = this.handoverOf(auth, service, toldByKey(cache), false, this.beyondKey(cache));
    if (whole === null && kept === null) return null;
    // Requests that are never answered from the cache keep all of it.
    return choosing(({ method }) => (cache.policy.methods.includes(method) ? kept : whole));
  }

  /**
   * For a call of an aggregate. What comes of it may be kept twice, as its own answer and in the whole: its
   * service is told no more than both keys hold. A cache that does not say whose its answers are has all of the identity
   * in its key.
   */
  ofCall(
    auth: RouteAuthConfig | null,
    service: string,
    whole: RouteCacheConfig | null,
    own: RouteCacheConfig | null,
  ): Handover | null {
    if (!isGuarded(auth)) return this.handoverOf(auth, service, EVERYTHING, true);
    const told = (caches: readonly (RouteCacheConfig | null)[]) => {
      const keys = caches.filter((cache) => cache !== null).map(toldByKey);
      const subject = keys.every((key) => key.subject);
      const permissions = keys.every((key) => key.permissions);
      return this.handoverOf(auth, service, { subject, permissions }, keys.length === 0, [], true);
    };
    const named = own !== null && namesOwner(own) ? own : null;
    const [none, inWhole, alone, twice] = [told([]), told([whole]), told([named]), told([whole, named])];
    return choosing(({ method, madeFor }) => {
      const keepsWhole = whole?.policy.methods.includes(madeFor?.method ?? method) ?? false;
      const keepsOwn = named?.policy.methods.includes(method) ?? false;
      if (keepsWhole) return keepsOwn ? twice : inWhole;
      return keepsOwn ? alone : none;
    });
  }

  private handoverOf(
    auth: RouteAuthConfig | null,
    service: string,
    tells: typeof EVERYTHING,
    withScopes: boolean,
    beyondKey: readonly string[] = [],
    hands = false,
  ): Handover | null {
    const { config, keys, parts, providers, tokens } = this.of;
    const asked = auth?.providers ?? [];
    // A service gets one Authorization: the gateway's own credential for it leaves no room for another.
    const signs = auth?.forwardAs === 'jwt' && keys !== null && !tokens.has(service);
    const as = signs ? (tells.subject ? signerFor(service, keys, parts, withScopes) : null) : 'headers';
    // Neither the client's credential nor what its provider says of it, where the key does not name the subject.
    const unsaid = tells.subject ? [] : asked.flatMap((name) => tellingHeaders(providers.get(name)!));
    return compileHandover<Identity>({
      names: config.identity,
      as: asked.length === 0 ? null : as,
      tells,
      hands,
      forbidden: [
        ...this.foreignHeaders(asked),
        ...(signs || tokens.has(service) ? ['authorization'] : []),
        ...unsaid,
        ...beyondKey,
      ],
      headAlone: asked.flatMap((name) => providers.get(name)!.serviceHeaders),
    });
  }

  /** What else of a client's headers shows who asks, to the service or to any provider, where the key does not hold it. */
  private beyondKey(cache: RouteCacheConfig): readonly string[] {
    if (toldByKey(cache).subject) return [];
    const places = [AUTHORIZATION, ...[...this.of.providers.values()].flatMap((provider) => provider.places)];
    const inKey = headersInKey(cache);
    return places.flatMap((place) => (place.in === 'header' && !inKey(place.name) ? [place.name] : []));
  }

  /**
   * What providers that this route does not ask answer with elsewhere: a service that believes it must not get a
   * client's own. But for those that have a meaning of their own.
   */
  private foreignHeaders(asked: readonly string[]): string[] {
    const others = [...this.of.providers].filter(([name]) => !asked.includes(name));
    const own = asked.flatMap((name) => this.of.providers.get(name)!.serviceHeaders);
    return others
      .flatMap(([, provider]) => provider.serviceHeaders)
      .filter((name) => !own.includes(name) && name !== 'authorization' && name !== 'cookie');
  }
}

function headersInKey({ key, vary }: RouteCacheConfig): (name: string) => boolean {
  const varying = String(vary ?? '').toLowerCase();
  const isRead = (name: string) => varying.includes(`"${name}"`) || varying.includes(`.${name}`);
  return (name) => key.headers.includes(name) || isRead(name);
}

function tellingHeaders({ places, serviceHeaders }: Provider): string[] {
  const shown = places.filter((place) => place.in === 'header').map(({ name }) => name);
  return [...shown, ...serviceHeaders];
}
