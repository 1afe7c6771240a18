import type {
  DecisionPointConfig,
  ForwardConfig,
  GatewayConfig,
  IntrospectionConfig,
  ProviderConfig,
  RouteAuthConfig,
  RouteCacheConfig,
} from '../config/model.ts';
import type { ExchangeVariables, Scope } from '../expression/index.ts';
import type { Exchange } from '../http/exchange.ts';
import type {
  CompiledRoute,
  Dispatch,
  Filter,
  Handover,
  ServiceCredential,
  WellKnown,
} from '../pipeline/index.ts';
import { type Logger, Seldom } from '../telemetry/index.ts';
import type { Resolver } from '../upstream/index.ts';
import type { Clock } from '../util/clock.ts';
import type { Random } from '../util/random.ts';
import { ApiKeyProvider } from './api-key.ts';
import { BasicProvider } from './basic.ts';
import type { Endpoint } from './call/index.ts';
import type {
  Identity,
  Provider,
  Remembrance,
  RevocationFences,
  SharedRecords,
  SharedSeen,
} from './contract.ts';
import { DecisionPoint } from './decision-point.ts';
import { Possession } from './dpop/index.ts';
import { ForwardProvider } from './forward.ts';
import { Guard } from './guard.ts';
import { choosing, compileHandover, toldByKey } from './handover/index.ts';
import { IntrospectionProvider } from './introspection.ts';
import { JwtProvider } from './jwt/index.ts';
import { LiveCredentials } from './live.ts';
import { MtlsProvider } from './mtls.ts';
import { outsidePermit } from './outside.ts';
import { dropOverrides } from './overrides.ts';
import { compilePermit, type Tell } from './permit.ts';
import { AUTHORIZATION } from './places.ts';
import { authzenQuestion, opaQuestion, type Question } from './questions.ts';
import { permitResponse } from './response-permit.ts';
import { ServiceToken } from './service-token/index.ts';
import { SharedDecisions } from './shared-decisions.ts';
import { compileShowing, type Shows } from './showing.ts';
import { type KeyRing, keySetAnswer, Signing, signerFor } from './signing/index.ts';
import { newTally, type Tally } from './tally.ts';

/** What providers need of the gateway around them. */
export interface AuthParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly resolver: Resolver;
  /** Servers that are asked, for their end. */
  readonly endpoints: Set<Endpoint>;
  readonly fences: RevocationFences;
  /** What workers, and nodes that share a store, have in common, and nobody else knows: their keys are made from it. */
  readonly nodeSecret: () => string;
  /** May what was found out before be used? */
  readonly memory: Remembrance;
  /** What nodes keep together; null: there are no others. */
  readonly records: SharedRecords | null;
  /** What counts once, for other workers and nodes too. */
  readonly seenElsewhere: readonly SharedSeen[];
  /** The variables of expressions, for an exchange. */
  variables(exchange: Exchange): ExchangeVariables;
}

/**
 * Keeps what outlives a reload: providers with their keys, connections and decisions, each under a key of just
 * what its config says. A snapshot claims what it uses; what the newest doesn't use is closed.
 */
export class AuthRoom {
  private readonly parts: AuthParts;
  private standing = new Map<string, Closable>();
  private made = 0;
  /** Tunnels and event streams under way. */
  readonly live: LiveCredentials;
  private readonly signing: Signing;
  private readonly possession: Possession;
  private readonly seldom: Seldom;
  private readonly tallies = new Map<string, Tally>();

  constructor(parts: Omit<AuthParts, 'endpoints'>) {
    this.parts = { ...parts, endpoints: new Set() };
    this.possession = new Possession(parts.clock, parts.seenElsewhere);
    this.seldom = new Seldom(parts.log, parts.clock);
    this.signing = new Signing(parts.nodeSecret, parts.clock);
    this.live = new LiveCredentials(parts.clock, parts.fences, parts.memory);
  }

  /** Compiles all providers of a config; `commit` makes them the ones in force. */
  compile(config: GatewayConfig): { auth: CompiledAuth; commit(): void } {
    const claimed = new Map<string, Closable>();
    const claim: Claim = (key, make) => this.claim(key, make, claimed);
    const providers = new Map<string, Provider>();
    for (const provider of Object.values(config.auth)) {
      providers.set(
        provider.name,
        claim(this.keyOf(provider), () => this.provider(provider)),
      );
    }
    const tokens = this.serviceTokens(config, claim);
    const signs = Object.values(config.routes).some(({ auth }) => auth?.forwardAs === 'jwt');
    const keys = signs ? this.signing.ring(config.signing.key) : null;
    const guardsAny = Object.values(config.routes).some(({ auth }) => auth !== null);
    return {
      auth: new CompiledAuth({
        config,
        providers,
        parts: this.parts,
        live: this.live,
        possession: this.possession,
        seldom: this.seldom,
        tallyOf: (name) => this.tallyOf(name),
        keys,
        tokens,
        guardsAny,
        claim,
      }),
      commit: () => {
        this.commit(claimed);
        if (keys !== null) this.signing.commit(keys);
      },
    };
  }

