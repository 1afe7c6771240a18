import type { CacheConfig, LimitConfig, RedisConfig } from '../config/model.ts';
import type { ExchangeVariables, Scope } from '../expression/index.ts';
import type { Exchange } from '../http/exchange.ts';
import type { Filter } from '../pipeline/index.ts';
import { type Logger, Seldom } from '../telemetry/index.ts';
import type { Clock } from '../util/clock.ts';
import type { Random } from '../util/random.ts';
import { LimitCounts } from './limit-counts.ts';
import { compileLimit, LimitFilter, type LimitParts, type LimitPhase } from './limit-filter.ts';
import type { SharedCounts } from './shared-counts.ts';

export interface LimitRoomParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** Workers of the node, which share limits where there is no Redis. */
  readonly shareOf: number;
  variables(exchange: Exchange): ExchangeVariables;
}

/** Keeps what outlives a reload: the counts of limits, each under a key of what it says, and the link to Redis. */
export class LimitRoom {
  private readonly parts: LimitRoomParts;
  private readonly seldom: Seldom;
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
    return new LimitCounts(key, clock, shareOf, () => this.shared);
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
    const { countsOf, seldom, variables } = this.of;
    const parts: LimitParts = {
      scope,
      guarded,
      seldom,
      variables,
      countsOf: (limit, index) => countsOf(keyOf(route, limit, index)),
    };
    const all = limits.map((limit, index) => compileLimit(route, limit, index, parts));
    return PHASES.flatMap((phase) => {
      const own = all.filter((limit) => limit.phase === phase);
      return own.length === 0 ? [] : [new LimitFilter(phase, own, parts)];
    });
  }
}

/** Counts are of a route, unless they have a name. Another rate or another `per` begins anew. */
function keyOf(route: string, { name, rate, per, burst }: LimitConfig, index: number): string {
  if (name !== null) return `name ${name}`;
  return `route ${route} ${index} ${JSON.stringify([String(rate), String(per), burst])}`;
}
