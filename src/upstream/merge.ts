import type { BreakerState } from './breaker.ts';
import type { ServiceDescription, TargetDescription } from './describe.ts';

const STATE = ['active', 'drain'] as const;
const HEALTH = ['up', 'warming', 'ejected', 'down'] as const;
const BREAKER = ['closed', 'half-open', 'open'] as const satisfies readonly BreakerState[];

/** What the workers of a node know of its services, as one: numbers added up, the worst of each state. */
export function mergeDescriptions(workers: readonly (readonly ServiceDescription[])[]): ServiceDescription[] {
  const merged = new Map<string, ServiceDescription>();
  for (const service of workers.flat()) {
    const standing = merged.get(service.name);
    merged.set(service.name, standing === undefined ? service : mergeServices(standing, service));
  }
  return [...merged.values()];
}

function mergeServices(a: ServiceDescription, b: ServiceDescription): ServiceDescription {
  const targets = new Map(a.targets.map((target) => [target.name, target]));
  for (const target of b.targets) {
    const standing = targets.get(target.name);
    targets.set(target.name, standing === undefined ? target : mergeTargets(standing, target));
  }
  return {
    name: a.name,
    breaker: worst(BREAKER, a.breaker, b.breaker),
    active: a.active + b.active,
    pending: a.pending + b.pending,
    discovery: a.discovery?.error == null ? b.discovery : a.discovery,
    targets: [...targets.values()],
  };
}

function mergeTargets(a: TargetDescription, b: TargetDescription): TargetDescription {
  return {
    name: a.name,
    weight: a.weight,
    state: worst(STATE, a.state, b.state),
    health: worst(HEALTH, a.health, b.health),
    connections: {
      open: a.connections.open + b.connections.open,
      idle: a.connections.idle + b.connections.idle,
      inUse: a.connections.inUse + b.connections.inUse,
      waiting: a.connections.waiting + b.connections.waiting,
    },
    requests: a.requests + b.requests,
    failures: a.failures + b.failures,
    retries: a.retries + b.retries,
    lastFailure: (b.lastFailure?.at ?? 0) > (a.lastFailure?.at ?? 0) ? b.lastFailure : a.lastFailure,
  };
}

function worst<T>(order: readonly T[], a: T, b: T): T {
  return order.indexOf(a) >= order.indexOf(b) ? a : b;
}
