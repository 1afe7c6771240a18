import type { Admission, Pending } from './admission.ts';
import type { Balancer, Choice } from './balance/index.ts';
import type { Breaker } from './breaker.ts';
import type { RetryBudget } from './budget.ts';
import type { ServiceDescription, TargetDescription } from './describe.ts';
import type { Discovery } from './discovery/index.ts';
import type { TargetState } from './target.ts';

/** One place where a service runs. */
export interface Target {
  readonly service: string;
  readonly weight: number;
  /** Stands before the path that the route sends. */
  readonly path: string;
  /** `host[:port]` as the config names it, `localhost` for a Unix socket: the Host for `host: service`. */
  readonly authority: string;
  /** For people, and stable: `http://host:port/path`, or `unix:/path`. */
  readonly name: string;
  /** It is spoken to in HTTP/2. */
  readonly http2: boolean;
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
  readonly state: ServiceState;
  readonly breaker: Breaker;
  /** Changes only where targets are discovered. */
  targets: readonly Target[] = [];
  /** Some target may refuse any request before it has done anything about it (RFC 9113 §8.7). */
  refuses = false;
  /** Null: they are listed. */
  discovery: Discovery | null = null;
  private balancer!: Balancer<Target>;
  private readonly panic: number;
  private readonly careful = new CarefulChoice();

  constructor(name: string, state: ServiceState, breaker: Breaker, panic: number) {
    this.name = name;
    this.state = state;
    this.breaker = breaker;
    this.panic = panic;
  }

  use(targets: readonly Target[], balancer: Balancer<Target>): void {
    this.targets = targets;
    this.refuses = targets.some(({ http2 }) => http2);
    this.balancer = balancer;
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

  /** For the log, where `pick` found none. */
  whyOut(): string {
    const drained = this.targets.filter(({ state }) => state.drained).length;
    if (drained === 0) return `no target of ${this.name} is in`;
    return drained === this.targets.length
      ? `every target of ${this.name} is drained`
      : `no target of ${this.name} is in, and ${drained} of ${this.targets.length} are drained`;
  }

  describe(): ServiceDescription {
    const { admission, pending } = this.state;
    return {
      name: this.name,
      breaker: this.breaker.state,
      active: admission.active,
      pending: pending.count,
      discovery: this.discovery === null ? null : { error: this.discovery.lastError },
      targets: describeTargets(this.targets),
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
      if (target.weight === 0 || target.state.drained) continue;
      all++;
      if (target.state.isIn) inside++;
    }
    return inside < all * this.panic;
  }
}

/** One that is listed twice is one target, of the weight of both: whoever adds up would else count it twice. */
function describeTargets(targets: readonly Target[]): TargetDescription[] {
  const described = new Map<string, TargetDescription>();
  for (const { name, weight, state } of targets) {
    const listed = described.get(name);
    if (listed !== undefined) {
      listed.weight += weight;
      continue;
    }
    described.set(name, {
      name,
      weight,
      state: state.drained ? 'drain' : 'active',
      health: state.health,
      connections: state.pool.counts(),
      requests: state.requests,
      failures: state.failures,
      retries: state.retries,
      lastFailure: state.lastFailure,
    });
  }
  return [...described.values()];
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
    if (this.anyHealth ? target.state.drained : !target.state.isIn) return false;
    return this.tried === null || !this.tried.includes(target);
  }

  weight(target: Target): number {
    return target.weight * target.state.share();
  }

  load(target: Target): number {
    return target.state.pool.load;
  }
}
