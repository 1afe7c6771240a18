import type { LimitConfig } from '../config/model.ts';
import {
  compileExpression,
  compileTemplate,
  EvaluationFailure,
  type ExchangeVariables,
  type Scope,
} from '../expression/index.ts';
import { Failure } from '../http/errors.ts';
import type { Exchange, Reply } from '../http/exchange.ts';
import { type CompiledRoute, type Filter, problem } from '../pipeline/index.ts';
import type { Seldom } from '../telemetry/index.ts';
import { parseRate, rateError } from '../util/rate.ts';
import type { Allowance, Verdict } from './gcra.ts';
import type { LimitCounts } from './limit-counts.ts';
import { byAddress, byValue, type KeyOf } from './limit-key.ts';
import { rateLimitFields, type Told } from './rate-limit-fields.ts';

export interface LimitParts {
  /** The body of a guarded route is read once its client may come in. */
  readonly guarded: boolean;
  readonly scope: Scope;
  readonly seldom: Seldom;
  variables(exchange: Exchange): ExchangeVariables;
  countsOf(limit: LimitConfig, index: number): LimitCounts;
}

export type LimitPhase = 'admit' | 'limit' | 'authorize';

/** A limit as requests meet it. */
export interface CompiledLimit {
  readonly name: string;
  /** When it can be judged: at once, once it is known who asks, or once the body is read. */
  readonly phase: LimitPhase;
  readonly report: boolean;
  readonly counts: LimitCounts;
  readonly keyOf: KeyOf;
  /** Throws EvaluationFailure where it can't be worked out. */
  allowanceFor(vars: ExchangeVariables): Allowance;
}

/** @throws ExpressionError */
export function compileLimit(
  route: string,
  config: LimitConfig,
  index: number,
  { scope, guarded, countsOf }: LimitParts,
): CompiledLimit {
  const per = config.per === null ? null : compileExpression(config.per, scope);
  const rate = compileRate(config, scope);
  const mentions = [...(per?.mentions ?? []), ...rate.mentions];
  return {
    name: config.name ?? (index === 0 ? route : `${route}-${index + 1}`),
    phase: phaseOf(mentions, guarded),
    report: config.report,
    counts: countsOf(config, index),
    keyOf: per === null ? byAddress : byValue(per),
    allowanceFor: rate.allowanceFor,
  };
}

function phaseOf(mentions: readonly string[], guarded: boolean): LimitPhase {
  const names = (variable: string) =>
    mentions.some((path) => path === variable || path.startsWith(`${variable}.`));
  if (guarded && names('request.body')) return 'authorize';
  return names('auth') ? 'limit' : 'admit';
}

function compileRate({ rate, burst }: LimitConfig, scope: Scope) {
  if (typeof rate === 'string' && !rate.includes('{')) {
    const fixed = allowanceOf(rate, burst);
    return { mentions: new Set<string>(), allowanceFor: () => fixed };
  }
  const template = compileTemplate(rate, scope, { filled: true });
  const known = new Map<string, Allowance>();
  return {
    mentions: template.mentions,
    allowanceFor(vars: ExchangeVariables): Allowance {
      const text = template.render(vars);
      const seen = known.get(text);
      if (seen !== undefined) return seen;
      if (rateError(text) !== null) throw new EvaluationFailure('value', `"${text}" is no rate`);
      const allowance = allowanceOf(text, burst);
      // As many as an expression may reasonably yield; further ones are worked out each time.
      if (known.size < 1000) known.set(text, allowance);
      return allowance;
    },
  };
}

/** `burst` null: one second's rate, at least 1. */
function allowanceOf(rate: string, burst: number | null): Allowance {
  const { count, per } = parseRate(rate);
  return { count, per, burst: burst ?? Math.max(1, Math.floor((count * 1000) / per)) };
}

/** Refuses what exceeds one of the limits; what one of them refuses counts for none. */
export class LimitFilter implements Filter {
  readonly phase: LimitPhase;
  private readonly limits: readonly CompiledLimit[];
  private readonly parts: LimitParts;

  constructor(phase: LimitPhase, limits: readonly CompiledLimit[], parts: LimitParts) {
    this.phase = phase;
    this.limits = limits;
    this.parts = parts;
  }

  run(exchange: Exchange): Reply | null | Promise<Reply | null> {
    return this.from(exchange, 0, []);
  }

  /** Takes from each limit in turn; waits only where one has to ask Redis. */
  private from(exchange: Exchange, index: number, taken: Taken[]): Reply | null | Promise<Reply | null> {
    for (let i = index; i < this.limits.length; i++) {
      const limit = this.limits[i]!;
      const vars = this.parts.variables(exchange).strict();
      let allowance: Allowance;
      try {
        allowance = limit.allowanceFor(vars);
      } catch (error) {
        if (!(error instanceof EvaluationFailure)) throw error;
        return this.refuse(
          exchange,
          taken,
          new Failure('TG_LIMIT_RATE', `limit ${limit.name}: ${error.message}`),
        );
      }
      const key = limit.keyOf(exchange, vars);
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
    return null;
  }

  private follow(exchange: Exchange, one: Taken, taken: Taken[]): Reply | null {
    const { limit, verdict } = one;
    if (verdict.allowed) {
      taken.push(one);
      return null;
    }
    const route = exchange.route as CompiledRoute;
    if (limit.report) {
      route.counter.reported();
      this.parts.seldom.warn('a limit on trial would refuse requests', {
        route: route.name,
        limit: limit.name,
      });
      return null;
    }
    route.counter.limited();
    const failure = new Failure('TG_LIMIT_EXCEEDED', `limit ${limit.name}`, Math.max(1, verdict.wait / 1000));
    return this.refuse(exchange, [...taken, one], failure);
  }

  private refuse(exchange: Exchange, taken: readonly Taken[], failure: Failure): Reply {
    for (const { limit, key, allowance, verdict } of taken)
      if (verdict.allowed) limit.counts.giveBack(key, allowance);
    tell(exchange, taken);
    exchange.refused = true;
    return problem(failure, exchange.id);
  }
}

interface Taken {
  readonly limit: CompiledLimit;
  readonly key: string;
  readonly allowance: Allowance;
  readonly verdict: Verdict;
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
