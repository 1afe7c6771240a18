import { hash } from 'node:crypto';
import type { DiscoverConfig, ServiceConfig, TargetConfig } from '../config/model.ts';
import type { Logger } from '../telemetry/index.ts';
import type { Clock } from '../util/clock.ts';
import { inTime } from '../util/in-time.ts';
import type { Random } from '../util/random.ts';
import { usesHttp2, usesTls } from '../util/service-scheme.ts';
import { Admission, Pending } from './admission.ts';
import { compileBalancer } from './balance/index.ts';
import { Breaker, type BreakerState } from './breaker.ts';
import { RetryBudget } from './budget.ts';
import type { ServiceDescription } from './describe.ts';
import { type Discover, Discovery } from './discovery/index.ts';
import { Http1Pool, Http2Pool, type Pool } from './pool/index.ts';
import type { Resolver } from './resolver.ts';
import { Service, type ServiceState, type Target } from './service.ts';
import { type TargetIdentity, TargetState } from './target.ts';
import { askedAs, targetAuthority, targetName } from './target-name.ts';
import { tlsOptions } from './tls-options.ts';

export interface UpstreamParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly resolver: Resolver;
  /** How names are followed, where not as their config says. */
  readonly discover?: Discover;
  /** Workers that share a node's limits evenly. */
  readonly shareOf: number;
}

/** What a worker finds out about services, for the others of its node and for whoever watches. */
export interface UpstreamNews {
  ejected(ejection: TargetEjection): void;
  returned(service: string, target: string): void;
  /** Its breaker has changed. */
  breaker(change: BreakerChange): void;
  /** It had an error that counts toward `breaker.errors`. */
  failed(service: string): void;
}

export interface TargetEjection {
  readonly service: string;
  /** Its name. */
  readonly target: string;
  readonly forMs: number;
  readonly why: string;
  /** Of its settings: with others it begins anew. */
  readonly settings: string;
}

export interface BreakerChange {
  readonly service: string;
  /** When it opens, and for how long: by another rule it begins anew. */
  readonly rule: string;
  readonly state: BreakerState;
  readonly why: string;
}

export interface DrainedTarget {
  readonly service: string;
  /** Its name. */
  readonly target: string;
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
  private discoveries = new Map<string, Discovery>();
  private services = new Map<string, Service>();
  /** Targets that an operator has taken out, under `drainKey`. */
  private drained: ReadonlySet<string> = new Set();
  /** Told of what this worker finds out by itself. */
  news: UpstreamNews | null = null;

  constructor(parts: UpstreamParts) {
    this.parts = parts;
  }

  /** Compiles a whole set of services. */
  compile(configs: readonly ServiceConfig[]): CompiledServices {
    const claims: Claims = {
      targets: new Map(),
      breakers: new Map(),
      states: new Map(),
      discoveries: new Map(),
      following: [],
    };
    const services = new Map(configs.map((config) => [config.name, this.service(config, claims)]));
    return {
      services,
      found: () => this.firstAnswers(claims.discoveries),
      commit: () => this.commit(configs, services, claims),
    };
  }

  /** What an active check found. */
  reportHealth(service: string, target: string, up: boolean, why: string): void {
    this.find(service, target)?.check(up, why);
  }

  /** Another worker has taken a target out. */
  reportEjected({ service, target, forMs, why, settings }: TargetEjection): void {
    const state = this.find(service, target);
    if (state?.settings === settings) this.untold(() => state.eject(forMs, why));
  }

  /** The breaker of another worker has changed, so many ms ago. */
  reportBreaker({ rule, state, why }: BreakerChange, ago = 0): void {
    this.untold(() => this.breakers.get(rule)?.follow(state, why, ago));
  }

  /** Another worker had an error that counts toward `breaker.errors`. */
  reportFailed(service: string): void {
    this.untold(() => this.services.get(service)?.breaker.recordElsewhere());
  }

  /** What comes from others is not to be told of again. */
  private untold(hear: () => void): void {
    const { news } = this;
    this.news = null;
    hear();
    this.news = news;
  }

  /** From now on just these are drained. */
  drain(targets: readonly DrainedTarget[]): void {
    this.drained = new Set(targets.map(({ service, target }) => drainKey(service, target)));
    this.steer();
  }

  private steer(): void {
    for (const service of this.services.values())
      for (const { name, state } of service.targets)
        state.drain(this.drained.has(drainKey(service.name, name)));
  }

