import { aggregateScope, attemptNothing, compileCallPrograms, planOf } from '../aggregate/index.ts';
import type { AggregateConfig, CallConfig } from '../config/model.ts';
import type { Scope } from '../expression/index.ts';
import { maskUrls } from '../util/secret-looks.ts';

/** The plan of an aggregate, without values: those come from answers. */
export interface ExplainedPlan {
  /** Milliseconds; null: none. */
  deadline: number | null;
  /** Names of calls that run beside each other, one list after another. */
  stages: string[][];
  calls: ExplainedCall[];
}

export interface ExplainedCall {
  call: string;
  /** The service, or the route, that is asked. */
  service: string | null;
  route: string | null;
  method: string;
  /** As the config has it. */
  path: string;
  /** Calls that must be over before it begins. */
  after: string[];
  /** How often: one request, one for each item, or one for many items. */
  asks: 'once' | 'each' | 'batch';
  /** The expression that yields the items. */
  each: string | null;
  when: string | null;
  optional: boolean;
  onError: string;
  compensated: boolean;
}

/** Which call waits for which, and what runs beside what. */
export function explainPlan({ calls, deadline }: AggregateConfig, scope: Scope): ExplainedPlan {
  const all = aggregateScope(calls, scope);
  const plan = planOf(
    calls,
    calls.map((call) => compileCallPrograms(call, calls, all, attemptNothing)),
  );
  return {
    deadline: Number.isFinite(deadline) ? deadline : null,
    stages: plan.stages.map((stage) => [...stage]),
    calls: calls.map((call, index) => ({
      ...described(call),
      after: plan.calls[index]!.after.map((other) => calls[other]!.name),
    })),
  };
}

function described(call: CallConfig): ExplainedCall {
  const { name, to, method, path, each, when, optional, onError, compensate } = call;
  return {
    call: name,
    service: to.kind === 'service' ? to.services.map(({ service }) => service).join(' or ') : null,
    route: to.kind === 'route' ? to.route : null,
    method,
    path: path === null ? "the client's path" : maskUrls(textOf(path)),
    after: [],
    asks: each === null ? 'once' : each.batch === null ? 'each' : 'batch',
    each: each === null ? null : textOf(each.list),
    when: when === null ? null : textOf(when),
    optional,
    onError: onError.kind === 'word' ? onError.word : textOf(onError.expression),
    compensated: compensate !== null,
  };
}

function textOf(source: unknown): string {
  return typeof source === 'string' ? source : '(a function)';
}
