import type {
  AggregateConfig,
  CallConfig,
  CompensateConfig,
  OnErrorWord,
  RoutePolicyConfig,
} from '../config/model.ts';
import { compileTemplate, type Scope, type Variables } from '../expression/index.ts';
import type { Exchange } from '../http/exchange.ts';
import { compileHeaders, type HeaderLines, type HeaderTransform } from '../pipeline/index.ts';
import type { Clock } from '../util/clock.ts';
import type { Random } from '../util/random.ts';
import type { Unfinished } from '../util/unfinished.ts';
import type { Addressee } from './asking.ts';
import { Gathering } from './gathering.ts';
import { type Plan, type PlannedCall, planCalls } from './plan.ts';
import {
  type AnswerPrograms,
  aggregateScope,
  attemptNothing,
  type CallPrograms,
  compileAnswer,
  compileCallPrograms,
  type RequestPrograms,
} from './programs.ts';
import { type Varies, variesBy } from './varies.ts';

/** An aggregate with all its expressions compiled and its calls addressed. Immutable. */
export interface CompiledAggregate {
  readonly calls: readonly CompiledCall[];
  readonly places: ReadonlyMap<string, number>;
  /** Milliseconds. */
  readonly deadline: number;
  readonly answer: AnswerPrograms;
  readonly headers: readonly HeaderLines[];
  readonly timing: boolean;
  /** What the route says of keeping its answers; null: it keeps none. */
  readonly keeping: RoutePolicyConfig | null;
  /** It keeps an answer for each address of a client, or leaves out of account what parts vary by. */
  readonly byAddress: boolean;
  /** What of the client's request its answer depends on. */
  readonly varies: Varies;
  /** What the route changes about its answers. */
  readonly transform: HeaderTransform | null;
  readonly parts: AggregateParts;
}

export interface CompiledCall {
  readonly name: string;
  readonly config: CallConfig;
  readonly programs: CallPrograms;
  readonly planned: PlannedCall;
  readonly addressee: Addressee;
  readonly onError: OnErrorWord;
  /** Its items are gathered with those of other requests; null: they aren't. */
  readonly gathering: Gathering | null;
  readonly undo: {
    readonly method: string;
    readonly programs: RequestPrograms;
    readonly addressee: Addressee;
  } | null;
}

export interface AggregateParts {
  readonly clock: Clock;
  readonly random: Random;
  /** What is undone for clients that may have left. */
  readonly unfinished: Unfinished;
  variables(exchange: Exchange): Variables;
}

/** Makes what a call is asked through: the one place where that is done. */
export type Address = (
  call: CallConfig | CompensateConfig,
  name: string,
) => Omit<Addressee, 'maxBody' | 'limit'>;

/** Why an aggregate has no plan; a config that was checked has one. */
class NoPlan extends RangeError {}

/** What an aggregate is compiled with. */
export interface AggregateContext {
  /** The variables of the route. */
  readonly scope: Scope;
  readonly address: Address;
  readonly transform: HeaderTransform | null;
  readonly keeping: RoutePolicyConfig | null;
  readonly byAddress: boolean;
  readonly parts: AggregateParts;
}

/**
 * @throws ExpressionError, NoPlan for a config that was not checked
 */
export function compileAggregate(
  config: AggregateConfig,
  { scope, address, transform, keeping, byAddress, parts }: AggregateContext,
): CompiledAggregate {
  const { calls } = config;
  const all = aggregateScope(calls, scope);
  const programs = calls.map((call) => compileCallPrograms(call, calls, all, attemptNothing));
  const plan = planOf(calls, programs);
  const answer = compileAnswer(config, all, attemptNothing);
  return {
    calls: calls.map((call, index) =>
      compiledCall(call, programs[index]!, plan.calls[index]!, address, parts.clock),
    ),
    places: new Map(calls.map(({ name }, index) => [name, index])),
    deadline: config.deadline,
    answer,
    headers: compileHeaders(config.headers, all),
    timing: config.timing,
    keeping,
    byAddress,
    varies: variesBy([
      ...programs.flatMap((one) => one.reads),
      ...[answer.status, answer.body].flatMap((one) => (one === null ? [] : [one.mentions])),
      ...Object.values(config.headers)
        .flat()
        .map((template) => compileTemplate(template, all).mentions),
    ]),
    transform,
    parts,
  };
}

/** The plan of calls that have been checked. */
export function planOf(calls: readonly CallConfig[], programs: readonly CallPrograms[]): Plan {
  const plan = planCalls(
    calls.map(({ name, method }, index) => ({ name, method, needs: programs[index]!.needs })),
  );
  if ('cycle' in plan) throw new NoPlan(`the calls ${plan.cycle.join(', ')} wait for each other`);
  return plan;
}

/** The time limits of a service are kept where it is asked; another route's own count for its own services. */
function limitOf({ to, timeout }: CallConfig | CompensateConfig): number {
  if (to.kind === 'service') return Number.POSITIVE_INFINITY;
  return Math.min(timeout.response ?? Number.POSITIVE_INFINITY, timeout.total ?? Number.POSITIVE_INFINITY);
}

function compiledCall(
  config: CallConfig,
  programs: CallPrograms,
  planned: PlannedCall,
  address: Address,
  clock: Clock,
): CompiledCall {
  const { name, maxBody, onError, compensate } = config;
  const addressee: Addressee = {
    ...address(config, name),
    limit: limitOf(config),
    maxBody,
  };
  return {
    name,
    config,
    programs,
    planned,
    addressee,
    gathering:
      (config.each?.batch?.window ?? 0) > 0 ? new Gathering(config, programs, addressee, clock) : null,
    onError: onError.kind === 'word' ? onError.word : 'fail',
    undo:
      compensate === null
        ? null
        : {
            method: compensate.method,
            programs: programs.compensate!,
            addressee: {
              ...address(compensate, name),
              limit: limitOf(compensate),
              maxBody,
            },
          },
  };
}
