import { isIP } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import type { ServiceConfig, TargetConfig } from '../config/model.ts';
import type { Logger } from '../telemetry/index.ts';
import type { Clock } from '../util/clock.ts';
import type { Random } from '../util/random.ts';
import { Admission, Pending } from './admission.ts';
import { type Balancer, type Choice, compileBalancer } from './balance/index.ts';
import { Breaker } from './breaker.ts';
import { RetryBudget } from './budget.ts';
import type { ServiceDescription } from './describe.ts';
import { Pool, type PoolSettings } from './pool.ts';
import type { Resolver } from './resolver.ts';
import { TargetState } from './target.ts';
import { targetAuthority, targetName } from './target-name.ts';

/** One place where a service runs. */
export interface Target {
  readonly weight: number;
  /** Stands before the path that the route sends. */
  readonly path: string;
  /** `host[:port]` as the config names it: the Host for `host: service`. */
  readonly authority: string;
  /** For people, and stable: `http://host:port/path`. */
  readonly name: string;
  readonly state: TargetState;
}

/** What is known of a service as a whole; it outlives reloads. */
export interface ServiceState {
  readonly admission: Admission;
  readonly pending: Pending;
  readonly budget: RetryBudget;
}

/** A compiled service. */
export class Service {
  readonly name: string;
  readonly targets: readonly Target[];
  readonly state: ServiceState;
  readonly breaker: Breaker;
  private readonly balancer: Balancer<Target>;
  private readonly panic: number;
  private readonly careful = new CarefulChoice();

  constructor(
    parts: Pick<Service, 'name' | 'targets' | 'state' | 'breaker'>,
    balancer: Balancer<Target>,
    panic: number,
  ) {
    this.name = parts.name;
    this.targets = parts.targets;
    this.state = parts.state;
    this.breaker = parts.breaker;
    this.balancer = balancer;
    this.panic = panic;
  }

  /**
   * The target for the next try, or null where none is in. One that was tried already is taken again only if
   * there is no other.
   *
   * @param key What consistent hashing and affinity go by.
   */
  pick(key: string | null, tried: readonly Target[] | null): Target | null {
    if (tried === null && this.isCalm()) return this.balancer.pick(ALL, key);
    const { careful } = this;
    careful.anyHealth = this.isPanicking();
    careful.tried = tried;
    const fresh = this.balancer.pick(careful, key);
    if (fresh !== null || tried === null) return fresh;
    careful.tried = null;
    return this.balancer.pick(careful, key);
  }

  /** Is there a target that is in and not among these? */
  hasOther(tried: readonly Target[]): boolean {
    return this.targets.some((target) => target.weight > 0 && target.state.isIn && !tried.includes(target));
  }

  /** Milliseconds until a target may be in again. */
  outFor(): number {
    return this.targets.reduce(
      (least, target) => Math.min(least, target.state.outFor),
      Number.POSITIVE_INFINITY,
    );
  }

  describe(): ServiceDescription {
    const { admission, pending } = this.state;
    return {
      name: this.name,
      breaker: this.breaker.state,
      active: admission.active,
      pending: pending.count,
      targets: this.targets.map(({ name, weight, state }) => ({
        name,
        weight,
        health: state.health,
        connections: state.pool.counts(),
        requests: state.requests,
        failures: state.failures,
        retries: state.retries,
        lastFailure: state.lastFailure,
      })),
    };
  }

  private isCalm(): boolean {
    for (const target of this.targets) if (!target.state.settled) return false;
    return true;
  }

  /** So few are in that they could not carry the load of all: then any may be tried. */
  private isPanicking(): boolean {
    let all = 0;
    let inside = 0;
    for (const target of this.targets) {
      if (target.weight === 0) continue;
      all++;
      if (target.state.isIn) inside++;
    }
    return inside < all * this.panic;
  }
}

/** Every target, at its full weight. */
const ALL: Choice<Target> = {
  fits: () => true,
  weight: (target) => target.weight,
  load: (target) => target.state.pool.load,
};

/** Looks at the health of each target, and at what was tried. */
class CarefulChoice implements Choice<Target> {
  anyHealth = false;
  tried: readonly Target[] | null = null;

  fits(target: Target): boolean {
    if (!this.anyHealth && !target.state.isIn) return false;
    return this.tried === null || !this.tried.includes(target);
  }

  weight(target: Target): number {
    return target.weight * target.state.share();
  }

  load(target: Target): number {
    return target.state.pool.load;
  }
}

export interface UpstreamParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly resolver: Resolver;
  /** Workers that share a node's limits evenly. */
  readonly shareOf: number;
}

/**
 * Keeps what outlives a reload: pools, health, breakers, each under a key of just what it depends on. A
 * snapshot claims what it uses; what the newest doesn't use is retired.
 */
export class Upstreams {
  private readonly parts: UpstreamParts;
  private targets = new Map<string, TargetState>();
  private breakers = new Map<string, Breaker>();
  private states = new Map<string, ServiceState>();
  private services = new Map<string, Service>();
  /** Told when this worker takes a target out by itself. */
  onEjected: ((service: string, target: string, forMs: number, why: string) => void) | null = null;

