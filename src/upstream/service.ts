import { isIP } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import type { ServiceConfig, TargetConfig } from '../config/model.ts';
import type { Clock } from '../util/clock.ts';
import { type Balancer, roundRobin } from './balance.ts';
import { Pool, type PoolSettings } from './pool.ts';
import type { Resolver } from './resolver.ts';

/** One place where a service runs. */
export interface Target {
  readonly weight: number;
  /** Stands before the path that the route sends. */
  readonly path: string;
  /** `host[:port]` as the config names it: the Host for `host: service`. */
  readonly authority: string;
  /** For people: `http://host:port`. */
  readonly name: string;
  readonly pool: Pool;
}

/** A compiled service. Immutable; its pools outlive it where the next config has the same targets. */
export interface Service {
  readonly name: string;
  readonly targets: readonly Target[];
  readonly balancer: Balancer<Target>;
}

/**
 * Keeps what outlives a reload: the pool of each target, under a key of just what its connections depend on.
 * A snapshot claims the pools it uses; those that the newest doesn't use are retired.
 */
export class Upstreams {
  private readonly clock: Clock;
  private readonly resolver: Resolver;
  private readonly pools = new Map<string, Pool>();

  constructor(clock: Clock, resolver: Resolver) {
    this.clock = clock;
    this.resolver = resolver;
  }

  /** Compiles a whole set of services; `commit` makes it the one in force. */
  compile(configs: readonly ServiceConfig[]): { services: Map<string, Service>; commit(): void } {
    const claimed = new Map<string, Pool>();
    const services = new Map(configs.map((config) => [config.name, this.service(config, claimed)]));
    return { services, commit: () => this.retireAllBut(claimed) };
  }

  /** Ends every connection. */
  destroy(): void {
    for (const pool of this.pools.values()) pool.destroy();
    this.pools.clear();
  }

  private service(config: ServiceConfig, claimed: Map<string, Pool>): Service {
    const targets = config.targets.map((target) => this.target(target, config, claimed));
    return { name: config.name, targets, balancer: roundRobin(targets) };
  }

  private target(config: TargetConfig, service: ServiceConfig, claimed: Map<string, Pool>): Target {
    const { host, port, scheme } = config;
    const settings: PoolSettings = { host, port, tls: scheme === 'https' ? tlsOptions(service, host) : null, ...service.pool };
    const authority = authorityOf(config);
    return { weight: config.weight, path: config.path, authority, name: `${scheme}://${authority}`, pool: this.pool(settings, claimed) };
  }

  private pool(settings: PoolSettings, claimed: Map<string, Pool>): Pool {
    const key = JSON.stringify(settings);
    const pool = claimed.get(key) ?? this.pools.get(key) ?? new Pool(settings, this.clock, this.resolver);
    claimed.set(key, pool);
    return pool;
  }

  private retireAllBut(claimed: Map<string, Pool>): void {
    for (const [key, pool] of this.pools) if (claimed.get(key) !== pool) pool.retire();
    this.pools.clear();
    for (const [key, pool] of claimed) this.pools.set(key, pool);
  }
}

function authorityOf({ scheme, host, port }: TargetConfig): string {
  const name = isIP(host) === 6 ? `[${host}]` : host;
  return port === (scheme === 'https' ? 443 : 80) ? name : `${name}:${port}`;
}

/** The server's name and the check of its certificate go by the name in `url`, unless `tls` says otherwise. */
function tlsOptions({ tls }: ServiceConfig, host: string): ConnectionOptions {
  const name = tls.serverName ?? host;
  return {
    // No name is sent for an address (RFC 6066 §3); the certificate is then checked against the address.
    ...(isIP(name) === 0 ? { servername: name } : {}),
    ...(tls.ca === null ? {} : { ca: tls.ca }),
    ...(tls.cert === null ? {} : { cert: tls.cert }),
    ...(tls.key === null ? {} : { key: tls.key }),
    rejectUnauthorized: tls.verify,
    ALPNProtocols: ['http/1.1'],
    minVersion: 'TLSv1.2',
  };
}
