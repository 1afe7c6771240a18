import type { ServiceDescription } from '../upstream/index.ts';
import type { CacheCounts, WorkerCacheState } from './cache-view.ts';
import type { AuthOutcomes } from './node-metrics.ts';
import { Totals } from './totals.ts';

/** What workers have told, by worker; undefined: it could not say. */
export type Told<T> = readonly (readonly [worker: object, told: T | undefined])[];

const OF_TARGET = ['requests', 'failures', 'retries'] as const;
const OF_CACHE = ['hits', 'misses', 'evictions'] as const;

/** What targets, caches and providers have counted, over the workers there are and were: it never goes down. */
export class NodeCounts {
  private readonly targets = new Totals();
  private readonly caches = new Totals();
  private readonly providers = new Totals();

  /** Services, with what was counted of their targets in all. */
  inServices(services: readonly ServiceDescription[], told: Told<readonly ServiceDescription[]>): void {
    hear(this.targets, told, ofTargets);
    // Targets that are found and go again, by the thousand, must not be remembered for ever.
    if (told.every(([, own]) => own !== undefined)) this.targets.keep(new Set(ofTargets(services).keys()));
    for (const { name, targets } of services)
      for (const target of targets)
        for (const count of OF_TARGET) target[count] = this.targets.of(placeOf(name, target.name, count));
  }

  ofCaches(told: Told<WorkerCacheState>): CacheCounts {
    hear(
      this.caches,
      told,
      (state) =>
        new Map([
          ...OF_CACHE.map((name) => [name, state[name]] as const),
          ['dropped', state.redis?.dropped ?? 0] as const,
        ]),
    );
    const { caches } = this;
    return {
      hits: caches.of('hits'),
      misses: caches.of('misses'),
      evictions: caches.of('evictions'),
      dropped: caches.of('dropped'),
    };
  }

  /** Outcomes of the providers that any worker knows. */
  ofProviders(told: Told<AuthOutcomes>): AuthOutcomes {
    hear(this.providers, told, ofOutcomes);
    const sums: Record<string, Record<string, number>> = {};
    for (const [, outcomes = {}] of told)
      for (const [provider, counts] of Object.entries(outcomes))
        for (const outcome of Object.keys(counts)) {
          sums[provider] ??= {};
          sums[provider][outcome] = this.providers.of(placeOf(provider, outcome));
        }
    return sums;
  }
}

function hear<T>(totals: Totals, told: Told<T>, counted: (own: T) => ReadonlyMap<string, number>): void {
  for (const [worker, own] of told) if (own !== undefined) totals.heard(worker, counted(own));
}

function ofTargets(services: readonly ServiceDescription[]): Map<string, number> {
  return new Map(
    services.flatMap(({ name, targets }) =>
      targets.flatMap((target) =>
        OF_TARGET.map((count) => [placeOf(name, target.name, count), target[count]] as const),
      ),
    ),
  );
}

function ofOutcomes(outcomes: AuthOutcomes): Map<string, number> {
  return new Map(
    Object.entries(outcomes).flatMap(([provider, counts]) =>
      Object.entries(counts).map(([outcome, count]) => [placeOf(provider, outcome), count] as const),
    ),
  );
}

function placeOf(...names: readonly string[]): string {
  return names.join('\0');
}
