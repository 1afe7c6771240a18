import { EvaluationFailure, type ExchangeVariables, type Variables } from '../expression/index.ts';
import { Failure } from '../http/errors.ts';
import type { Exchange, Reply } from '../http/exchange.ts';
import { type CompiledRoute, type Filter, problem } from '../pipeline/index.ts';
import type { Seldom } from '../telemetry/index.ts';
import { type Allowance, unspent, type Verdict } from './gcra.ts';
import type { LimitCounts } from './limit-counts.ts';
import type { LimitPhase, LimitTerms } from './limit-terms.ts';
import { rateLimitFields, type Told } from './rate-limit-fields.ts';

export interface LimitParts {
  readonly seldom: Seldom;
  variables(exchange: Exchange): ExchangeVariables;
}

/** A limit as requests meet it. */
export interface CompiledLimit extends LimitTerms {
  readonly counts: LimitCounts;
}

/** What limits read that read nothing: it costs nothing either. */
const NOTHING: Variables = { get: () => undefined };

/** What requests have taken of limits that were judged in an earlier phase, of a route that has limits in several. */
export type Earlier = WeakMap<Exchange, readonly Taken[]>;

/** Refuses what exceeds one of the limits; what one of them refuses counts for none. */
export class LimitFilter implements Filter {
  readonly phase: LimitPhase;
  private readonly limits: readonly CompiledLimit[];
  private readonly parts: LimitParts;
  private readonly earlier: Earlier | null;
  private readonly plain: boolean;

  /** @param earlier Shared by the filters of one route; null where it has but this. */
  constructor(
    phase: LimitPhase,
    limits: readonly CompiledLimit[],
    parts: LimitParts,
    earlier: Earlier | null,
  ) {
    this.phase = phase;
    this.limits = limits;
    this.parts = parts;
    this.earlier = earlier;
    this.plain = limits.every((limit) => limit.plain);
  }

  run(exchange: Exchange): Reply | null | Promise<Reply | null> {
    return this.from(exchange, 0, []);
  }

  /** Takes from each limit in turn; waits only where one has to ask Redis. */
  private from(exchange: Exchange, index: number, taken: Taken[]): Reply | null | Promise<Reply | null> {
    const strict = this.plain ? NOTHING : this.parts.variables(exchange).strict();
    for (let i = index; i < this.limits.length; i++) {
      const limit = this.limits[i]!;
      const allowance = allowanceOf(limit, strict);
      if (typeof allowance === 'string') {
        if (this.passes(exchange, limit)) continue;
        const failure = new Failure('TG_LIMIT_RATE', `limit ${limit.name}: ${allowance}`);
        return this.refuse(exchange, taken, failure);
      }
      const key = limit.keyOf(exchange, strict);
      const verdict = limit.counts.take(key, allowance);
      const one = { limit, key, allowance };
      if (!(verdict instanceof Promise)) {
        const refusal = this.follow(exchange, { ...one, verdict }, taken);
        if (refusal !== null) return refusal;
        continue;
      }
      return verdict.then((known) => {
        const refusal = this.follow(exchange, { ...one, verdict: known }, taken);
        return refusal ?? this.from(exchange, i + 1, taken);
      });
    }
    tell(exchange, taken);
    this.earlier?.set(exchange, [...(this.earlier.get(exchange) ?? []), ...taken]);
    return null;
  }

  private follow(exchange: Exchange, one: Taken, taken: Taken[]): Reply | null {
    const { limit, verdict } = one;
    if (verdict.allowed) {
      taken.push(one);
      return null;
    }
    if (this.passes(exchange, limit)) return null;
    (exchange.route as CompiledRoute).counter.limited();
    const failure = new Failure('TG_LIMIT_EXCEEDED', `limit ${limit.name}`, Math.max(1, verdict.wait / 1000));
    return this.refuse(exchange, [...taken, one], failure);
  }

  /** What a limit on trial would refuse is told, and passes. */
  private passes(exchange: Exchange, { report, name }: CompiledLimit): boolean {
    if (!report) return false;
    const route = exchange.route as CompiledRoute;
    route.counter.reported();
    this.parts.seldom.warn('a limit on trial would refuse requests', { route: route.name, limit: name });
    return true;
  }

  private refuse(exchange: Exchange, taken: readonly Taken[], failure: Failure): Reply {
    for (const { limit, key, allowance, verdict } of [...(this.earlier?.get(exchange) ?? []), ...taken])
      if (verdict.allowed) limit.counts.giveBack(key, allowance);
    tell(exchange, taken.map(givenBack));
    exchange.refused = true;
    return problem(failure, exchange.id);
  }
}

/** A text says why it can't be worked out. */
function allowanceOf(limit: CompiledLimit, strict: Variables): Allowance | string {
  try {
    return limit.allowanceFor(strict);
  } catch (error) {
    if (error instanceof EvaluationFailure) return error.message;
    throw error;
  }
}

interface Taken {
  readonly limit: CompiledLimit;
  readonly key: string;
  readonly allowance: Allowance;
  readonly verdict: Verdict;
}

function givenBack(one: Taken): Taken {
  const { verdict, allowance } = one;
  return verdict.allowed ? { ...one, verdict: unspent(verdict, allowance) } : one;
}

/** Whatever the answer is, it says what is left. A limit on trial is nobody's business yet. */
function tell(exchange: Exchange, taken: readonly Taken[]): void {
  const told: Told[] = taken
    .filter(({ limit }) => !limit.report)
    .map(({ limit, allowance, verdict }) => ({ name: limit.name, allowance, verdict }));
  if (told.length === 0) return;
  const fields = rateLimitFields(told);
  exchange.toClient = exchange.toClient === null ? fields : [...exchange.toClient, ...fields];
}