  /** What providers made of credentials since the start, by provider and outcome. */
  outcomes(): Readonly<Record<string, Readonly<Record<string, number>>>> {
    return Object.fromEntries([...this.tallies].map(([name, tally]) => [name, { ...tally }]));
  }

  close(): void {
    this.live.close();
    for (const endpoint of this.parts.endpoints) endpoint.destroy();
    this.commit(new Map());
  }

  private tallyOf(provider: string): Tally {
    let tally = this.tallies.get(provider);
    if (tally === undefined) {
      tally = newTally();
      this.tallies.set(provider, tally);
    }
    return tally;
  }

  private provider(config: ProviderConfig): Provider {
    switch (config.kind) {
      case 'mtls':
        return new MtlsProvider(config, this.parts);
      case 'basic':
        return new BasicProvider(config);
      case 'apiKey':
        return new ApiKeyProvider(config);
      case 'introspection':
        return new IntrospectionProvider(config, this.parts, this.sharedDecisions(config));
      case 'jwt':
        return new JwtProvider(config, this.parts);
      case 'forward':
        return new ForwardProvider(config, this.parts, this.sharedDecisions(config));
    }
  }

  private sharedDecisions(config: IntrospectionConfig | ForwardConfig): SharedDecisions | null {
    const { records, clock } = this.parts;
    if (!config.sharesDecisions || records === null) return null;
    return new SharedDecisions(records, this.keyOf(config), clock);
  }

  /** What a function does can't be told by its text: what has one is made anew. */
  private keyOf(config: object): string {
    let functions = 0;
    const text = JSON.stringify(config, (_, value) => {
      if (typeof value === 'function') functions++;
      return value;
    });
    return functions === 0 ? text : `${this.made++} ${text}`;
  }

  private claim<T extends Closable>(key: string, make: () => T, claimed: Map<string, Closable>): T {
    const kept = (claimed.get(key) ?? this.standing.get(key) ?? make()) as T;
    claimed.set(key, kept);
    return kept;
  }

  private serviceTokens(config: GatewayConfig, claim: Claim): ReadonlyMap<string, ServiceToken> {
    const tokens = new Map<string, ServiceToken>();
    for (const { name, auth } of Object.values(config.services)) {
      if (auth === null) continue;
      const { clientCredentials } = auth;
      const key = `service ${JSON.stringify([name, clientCredentials])}`;
      tokens.set(
        name,
        claim(key, () => new ServiceToken(name, clientCredentials, this.parts)),
      );
    }
    return tokens;
  }

  private commit(claimed: Map<string, Closable>): void {
    for (const [key, provider] of this.standing) if (claimed.get(key) !== provider) provider.close();
    this.standing = claimed;
  }
}

interface Closable {
  close(): void;
}

/** What stands under a key already, or something new. */
type Claim = <T extends Closable>(key: string, make: () => T) => T;

interface CompiledParts {
  readonly config: GatewayConfig;
  readonly providers: ReadonlyMap<string, Provider>;
  readonly parts: AuthParts;
  readonly live: LiveCredentials;
  readonly possession: Possession;
  readonly seldom: Seldom;
  /** Where what a provider decides is counted. */
  tallyOf(provider: string): Tally;
  /** What is signed with; null: nothing is. */
  readonly keys: KeyRing | null;
  /** By service. */
  readonly tokens: ReadonlyMap<string, ServiceToken>;
  /** Some route of the config is guarded. */
  readonly guardsAny: boolean;
  readonly claim: Claim;
}

/** The providers of one config, for its routes. */
export class CompiledAuth {
  private readonly of: CompiledParts;

  constructor(of: CompiledParts) {
    this.of = of;
  }

  /** What the gateway shows a service of itself. */
  credential(service: string): ServiceCredential | null {
    return this.of.tokens.get(service) ?? null;
  }

  /** What a service is told of who asks, and what a client may not tell it. */
  handover(auth: RouteAuthConfig | null, service: string, cache: RouteCacheConfig | null): Handover | null {
    const whole = this.handoverOf(auth, service, EVERYTHING, true);
    if (cache === null || !isGuarded(auth)) return whole;
    const kept = this.handoverOf(auth, service, toldByKey(cache), false, this.beyondKey(cache));
    if (whole === null && kept === null) return null;
    // Requests that are never answered from the cache keep all of it.
    return choosing(({ method }) => (cache.policy.methods.includes(method) ? kept : whole));
  }

