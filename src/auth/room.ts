import type { GatewayConfig, ProviderConfig, RouteAuthConfig } from '../config/model.ts';
import type { ExchangeVariables, Scope } from '../expression/index.ts';
import type { Exchange } from '../http/exchange.ts';
import type { Dispatch, Filter, Handover, ServiceCredential, WellKnown } from '../pipeline/index.ts';
import type { Logger } from '../telemetry/index.ts';
import type { Resolver } from '../upstream/index.ts';
import type { Clock } from '../util/clock.ts';
import type { Random } from '../util/random.ts';
import { ApiKeyProvider } from './api-key.ts';
import type { Identity, Provider, RevocationFences } from './contract.ts';
import { ForwardProvider } from './forward.ts';
import { Guard } from './guard.ts';
import { compileHandover } from './handover/index.ts';
import { IntrospectionProvider } from './introspection.ts';
import { JwtProvider } from './jwt/index.ts';
import { LiveCredentials } from './live.ts';
import { dropOverrides } from './overrides.ts';
import { compilePermit } from './permit.ts';
import { ServiceToken } from './service-token/index.ts';
import { type KeyRing, keySetAnswer, Signing, signerFor } from './signing/index.ts';

/** What providers need of the gateway around them. */
export interface AuthParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly resolver: Resolver;
  readonly fences: RevocationFences;
  /** What the workers of this node share, and nobody else knows: from it they make the keys they sign with. */
  readonly nodeSecret: string;
  /** The variables of expressions, for an exchange. */
  variables(exchange: Exchange): ExchangeVariables;
}

/**
 * Keeps what outlives a reload: providers with their keys, connections and decisions, each under a key of just
 * what its config says. A snapshot claims what it uses; what the newest doesn't use is closed.
 */
export class AuthRoom {
  private readonly parts: AuthParts;
  private standing = new Map<string, Provider>();
  private tokens = new Map<string, ServiceToken>();
  /** Tunnels and event streams under way. */
  readonly live: LiveCredentials;
  private readonly signing: Signing;

  constructor(parts: AuthParts) {
    this.parts = parts;
    this.signing = new Signing(parts.nodeSecret, parts.clock);
    this.live = new LiveCredentials(parts.clock, parts.fences);
  }

  /** Compiles all providers of a config; `commit` makes them the ones in force. */
  compile(config: GatewayConfig): { auth: CompiledAuth; commit(): void } {
    const claimed = new Map<string, Provider>();
    const providers = new Map<string, Provider>();
    for (const provider of Object.values(config.auth)) {
      const key = JSON.stringify(provider, (_, value) =>
        typeof value === 'function' ? String(value) : value,
      );
      const kept = this.standing.get(key) ?? this.provider(provider);
      claimed.set(key, kept);
      providers.set(provider.name, kept);
    }
    const tokens = this.serviceTokens(config);
    const signs = Object.values(config.routes).some(({ auth }) => auth?.forwardAs === 'jwt');
    const keys = signs ? this.signing.ring(config.signing.key) : null;
    const guardsAny = Object.values(config.routes).some(({ auth }) => auth !== null);
    return {
      auth: new CompiledAuth({
        config,
        providers,
        parts: this.parts,
        live: this.live,
        keys,
        guardsAny,
        tokens: tokens.byService,
      }),
      commit: () => {
        this.commit(claimed);
        this.tokens = replaced(this.tokens, tokens.claimed);
        if (keys !== null) this.signing.commit(keys);
      },
    };
  }

  close(): void {
    this.live.close();
    this.commit(new Map());
    this.tokens = replaced(this.tokens, new Map());
  }

  private provider(config: ProviderConfig): Provider {
    switch (config.kind) {
      case 'apiKey':
        return new ApiKeyProvider(config);
      case 'introspection':
        return new IntrospectionProvider(config, this.parts);
      case 'jwt':
        return new JwtProvider(config, this.parts);
      case 'forward':
        return new ForwardProvider(config, this.parts);
    }
  }

