import type { LimitConfig } from '../config/model.ts';
import {
  compileExpression,
  compileTemplate,
  EvaluationFailure,
  readsPartOf,
  type Scope,
  type Variables,
} from '../expression/index.ts';
import { parseRate, rateError } from '../util/rate.ts';
import type { Allowance } from './gcra.ts';
import { byAddress, byValue, type KeyOf } from './limit-key.ts';

export type LimitPhase = 'admit' | 'limit' | 'authorize';

/** What a limit says, compiled: how many, and by what they are counted. */
export interface LimitTerms {
  readonly name: string;
  /** When it can be judged: at once, once it is known who asks, or once the body is read. */
  readonly phase: LimitPhase;
  readonly report: boolean;
  readonly keyOf: KeyOf;
  /** Neither its rate nor its key has to be worked out. */
  readonly plain: boolean;
  /** Variables that it reads, as paths: `auth.subject`. */
  readonly mentions: readonly string[];
  /** Throws EvaluationFailure where it can't be worked out. */
  allowanceFor(strict: Variables): Allowance;
}

/**
 * @param index Its place among the limits of its route.
 * @param guarded Somebody is asked who they are on the route.
 * @throws ExpressionError
 */
export function compileTerms(
  route: string,
  config: LimitConfig,
  index: number,
  scope: Scope,
  guarded: boolean,
): LimitTerms {
  const per = config.per === null ? null : compileExpression(config.per, scope);
  const rate = compileRate(config, scope);
  const mentions = [...(per?.mentions ?? []), ...rate.mentions];
  return {
    name: config.name ?? (index === 0 ? route : `${route}-${index + 1}`),
    phase: phaseOf(mentions, guarded),
    report: config.report,
    plain: per === null && rate.fixed,
    mentions,
    keyOf: per === null ? byAddress : byValue(per),
    allowanceFor: rate.allowanceFor,
  };
}

function phaseOf(mentions: readonly string[], guarded: boolean): LimitPhase {
  if (guarded && readsPartOf(mentions, 'request.body')) return 'authorize';
  return readsPartOf(mentions, 'auth') ? 'limit' : 'admit';
}

function compileRate({ rate, burst }: LimitConfig, scope: Scope) {
  if (typeof rate === 'string' && !rate.includes('{')) {
    const fixed = allowanceOf(rate, burst);
    return { fixed: true, mentions: new Set<string>(), allowanceFor: () => fixed };
  }
  const template = compileTemplate(rate, scope, { filled: true, single: true });
  const known = new Map<string, Allowance>();
  return {
    fixed: false,
    mentions: template.mentions,
    allowanceFor(vars: Variables): Allowance {
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