  describe(): ServiceDescription[] {
    return [...this.services.values()].map((service) => service.describe());
  }

  /** Ends every connection. */
  destroy(): void {
    for (const discovery of this.discoveries.values()) discovery.close();
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
    const { name, health, discover } = config;
    const state = claim(name, claims.states, this.states, () => newState(config));
    const service = new Service(name, state, this.breaker(config, claims), health.panic);
    if (discover === null) this.place(service, config, config.targets, claims.targets);
    else this.follow(service, config, discover, claims);
    return service;
  }

  /** Gives a service its targets; those known already keep their state. */
  private place(
    service: Service,
    config: ServiceConfig,
    configs: readonly TargetConfig[],
    claimed: Map<string, TargetState>,
  ): void {
    const targets = configs.map((target) => this.target(target, config, service.state, claimed));
    service.use(targets, compileBalancer(config.balance, targets, this.parts.random));
    for (const target of targets) target.state.configure(config.health);
  }

  private follow(service: Service, config: ServiceConfig, discover: DiscoverConfig, claims: Claims): void {
    const { log } = this.parts;
    const discovery = claim(
      JSON.stringify([config.name, discover]),
      claims.discoveries,
      this.discoveries,
      () => this.newDiscovery(config.name, discover),
    );
    service.discovery = discovery;
    const place = (claimed: Map<string, TargetState>) => {
      this.place(
        service,
        config,
        discovery.targets.map((found) => ({ ...found, scheme: discover.scheme, path: '' })),
        claimed,
      );
    };
    place(claims.targets);
    claims.following.push(() => {
      discovery.onChange = () => {
        const before = service.targets;
        place(this.targets);
        log.info('the targets of a service have changed', {
          service: config.name,
          targets: service.targets.map(({ name }) => name),
        });
        this.retireGone(before, service.targets);
      };
      // An answer may have come between the claim and the commit.
      const before = service.targets;
      place(this.targets);
      this.retireGone(before, service.targets);
    });
  }

  private newDiscovery(service: string, discover: DiscoverConfig): Discovery {
    const { clock, random, log } = this.parts;
    const tell = (why: string | null, lasting: boolean) => {
      if (why === null) return log.info('the targets of a service can be found again', { service });
      const rest = lasting ? 'those known last stay' : 'there are none';
      log.error(`the targets of a service cannot be found: ${rest}`, { service, source: discover.kind, why });
    };
    const before = this.services.get(service)?.discovery ?? null;
    const known = before !== null && isSameSource(before.config, discover) ? before.targets : [];
    return new Discovery(discover, { clock, random, tell, known }, this.parts.discover);
  }

  private retireGone(before: readonly Target[], now: readonly Target[]): void {
    for (const { state } of before) {
      if (now.some((target) => target.state === state)) continue;
      for (const [key, standing] of this.targets) if (standing === state) this.targets.delete(key);
      state.retire();
    }
  }

  /** Resolves once every name that is followed had a first answer, or has had its time. */
  ready(): Promise<unknown> {
    return this.firstAnswers(this.discoveries);
  }

  private firstAnswers(discoveries: ReadonlyMap<string, Discovery>): Promise<unknown> {
    const answers = [...discoveries.values()].map(
      (discovery) => new Promise<void>((resolve) => discovery.whenAnswered(resolve)),
    );
    if (answers.length === 0) return Promise.resolve();
    return inTime(this.parts.clock, FIRST_ANSWER, Promise.all(answers), () => {});
  }

  private breaker({ name, breaker }: ServiceConfig, claims: Claims): Breaker {
    const { clock, log } = this.parts;
    const rule = JSON.stringify([name, breaker.errorRate, breaker.errors, breaker.openFor]);
    const listener = {
      changed: (state: BreakerState, why: string) => {
        log.warn(`the breaker of a service is ${state}`, { service: name, why });
        this.news?.breaker({ service: name, rule, state, why });
      },
      failed: () => this.news?.failed(name),
    };
    return claim(rule, claims.breakers, this.breakers, () => new Breaker(breaker, clock, listener));
  }

