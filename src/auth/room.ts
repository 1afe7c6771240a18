import type { GatewayConfig, ProviderConfig, RouteAuthConfig } from '../config/model.ts';
import type { ExchangeVariables, Scope } from '../expression/index.ts';
import type { Exchange } from '../http/exchange.ts';
import type { Dispatch, Filter } from '../pipeline/index.ts';
import type { Logger } from '../telemetry/index.ts';
import type { Resolver } from '../upstream/index.ts';
import type { Clock } from '../util/clock.ts';
import type { Random } from '../util/random.ts';
import { ApiKeyProvider } from './api-key.ts';
import type { Provider, RevocationFences } from './contract.ts';
import { ForwardProvider } from './forward.ts';
import { Guard } from './guard.ts';
import { IntrospectionProvider } from './introspection.ts';
import { JwtProvider } from './jwt/index.ts';
import { LiveCredentials } from './live.ts';
import { dropOverrides } from './overrides.ts';
import { compilePermit } from './permit.ts';

/** What providers need of the gateway around them. */
export interface AuthParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly resolver: Resolver;
  readonly fences: RevocationFences;
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
  /** Tunnels and event streams under way. */
  readonly live: LiveCredentials;

  constructor(parts: AuthParts) {
    this.parts = parts;
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
    const guardsAny = Object.values(config.routes).some(({ auth }) => auth !== null);
    return {
      auth: new CompiledAuth(providers, this.parts, this.live, guardsAny),
      commit: () => this.commit(claimed),
    };
  }

  close(): void {
    this.live.close();
    this.commit(new Map());
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

  private commit(claimed: Map<string, Provider>): void {
    for (const [key, provider] of this.standing) if (claimed.get(key) !== provider) provider.close();
    this.standing = claimed;
  }
}

/** The providers of one config, for its routes. */
export class CompiledAuth {
  private readonly providers: ReadonlyMap<string, Provider>;
  private readonly parts: AuthParts;
  private readonly live: LiveCredentials;
  /** Some route of the config is guarded. */
  private readonly guardsAny: boolean;

  constructor(
    providers: ReadonlyMap<string, Provider>,
    parts: AuthParts,
    live: LiveCredentials,
    guardsAny: boolean,
  ) {
    this.live = live;
    this.guardsAny = guardsAny;
    this.providers = providers;
    this.parts = parts;
  }

  /** The dispatch of a route; of a guarded one, what goes on for long ends with its credential. */
  dispatch(config: RouteAuthConfig | null, dispatch: Dispatch): Dispatch {
    return isGuarded(config) ? this.live.watching(dispatch) : dispatch;
  }

  /** The steps that guard a route: who asks, and what they may. Empty where it is open. */
  filters(config: RouteAuthConfig | null, scope: Scope): Filter[] {
    const overrides = this.guardsAny ? [dropOverrides] : [];
    if (config === null) return overrides;
    const providers = config.providers.map((name) => this.providers.get(name)!);
    const permit = compilePermit(config, providers, scope, this.parts.variables);
    const guard =
      providers.length === 0 ? null : new Guard({ ...config, providers, fences: this.parts.fences });
    return [...overrides, guard, permit].filter((filter) => filter !== null);
  }
}

/** Can a provider authenticate requests of this route? */
export function isGuarded(config: RouteAuthConfig | null): boolean {
  return config !== null && config.providers.length > 0;
}