  private serviceTokens(config: GatewayConfig) {
    const claimed = new Map<string, ServiceToken>();
    const byService = new Map<string, ServiceToken>();
    for (const { name, auth } of Object.values(config.services)) {
      if (auth === null) continue;
      const key = JSON.stringify([name, auth]);
      const token = this.tokens.get(key) ?? new ServiceToken(name, auth.clientCredentials, this.parts);
      claimed.set(key, token);
      byService.set(name, token);
    }
    return { claimed, byService };
  }

  private commit(claimed: Map<string, Provider>): void {
    this.standing = replaced(this.standing, claimed);
  }
}

/** What is not claimed any more is closed. */
function replaced<Kept extends { close(): void }>(
  standing: ReadonlyMap<string, Kept>,
  claimed: Map<string, Kept>,
): Map<string, Kept> {
  for (const [key, one] of standing) if (claimed.get(key) !== one) one.close();
  return claimed;
}

export interface CompiledParts {
  readonly config: GatewayConfig;
  readonly providers: ReadonlyMap<string, Provider>;
  readonly parts: AuthParts;
  readonly live: LiveCredentials;
  /** What is signed with; null: nothing is. */
  readonly keys: KeyRing | null;
  readonly tokens: ReadonlyMap<string, ServiceToken>;
  /** Some route of the config is guarded. */
  readonly guardsAny: boolean;
}

/** The providers of one config, for its routes. */
export class CompiledAuth {
  private readonly given: CompiledParts;

  constructor(given: CompiledParts) {
    this.given = given;
  }

  /** What the gateway shows a service of itself. */
  credential(service: string): ServiceCredential | null {
    return this.given.tokens.get(service) ?? null;
  }

  /** What a service is told of who asks, and what a client may not tell it. */
  handover(auth: RouteAuthConfig | null, service: string): Handover | null {
    const { config, keys, parts } = this.given;
    const asked = auth?.providers ?? [];
    const signs = auth?.forwardAs === 'jwt' && keys !== null;
    return compileHandover<Identity>({
      names: config.identity,
      as: asked.length === 0 ? null : signs ? signerFor(service, keys, parts) : 'headers',
      tells: { subject: true, permissions: true },
      forbidden: [
        ...this.foreignHeaders(asked),
        ...(this.credential(service) === null ? [] : ['authorization']),
      ],
    });
  }

  /**
   * What providers that this route does not ask answer with elsewhere: a service that believes it must not get a
   * client's own. But for those that have a meaning of their own.
   */
  private foreignHeaders(asked: readonly string[]): string[] {
    const others = [...this.given.providers].filter(([name]) => !asked.includes(name));
    const own = asked.flatMap((name) => this.given.providers.get(name)!.serviceHeaders);
    return others
      .flatMap(([, provider]) => provider.serviceHeaders)
      .filter((name) => !own.includes(name) && name !== 'authorization' && name !== 'cookie');
  }

  /** What the gateway answers itself at addresses that services know by heart; null: nothing. */
  wellKnown(): WellKnown | null {
    const { keys, parts } = this.given;
    return keys === null ? null : (exchange) => keySetAnswer(exchange, keys, parts.clock.wall());
  }

  /** The dispatch of a route; of a guarded one, what goes on for long ends with its credential. */
  dispatch(config: RouteAuthConfig | null, dispatch: Dispatch): Dispatch {
    return isGuarded(config) ? this.given.live.watching(dispatch) : dispatch;
  }

  /** The steps that guard a route: who asks, and what they may. Empty where it is open. */
  filters(config: RouteAuthConfig | null, scope: Scope): Filter[] {
    const { guardsAny, parts } = this.given;
    const overrides = guardsAny ? [dropOverrides] : [];
    if (config === null) return overrides;
    const providers = config.providers.map((name) => this.given.providers.get(name)!);
    const permit = compilePermit(config, providers, scope, parts.variables);
    const guard = providers.length === 0 ? null : new Guard({ ...config, providers, fences: parts.fences });
    return [...overrides, guard, permit].filter((filter) => filter !== null);
  }
}

/** Can a provider authenticate requests of this route? */
export function isGuarded(config: RouteAuthConfig | null): boolean {
  return config !== null && config.providers.length > 0;
}
