import type { CacheConfig, LimitConfig, RedisConfig } from '../config/model.ts';
import type { ExchangeVariables, Scope } from '../expression/index.ts';
import type { Exchange } from '../http/exchange.ts';
import type { Filter } from '../pipeline/index.ts';
import type { LinkParts } from '../redis/index.ts';
import { Seldom } from '../telemetry/index.ts';
import { KeyBudget } from './counts.ts';
import { LimitCounts } from './limit-counts.ts';
import { LimitFilter } from './limit-filter.ts';
import { compileTerms, type LimitPhase } from './limit-terms.ts';
import type { SharedCounts } from './shared-counts.ts';

export interface LimitRoomParts extends LinkParts {
  /** Workers of the node, which share limits where there is no Redis. */
  readonly shareOf: number;
  variables(exchange: Exchange): ExchangeVariables;
}

/** Keeps what outlives a reload: the counts of limits, each under a key of what it says, and the link to Redis. */
export class LimitRoom {
  private readonly parts: LimitRoomParts;
  private readonly seldom: Seldom;
  private readonly budget = new KeyBudget();
  private standing = new Map<string, LimitCounts>();
  private shared: SharedCounts | null = null;
  private place = 'none';

  constructor(parts: LimitRoomParts) {
    this.parts = parts;
    this.seldom = new Seldom(parts.log, parts.clock);
  }

  /** Compiles the limits of a config's routes; `commit` makes their counts the ones in force. */
  compile(cache: CacheConfig): { limits: CompiledLimits; commit(): void } {
    const claimed = new Map<string, LimitCounts>();
    const countsOf = (key: string) => {
      const counts = claimed.get(key) ?? this.standing.get(key) ?? this.newCounts(key);
      claimed.set(key, counts);
      return counts;
    };
    return {
      limits: new CompiledLimits({ countsOf, seldom: this.seldom, variables: this.parts.variables }),
      commit: () => {
        this.standing = claimed;
        this.budget.share([...claimed.values()].map(({ counts }) => counts));
        void this.share(claimed.size === 0 ? null : cache.redis, cache.prefix);
      },
    };
  }

  async close(): Promise<void> {
    this.place = 'closed';
    const { shared } = this;
    this.shared = null;
    await shared?.close();
  }

  private newCounts(key: string): LimitCounts {
    const { clock, shareOf } = this.parts;
    return new LimitCounts(key, clock, shareOf, this.budget, () => this.shared);
  }

  /** Counts in this Redis from now on; its library is loaded only where a limit needs it. */
  private async share(redis: RedisConfig | null, prefix: string): Promise<void> {
    const place = JSON.stringify([redis, prefix]);
    if (place === this.place || this.place === 'closed') return;
    this.place = place;
    const old = this.shared;
    this.shared = null;
    await old?.close();
    if (redis === null) return;
    const { SharedCounts } = await import('./shared-counts.ts');
    const { connectRedis } = await import('../redis/index.ts');
    const made = new SharedCounts(connectRedis(redis, this.parts), prefix, this.parts.clock);
    if (place === this.place) this.shared = made;
    else await made.close();
  }
}

const PHASES: readonly LimitPhase[] = ['admit', 'limit', 'authorize'];

/** The limits of one config, for its routes. */
export class CompiledLimits {
  private readonly of: {
    readonly seldom: Seldom;
    countsOf(key: string): LimitCounts;
    variables(exchange: Exchange): ExchangeVariables;
  };

  constructor(of: CompiledLimits['of']) {
    this.of = of;
  }

  /** The steps that hold a route to its limits: those that need no identity come before anyone is asked who they are. */
  filters(route: string, limits: readonly LimitConfig[], scope: Scope, guarded: boolean): Filter[] {
    if (limits.length === 0) return [];
    const { countsOf } = this.of;
    const keys = keysOf(route, limits);
    const all = limits.map((limit, index) => ({
      ...compileTerms(route, limit, index, scope, guarded),
      counts: countsOf(keys[index]!),
    }));
    const phases = PHASES.filter((phase) => all.some((limit) => limit.phase === phase));
    const earlier = phases.length > 1 ? new WeakMap() : null;
    return phases.map((phase) => {
      const own = all.filter((limit) => limit.phase === phase);
      return new LimitFilter(phase, own, this.of, earlier);
    });
  }
}

/**
 * Counts are of a route, unless they have a name. Another rate or another `per` begins anew; limits that come or go
 * beside one leave its counts alone.
 */
function keysOf(route: string, limits: readonly LimitConfig[]): string[] {
  const alike = new Map<string, number>();
  return limits.map(({ name, rate, per, burst }) => {
    if (name !== null) return `name ${name}`;
    const terms = JSON.stringify([String(rate), String(per), burst]);
    const nth = alike.get(terms) ?? 0;
    alike.set(terms, nth + 1);
    return `route ${route} ${nth} ${terms}`;
  });
}
