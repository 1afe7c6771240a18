import type { StatusRange } from '../../config/model.ts';
import type { Variables } from '../../expression/index.ts';
import { isSource } from '../../http/body.ts';
import { collect } from '../../http/collect.ts';
import { crashOf, Failure } from '../../http/errors.ts';
import type { Exchange, Reply } from '../../http/exchange.ts';
import type { Clock } from '../../util/clock.ts';
import { problem } from '../problem.ts';
import type { Answer } from '../respond.ts';
import type { Dispatch, Finish } from '../route.ts';
import type { HeaderTransform } from '../transform.ts';

/** What stands in the place of an answer with a certain status; `fromService`: of one that the service itself gave. */
export type StatusAction = { readonly fromService: boolean } & (
  | {
      readonly kind: 'answer';
      readonly answer: Answer;
      /** Of the answer; 0: it stays as it was. */
      readonly status: number;
    }
  | { readonly kind: 'to'; readonly dispatch: Dispatch }
);

export interface StatusRule {
  readonly range: StatusRange;
  readonly actions: readonly StatusAction[];
}

/** Takes the answer that goes out in the end. `transform` undefined: the one that belongs to the original. */
export type Settled = (answer: Reply, transform: HeaderTransform | null | undefined) => void;

const SAFE = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE']);
/** What is read of an answer that is thrown away, so that its connection can be used again. */
const DRAIN = 64 * 1024;
/** And for how long, in ms. */
const DRAIN_TIME = 1000;

/**
 * `onStatus`: an answer with one of these statuses gives way to another one, which is not handled again. Only
 * before a byte of it went out, and to another service only where asking twice is safe.
 */
export class OnStatus {
  private readonly rules: readonly StatusRule[];

  constructor(rules: readonly StatusRule[]) {
    this.rules = rules;
  }

  /** True: it has taken the answer over, and `settled` will be called. */
  handle(exchange: Exchange, answer: Reply, vars: Variables, clock: Clock, settled: Settled): boolean {
    const rule = this.ruleFor(answer.status);
    if (rule === undefined || answer.status === 101) return false;
    const { failure } = answer;
    return this.attempt(rule, 0, { exchange, failure, answer, vars, clock, settled });
  }

  /** The answer of the gateway's own that stands in for a request that could not be read; null for none. */
  standIn(exchange: Exchange, answer: Reply, vars: Variables): Reply | null {
    const action = this.ruleFor(answer.status)?.actions.find(
      ({ kind, fromService }) => kind === 'answer' && !fromService,
    );
    return action === undefined ? null : ownAnswer(action as Own, exchange, answer, vars);
  }

  private ruleFor(status: number): StatusRule | undefined {
    return this.rules.find(({ range: [from, to] }) => status >= from && status <= to);
  }

  /** Takes the first action from `index` on that can be taken. */
  private attempt(rule: StatusRule, index: number, on: Handling): boolean {
    const action = rule.actions[index];
    if (action === undefined) return false;
    if (action.fromService && (on.failure !== null || on.exchange.refused))
      return this.attempt(rule, index + 1, on);
    if (action.kind === 'answer') {
      const stand = ownAnswer(action, on.exchange, on.answer, on.vars);
      discard(on.answer, on.clock);
      on.exchange.replaced = on.answer.failure;
      on.settled(stand, undefined);
      return true;
    }
    if (!mayAskAgain(on.exchange, on.failure)) return this.attempt(rule, index + 1, on);
    this.ask(action.dispatch, rule, index, on);
    return true;
  }

  private ask(dispatch: Dispatch, rule: StatusRule, index: number, on: Handling): void {
    const { exchange } = on;
    discard(on.answer, on.clock);
    // Whoever held a place for the first answer lets go of it: the second has its own.
    const { owner } = exchange;
    exchange.owner = null;
    owner?.over(null);
    exchange.dispatchedAt = on.clock.now();
    const settle: Finish['finish'] = (_exchange, answer, transform) => {
      const [from, to] = rule.range;
      const better = answer.failure === null && (answer.status < from || answer.status > to);
      if (!better && this.attempt(rule, index + 1, { ...on, answer })) return;
      on.settled(answer, transform);
    };
    try {
      dispatch(exchange, { finish: settle });
    } catch (error) {
      // A bug, and called from where nobody else would catch it: it must not take the worker along.
      on.settled(problem(crashOf(error), exchange.id), undefined);
    }
  }
}

interface Handling {
  readonly exchange: Exchange;
  /** Why the gateway itself gave the first answer; null: the service did. */
  readonly failure: Failure | null;
  /** The one that has come last. */
  readonly answer: Reply;
  readonly vars: Variables;
  readonly clock: Clock;
  readonly settled: Settled;
}

type Own = Extract<StatusAction, { kind: 'answer' }>;

function ownAnswer(action: Own, exchange: Exchange, answer: Reply, vars: Variables): Reply {
  const stand = action.answer(exchange, vars);
  if (action.status === 0 && stand.failure === null) stand.status = answer.status;
  return stand;
}

/**
 * What auth, limits or parsing refuse is not mended by asking another service, nor may an unsafe request be
 * sent twice. That no route takes it is no refusal.
 */
function mayAskAgain(exchange: Exchange, failure: Failure | null): boolean {
  if (exchange.refused || !SAFE.has(exchange.method) || isSource(exchange.body)) return false;
  if (failure === null) return true;
  const { code, entry } = failure;
  return entry.blame !== 'client' || code === 'TG_ROUTE_NOT_FOUND' || code === 'TG_ROUTE_METHOD';
}

function discard({ body }: Reply, clock: Clock): void {
  if (!isSource(body)) return;
  // One that drips would hold its connection, and its place in the service, for as long as it likes.
  const late = clock.after(DRAIN_TIME, () => body.cancel());
  void collect(body, DRAIN, new Failure('TG_UPSTREAM_INVALID')).then(() => clock.cancel(late));
}