  private target(
    config: TargetConfig,
    service: ServiceConfig,
    owner: ServiceState,
    claimed: Map<string, TargetState>,
  ): Target {
    const { host, port, scheme, path } = config;
    const named = askedAs(service.discover, host);
    const http2 = usesHttp2(scheme);
    const tls = usesTls(scheme) ? tlsOptions(service, named, http2 ? 'h2' : 'http/1.1') : null;
    const settings = { host, port, tls, ...service.pool, pipelining: service.pipelining };
    const authority = targetAuthority({ scheme, host: named, port });
    const name = targetName(config);
    const key = JSON.stringify([service.name, name, settings]);
    const { clock, resolver } = this.parts;
    const PoolOfKind = http2 ? Http2Pool : Http1Pool;
    const state = claim(key, claimed, this.targets, () =>
      this.newTarget(
        service.name,
        { name, settings: hash('sha256', key) },
        new PoolOfKind(settings, clock, resolver, owner.pending),
      ),
    );
    state.drain(this.drained.has(drainKey(service.name, name)));
    return { service: service.name, weight: config.weight, path, authority, name, http2, state };
  }

  private newTarget(service: string, identity: TargetIdentity, pool: Pool): TargetState {
    const { clock, log } = this.parts;
    return new TargetState(identity, pool, clock, {
      out: (target, why, forMs) => {
        log.warn('a target is out', {
          service,
          target: target.name,
          why,
          ...(forMs === null ? {} : { seconds: Math.round(forMs / 1000) }),
        });
        if (forMs === null) return;
        const { name, settings } = identity;
        this.news?.ejected({ service, target: name, forMs, why, settings });
      },
      in: (target) => {
        log.info('a target is in again', { service, target: target.name });
        this.news?.returned(service, target.name);
      },
    });
  }

  private commit(configs: readonly ServiceConfig[], services: Map<string, Service>, claims: Claims): void {
    for (const config of configs) this.applyLimits(config, services.get(config.name)!);
    for (const [key, target] of this.targets) if (claims.targets.get(key) !== target) target.retire();
    this.targets = claims.targets;
    this.breakers = claims.breakers;
    this.states = claims.states;
    for (const [key, discovery] of this.discoveries)
      if (claims.discoveries.get(key) !== discovery) discovery.close();
    this.discoveries = claims.discoveries;
    this.services = services;
    // What is drained may have changed since these were compiled.
    this.steer();
    for (const follow of claims.following) follow();
  }

  private applyLimits({ breaker }: ServiceConfig, { state }: Service): void {
    state.admission.max = share(breaker.maxRequests, this.parts.shareOf);
    state.pending.max = share(breaker.maxPending, this.parts.shareOf);
  }
}

export interface CompiledServices {
  readonly services: Map<string, Service>;
  /** Resolves once every name that is followed had a first answer, or has had its time. */
  found(): Promise<unknown>;
  /** Makes them those in force. */
  commit(): void;
}

/** A start, or a reload, waits no longer for the first answer of who knows the targets, in ms. */
const FIRST_ANSWER = 1000;

interface Claims {
  targets: Map<string, TargetState>;
  breakers: Map<string, Breaker>;
  states: Map<string, ServiceState>;
  discoveries: Map<string, Discovery>;
  /** What begins to follow its name once the config is in force. */
  following: (() => void)[];
}

/** What stands under a key already, or something new; claimed for the config that asks. */
function claim<T>(key: string, claims: Map<string, T>, standing: ReadonlyMap<string, T>, make: () => T): T {
  const claimed = claims.get(key) ?? standing.get(key) ?? make();
  claims.set(key, claimed);
  return claimed;
}

/** Another token or certificate changes nothing about where the targets are. */
function isSameSource(a: DiscoverConfig, b: DiscoverConfig): boolean {
  return JSON.stringify(sourceOf(a)) === JSON.stringify(sourceOf(b));
}

function sourceOf(discover: DiscoverConfig): unknown {
  switch (discover.kind) {
    case 'dns':
      return discover;
    case 'consul':
      return [discover.url, discover.name];
    case 'kubernetes':
      return [discover.api?.url, discover.namespace, discover.name, discover.port];
  }
}

function drainKey(service: string, target: string): string {
  return `${service} ${target}`;
}

function newState({ breaker }: ServiceConfig): ServiceState {
  const pending = new Pending(breaker.maxPending);
  return { pending, admission: new Admission(breaker.maxRequests, pending), budget: new RetryBudget() };
}

/** This worker's part of a node's limit: rounded up, so that a small limit shuts no worker out. */
function share(limit: number, of: number): number {
  return Math.ceil(limit / of);
}