  constructor(parts: UpstreamParts) {
    this.parts = parts;
  }

  /** Compiles a whole set of services; `commit` makes it the one in force. */
  compile(configs: readonly ServiceConfig[]): { services: Map<string, Service>; commit(): void } {
    const claims: Claims = { targets: new Map(), breakers: new Map(), states: new Map() };
    const services = new Map(configs.map((config) => [config.name, this.service(config, claims)]));
    return { services, commit: () => this.commit(configs, services, claims) };
  }

  /** What an active check found. */
  reportHealth(service: string, target: string, up: boolean, why: string): void {
    this.find(service, target)?.check(up, why);
  }

  /** Another worker has taken a target out. */
  reportEjected(service: string, target: string, forMs: number, why: string): void {
    const { onEjected } = this;
    // Not to be told of again.
    this.onEjected = null;
    this.find(service, target)?.eject(forMs, why);
    this.onEjected = onEjected;
  }

  describe(): ServiceDescription[] {
    return [...this.services.values()].map((service) => service.describe());
  }

  /** Ends every connection. */
  destroy(): void {
    for (const target of this.targets.values()) {
      target.retire();
      target.pool.destroy();
    }
    this.targets.clear();
  }

  private find(service: string, target: string): TargetState | undefined {
    return this.services.get(service)?.targets.find(({ name }) => name === target)?.state;
  }

  private service(config: ServiceConfig, claims: Claims): Service {
    const { name, health } = config;
    const state = claim(name, claims.states, this.states, () => newState(config));
    const targets = config.targets.map((target) => this.target(target, config, state, claims));
    const balancer = compileBalancer(config.balance, targets, this.parts.random);
    return new Service(
      { name, targets, state, breaker: this.breaker(config, claims) },
      balancer,
      health.panic,
    );
  }

  private breaker({ name, breaker }: ServiceConfig, claims: Claims): Breaker {
    const { clock, log } = this.parts;
    const key = JSON.stringify([name, breaker.errorRate, breaker.errors, breaker.openFor]);
    const tell = (state: string, why: string) =>
      log.warn(`the breaker of a service is ${state}`, { service: name, why });
    return claim(key, claims.breakers, this.breakers, () => new Breaker(breaker, clock, tell));
  }

  private target(config: TargetConfig, service: ServiceConfig, owner: ServiceState, claims: Claims): Target {
    const { host, port, scheme, path } = config;
    const settings: PoolSettings = {
      host,
      port,
      tls: scheme === 'https' ? tlsOptions(service, host) : null,
      ...service.pool,
    };
    const authority = targetAuthority(config);
    const name = targetName(config);
    const key = JSON.stringify([service.name, name, settings]);
    const state = claim(key, claims.targets, this.targets, () =>
      this.newTarget(service.name, name, settings, owner.pending),
    );
    return { weight: config.weight, path, authority, name, state };
  }

  private newTarget(service: string, name: string, settings: PoolSettings, pending: Pending): TargetState {
    const { clock, resolver, log } = this.parts;
    return new TargetState(name, new Pool(settings, clock, resolver, pending), clock, {
      out: (target, why, forMs) => {
        log.warn('a target is out', {
          service,
          target: target.name,
          why,
          ...(forMs === null ? {} : { seconds: Math.round(forMs / 1000) }),
        });
        if (forMs !== null) this.onEjected?.(service, target.name, forMs, why);
      },
      in: (target) => log.info('a target is in again', { service, target: target.name }),
    });
  }

  private commit(configs: readonly ServiceConfig[], services: Map<string, Service>, claims: Claims): void {
    for (const config of configs) this.applyLimits(config, services.get(config.name)!);
    for (const [key, target] of this.targets) if (claims.targets.get(key) !== target) target.retire();
    this.targets = claims.targets;
    this.breakers = claims.breakers;
    this.states = claims.states;
    this.services = services;
  }

  private applyLimits({ breaker, health }: ServiceConfig, { state, targets }: Service): void {
    state.admission.max = share(breaker.maxRequests, this.parts.shareOf);
    state.pending.max = share(breaker.maxPending, this.parts.shareOf);
    for (const target of targets) target.state.configure(health);
  }
}

interface Claims {
  targets: Map<string, TargetState>;
  breakers: Map<string, Breaker>;
  states: Map<string, ServiceState>;
}

/** What stands under a key already, or something new; claimed for the config that asks. */
function claim<T>(key: string, claims: Map<string, T>, standing: ReadonlyMap<string, T>, make: () => T): T {
  const claimed = claims.get(key) ?? standing.get(key) ?? make();
  claims.set(key, claimed);
  return claimed;
}

function newState({ breaker }: ServiceConfig): ServiceState {
  const pending = new Pending(breaker.maxPending);
  return { pending, admission: new Admission(breaker.maxRequests, pending), budget: new RetryBudget() };
}

/** This worker's part of a node's limit: rounded up, so that a small limit shuts no worker out. */
function share(limit: number, of: number): number {
  return Math.ceil(limit / of);
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
