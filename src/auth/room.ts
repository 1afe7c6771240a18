import type { ForwardConfig, GatewayConfig, IntrospectionConfig, ProviderConfig } from '../config/model.ts';
import { Seldom } from '../telemetry/index.ts';
import { ApiKeyProvider } from './api-key.ts';
import { BasicProvider } from './basic.ts';
import { type Claim, type Closable, CompiledAuth } from './compiled-auth.ts';
import type { Provider } from './contract.ts';
import { Possession } from './dpop/index.ts';
import { ForwardProvider } from './forward.ts';
import { type AuthServerFinding, inspectAuthServers } from './inspect.ts';
import { IntrospectionProvider } from './introspection.ts';
import { JwtProvider } from './jwt/index.ts';
import { LiveCredentials } from './live.ts';
import { MtlsProvider } from './mtls.ts';
import type { AuthParts } from './parts.ts';
import { ServiceToken } from './service-token/index.ts';
import { SharedDecisions } from './shared-decisions.ts';
import { Signing } from './signing/index.ts';
import { newTally, type Tally } from './tally.ts';

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

  /** Asks each server that the guards of a config will ask, once. */
  inspect(config: GatewayConfig): Promise<AuthServerFinding[]> {
    return inspectAuthServers(config, this.parts);
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