  /**
   * The same for a call of an aggregate. What comes of it may be kept twice, as its own answer and in the whole: its
   * service is told no more than both keys hold. A cache that does not say whose its answers are has all of the identity
   * in its key.
   */
  callHandover(
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
      return this.handoverOf(auth, service, { subject, permissions }, keys.length === 0);
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

  /** What a route is shown of who asks, by an aggregate that asks it: `providers` of it, and of those it asks in turn. */
  showing(providers: readonly string[], whole: RouteCacheConfig | null): Shows {
    const asked = providers.map((name) => this.of.providers.get(name)!);
    return compileShowing(asked, whole, this.of.providers);
  }

  private handoverOf(
    auth: RouteAuthConfig | null,
    service: string,
    tells: typeof EVERYTHING,
    withScopes: boolean,
    beyondKey: readonly string[] = [],
  ): Handover | null {
    const { config, keys, parts, providers } = this.of;
    const asked = auth?.providers ?? [];
    const signs = auth?.forwardAs === 'jwt' && keys !== null;
    const as = signs ? (tells.subject ? signerFor(service, keys, parts, withScopes) : null) : 'headers';
    // Neither the client's credential nor what its provider says of it, where the key does not name the subject.
    const unsaid = tells.subject ? [] : asked.flatMap((name) => tellingHeaders(providers.get(name)!));
    return compileHandover<Identity>({
      names: config.identity,
      as: asked.length === 0 ? null : as,
      tells,
      forbidden: [
        ...this.foreignHeaders(asked),
        ...(signs || this.credential(service) !== null ? ['authorization'] : []),
        ...unsaid,
        ...beyondKey,
      ],
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

  /** What the gateway answers itself at addresses that services know by heart; null: nothing. */
  wellKnown(): WellKnown | null {
    const { keys, parts } = this.of;
    return keys === null ? null : (exchange) => keySetAnswer(exchange, keys, parts.clock.wall());
  }

  /**
   * The dispatch of a route, outside of whatever caches it: of a guarded one, what goes on for long ends with its
   * credential, and answers that may not be seen are withheld.
   */
  dispatch(config: RouteAuthConfig | null, dispatch: Dispatch, scope: Scope): Dispatch {
    const { live, parts } = this.of;
    const seen =
      config?.allowResponse == null
        ? dispatch
        : permitResponse(config.allowResponse, scope, parts.variables, dispatch);
    return isGuarded(config) ? live.watching(seen) : seen;
  }

  /** The steps that guard a route: who asks, and what they may. Empty where it is open. */
  filters(config: RouteAuthConfig | null, scope: Scope): Filter[] {
    const { guardsAny, parts } = this.of;
    const overrides = guardsAny ? [dropOverrides] : [];
    if (config === null) return overrides;
    const providers = config.providers.map((name) => this.of.providers.get(name)!);
    const permit = compilePermit(config, providers, scope, parts.variables, this.tell);
    const { possession, tallyOf } = this.of;
    const { fences } = parts;
    const guard =
      providers.length === 0 ? null : new Guard({ ...config, providers, fences, possession, tallyOf });
    return [...overrides, guard, permit, ...this.outside(config, scope)].filter((filter) => filter !== null);
  }

  private readonly tell = (exchange: Exchange, why: string): void => {
    const route = exchange.route as CompiledRoute | null;
    route?.counter.reported();
    this.of.seldom.warn('a rule on trial would refuse requests', { route: route?.name, why });
  };

  /** What a route asks for that can be said without asking anybody, be it on trial or not; null: nothing. */
  permit(config: RouteAuthConfig, scope: Scope): Filter | null {
    const providers = config.providers.map((name) => this.of.providers.get(name)!);
    return compilePermit({ ...config, report: false }, providers, scope, this.of.parts.variables, this.tell);
  }

  private outside({ opa, authzen, report }: RouteAuthConfig, scope: Scope): Filter[] {
    const permits: Filter[] = [];
    const tell = report ? this.tell : null;
    if (opa !== null) permits.push(this.point('opa', opa, opaQuestion(opa, scope), tell));
    if (authzen !== null) permits.push(this.point('authzen', authzen, authzenQuestion(authzen, scope), tell));
    return permits;
  }

  private point(name: string, config: DecisionPointConfig, question: Question, tell: Tell | null): Filter {
    const { parts, claim } = this.of;
    const { url, cache, timeout, tls } = config;
    const own = { url, cache, timeout, tls };
    const point = claim(`${name} ${JSON.stringify(own)}`, () => new DecisionPoint(name, own, parts));
    return outsidePermit(point, question, parts.variables, tell);
  }
}

/** Does it say whose the answers are? */
export function namesOwner(cache: RouteCacheConfig): boolean {
  return cache.private || cache.policy.owner !== 'none';
}

const EVERYTHING = { subject: true, permissions: true };

function headersInKey({ key, vary }: RouteCacheConfig): (name: string) => boolean {
  const varying = String(vary ?? '').toLowerCase();
  const isRead = (name: string) => varying.includes(`"${name}"`) || varying.includes(`.${name}`);
  return (name) => key.headers.includes(name) || isRead(name);
}

function tellingHeaders({ places, serviceHeaders }: Provider): string[] {
  const shown = places.filter((place) => place.in === 'header').map(({ name }) => name);
  return [...shown, ...serviceHeaders];
}

/** Can a provider authenticate requests of this route? */
export function isGuarded(config: RouteAuthConfig | null): boolean {
  return config !== null && config.providers.length > 0;
}
