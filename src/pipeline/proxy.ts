import type { Variables } from '../expression/index.ts';
import { type Body, cancelBody, isSource } from '../http/body.ts';
import { collect } from '../http/collect.ts';
import { crashOf, Failure } from '../http/errors.ts';
import {
  type Abortable,
  type Exchange,
  type Owner,
  type Reply,
  reply,
  type TrySpan,
  type Tunnel,
} from '../http/exchange.ts';
import type { Headers } from '../http/headers.ts';
import { isEventStream } from '../http/media-type.ts';
import { ReplayBody } from '../http/replay.ts';
import type { Carrier, OutgoingRequest, ResponseHandler, ResponseHead } from '../http1/index.ts';
import {
  type Applicant,
  type FailedTry,
  isIdempotent,
  isRetryable,
  mayRepeat,
  type Reuse,
  retryDelay,
  type Service,
  statusIn,
  type Target,
  troubleOf,
  Verdict,
  type Waiter,
  type Wish,
} from '../upstream/index.ts';
import type { Clock, Timer } from '../util/clock.ts';
import type { Linked } from '../util/linked-list.ts';
import type { Random } from '../util/random.ts';
import { failureOf } from './evaluation.ts';
import { via } from './forwarded.ts';
import { answeredHere } from './max-forwards.ts';
import { outgoingRequest } from './outgoing.ts';
import { problem } from './problem.ts';
import type { Dispatch, Finish } from './route.ts';
import type { Side } from './side.ts';

export interface ProxyParts {
  readonly clock: Clock;
  readonly random: Random;
  /** The variables of expressions, for an exchange. */
  variables(exchange: Exchange): Variables;
}

/** Bytes of a request body that are kept for another try, and of an answer in whose place another is sought. */
const REPLAY_LIMIT = 64 * 1024;

/** Sends what it is given to one service. */
export function compileProxy(side: Side, parts: ProxyParts): Dispatch {
  const { credential } = side;
  const send: Dispatch = (exchange, finish) => {
    const last = answeredHere(exchange);
    if (last !== null) return finish.finish(exchange, last, side.response);
    new ProxyCall(exchange, side, finish, parts).start();
  };
  if (credential === null) return send;
  return (exchange, finish) => {
    const waiting = credential.ready();
    if (waiting === null) return send(exchange, finish);
    waiting
      .catch((error: unknown) => crashOf(error))
      .then((failure) => {
        if (exchange.aborted !== null) return cancelBody(exchange.body);
        if (failure === null) return send(exchange, finish);
        cancelBody(exchange.body);
        finish.finish(exchange, problem(failure, exchange.id), side.response);
      });
  };
}

/**
 * One exchange on its way to a service and back: admission, then tries, each on a connection of a target,
 * until one gives an answer that is passed on. Nothing is tried again once a byte of an answer went out.
 */
class ProxyCall implements Applicant, Waiter, ResponseHandler, Abortable, Owner {
  after: Linked | null = null;
  before: Linked | null = null;
  wish: Wish | null = null;
  private readonly exchange: Exchange;
  private readonly side: Side;
  private readonly out: Finish;
  private readonly parts: ProxyParts;
  private readonly vars: Variables;
  private readonly method: string;
  private path = '';
  private host = '';
  private key: string | null = null;
  private target: Target | null = null;
  private tried: Target[] | null = null;
  private carrier: Carrier | null = null;
  /** Of the answer that was passed on, as its connection reads it. */
  private received: Body = null;
  private replay: ReplayBody | null = null;
  private respondBy: number;
  /** The one thing waited for: a place, a connection, or the time of the next try. */
  private waiting: Timer | null = null;
  private totalTimer: Timer | null = null;
  private attempts = 0;
  private repeated = false;
  /** A place of the service is held. */
  private admitted_ = false;
  /** Of the try that is under way, or the last. */
  private verdict: Verdict | null = null;
  /** An answer was passed on, or the exchange given up. */
  private over_ = false;
  /** Of the try, where it is recorded. */
  private span: TrySpan | null = null;
  /** An answer of the service that another try is to better. */
  private spare: Reply | null = null;

  constructor(exchange: Exchange, side: Side, out: Finish, parts: ProxyParts) {
    this.exchange = exchange;
    this.side = side;
    this.out = out;
    this.parts = parts;
    this.vars = parts.variables(exchange);
    this.method = side.method ?? exchange.method;
    this.respondBy =
      exchange.body === null ? exchange.dispatchedAt + side.timeouts.response : Number.POSITIVE_INFINITY;
  }

  start(): void {
    const { exchange, side } = this;
    const { service, retries } = side;
    try {
      this.path = side.destination(exchange, this.vars);
      if (typeof side.host === 'function') this.host = side.host(this.vars);
    } catch (error) {
      return this.answer(problem(failureOf(error, 'TG_UPSTREAM_VALUE'), exchange.id));
    }
    if (side.affinity !== null) this.key = side.affinity.read(exchange.headers);
    else if (side.balanceKey !== null) this.key = side.balanceKey(exchange, this.vars);
    if (isSource(exchange.body) && (service.refuses || mayRepeat(this.method, retries)))
      this.replay = new ReplayBody(exchange.body, REPLAY_LIMIT);
    exchange.owner = this;
    if (side.totalFromSending !== true) this.limitTotal(exchange.startedAt);
    exchange.watch(this);
    if (this.over_) return;
    service.state.budget.request(exchange.dispatchedAt);
    const entered = service.state.admission.enter(this);
    if (entered === true) return this.admitted();
    if (entered === null)
      return this.fail(
        new Failure('TG_UPSTREAM_BUSY', `service ${service.name} has its maximum of requests`),
      );
    this.waitForPlace();
  }

  /** There is a place in the service: the first try. */
  admitted(): void {
    this.stopWaiting();
    this.admitted_ = true;
    if (this.isSafeAhead()) this.tryTarget('ahead');
    else this.tryTarget(isIdempotent(this.method) ? 'any' : 'recent');
  }

  /** May it be sent before the answers ahead of it have come, where its service takes that? */
  private isSafeAhead(): boolean {
    const { body, upgrade } = this.exchange;
    return (this.method === 'GET' || this.method === 'HEAD') && body === null && upgrade === null;
  }

  private tryTarget(reuse: Reuse): void {
    const { service } = this.side;
    const shutFor = service.breaker.off ? 0 : service.breaker.admit();
    if (shutFor > 0)
      return this.fail(new Failure('TG_UPSTREAM_OPEN', `breaker of ${service.name}`, shutFor / 1000));
    const target = service.pick(this.key, this.tried);
    if (target === null) {
      service.breaker.withdraw();
      return this.fail(unavailable(service));
    }
    this.acquire(target, reuse);
  }

  private acquire(target: Target, reuse: Reuse): void {
    this.target = target;
    this.exchange.served = target;
    this.span = this.exchange.trace?.try(target, this.method, target.path + this.path) ?? null;
    const verdict = new Verdict(this.side.service, target);
    this.verdict = verdict;
    target.state.pool.acquire(this, reuse, this.side.timeouts.connect);
    if (this.carrier === null && this.verdict === verdict && !this.over_) this.waitForPlace();
  }

  /** A place or a connection must be had within the time there is for an answer. */
  private waitForPlace(): void {
    const { clock } = this.parts;
    const unsent = this.respondBy === Number.POSITIVE_INFINITY;
    const by = unsent ? this.exchange.dispatchedAt + this.side.timeouts.response : this.respondBy;
    if (this.waiting !== null || by === Number.POSITIVE_INFINITY) return;
    this.waiting = clock.after(by - clock.now(), () =>
      this.fail(new Failure('TG_UPSTREAM_TIMEOUT', 'no connection in time')),
    );
  }

  connected(carrier: Carrier): void {
    this.stopWaiting();
    this.carrier = carrier;
    if (this.side.totalFromSending === true && this.totalTimer === null)
      this.limitTotal(this.parts.clock.now());
    carrier.send(this.outgoing(this.target!), this);
  }

  private outgoing(target: Target): OutgoingRequest {
    const { exchange, side, method, path, host, vars } = this;
    const body = this.replay?.attempt() ?? exchange.body;
    const traceparent = this.span?.traceparent ?? null;
    const one = { exchange, side, target, method, path, host, vars, body, traceparent };
    return outgoingRequest(one, this.parts.random);
  }

  // --- What comes of a try. ---

  sent(): number {
    if (this.respondBy === Number.POSITIVE_INFINITY)
      this.respondBy = this.parts.clock.now() + this.side.timeouts.response;
    return this.respondBy;
  }

  informed(status: number, headers: Headers): void {
    this.exchange.responder.inform(this.exchange, status, headers);
  }

  responded(head: ResponseHead, body: Body): void {
    this.span?.end(head.status, null);
    const { on } = this.side.retries;
    if (
      on.statuses.length > 0 &&
      statusIn(head.status, on.statuses) &&
      this.mayTryAgain(this.failedBy(head.status))
    ) {
      return void this.setAside(head, body);
    }
    head.headers.push('Via', via(undefined, head.version));
    this.received = body;
    // Without a body there is no stream, and its connection may serve another already.
    if (body !== null && isEventStream(head.headers)) this.detachStream();
    this.keepOnTarget();
    this.judgeStatus(head.status);
    if (head.status === 401) this.side.credential?.refused();
    this.answer(reply(head.status, head.headers, body));
  }

  /** Where a cookie holds a client on its target, it learns which one that is now. */
  private keepOnTarget(): void {
    const { affinity } = this.side;
    const { name } = this.target!;
    if (affinity !== null && this.key !== name) this.exchange.setCookie(affinity.line(name, this.exchange));
  }

  upgraded(head: ResponseHead, tunnel: Tunnel): void {
    this.span?.end(101, null);
    const answer = reply(101, head.headers, null);
    answer.tunnel = tunnel;
    this.keepOnTarget();
    this.verdict?.give(null, false);
    this.leave();
    this.stopTotal();
    this.answer(answer);
  }

  failed(failure: Failure, carrier?: Carrier): void {
    this.carrier = null;
    this.span?.end(null, failure);
    if (this.over_) return;
    if (carrier !== undefined && this.wasStale(failure, carrier)) {
      if (carrier.shared) return this.tryElsewhere();
      this.repeated = true;
      return this.acquire(this.target!, 'none');
    }
    // The client's own failure says nothing about the service.
    if (failure.entry.blame === 'client') return this.fail(failure);
    const trouble = troubleOf(failure);
    // Nor does it that there was no place on a connection: nobody was asked.
    const isTelling = carrier === undefined ? trouble !== 'other' : failure.entry.blame === 'upstream';
    if (isTelling) this.verdict?.give(trouble === 'other' ? null : failure.cause, true);
    else this.verdict?.drop();
    const failed: FailedTry = {
      trouble,
      status: null,
      sent: carrier !== undefined && !carrier.unprocessed,
      method: this.method,
      replayable: this.replayable(carrier !== undefined),
    };
    if (this.mayTryAgain(failed)) this.tryAgain();
    else this.fail(failure);
  }

  overtaken(): void {
    this.carrier = null;
    if (!this.over_) this.tryElsewhere();
  }

  /**
   * What was sent together with others and not answered is tried once more, outside of count and budget, alone:
   * on another target where the choice is free, else on a fresh connection.
   */
  private tryElsewhere(): void {
    const target = this.target!;
    this.repeated = true;
    const other = this.key === null ? this.side.service.pick(null, [target]) : null;
    this.acquire(other ?? target, 'none');
  }

  /**
   * A kept connection may be closed by its service just as a request is sent on it: then nothing was done, and
   * a request that may be repeated is, once, on a fresh one (RFC 9112 §9.3.1). Any may where the service has said
   * that it did nothing (RFC 9113 §6.8).
   */
  private wasStale(failure: Failure, carrier: Carrier): boolean {
    if (this.repeated || failure.code !== 'TG_UPSTREAM_RESET' || !carrier.stale) return false;
    return (carrier.unprocessed || isIdempotent(this.method)) && this.replayable(true);
  }

  private failedBy(status: number): FailedTry {
    return { trouble: 'other', status, sent: true, method: this.method, replayable: this.replayable(true) };
  }

  private replayable(sent: boolean): boolean {
    if (this.replay !== null) return this.replay.replayable;
    return !sent || !isSource(this.exchange.body);
  }

  private mayTryAgain(failed: FailedTry): boolean {
    const { retries, service } = this.side;
    if (this.over_ || this.attempts >= retries.attempts || !isRetryable(failed, retries)) return false;
    const now = this.parts.clock.now();
    if (now >= this.respondBy) return false;
    return service.state.budget.take(now, retries.budget);
  }

  private tryAgain(): void {
    const { side, parts } = this;
    this.attempts++;
    this.target!.state.retries++;
    this.tried ??= [];
    this.tried.push(this.target!);
    const reuse: Reuse = isIdempotent(this.method) ? 'any' : 'recent';
    const delay = retryDelay(this.attempts, side.service.hasOther(this.tried), parts.random);
    if (delay === 0) return this.tryTarget(reuse);
    this.waiting = parts.clock.after(delay, () => {
      this.waiting = null;
      this.tryTarget(reuse);
    });
  }

  /** Keeps an answer that another try is to better: if none can be had, it goes out after all. */
  private async setAside(head: ResponseHead, body: Body): Promise<void> {
    const { clock } = this.parts;
    const by = Math.min(this.respondBy, clock.now() + this.side.timeouts.response);
    if (by !== Number.POSITIVE_INFINITY) {
      this.waiting = clock.after(by - clock.now(), () => {
        this.verdict?.give(`status ${head.status}`, head.status >= 500);
        this.fail(new Failure('TG_UPSTREAM_TIMEOUT', `the body of its ${head.status} did not come in time`));
      });
    }
    const bytes = await collect(
      body,
      REPLAY_LIMIT,
      new Failure('TG_UPSTREAM_INVALID', 'too long to be kept'),
    );
    if (this.over_) return;
    this.stopWaiting();
    this.carrier = null;
    if (!(bytes instanceof Failure)) {
      head.headers.push('Via', via(undefined, head.version));
      this.spare = reply(head.status, head.headers, bytes);
    }
    this.verdict?.give(`status ${head.status}`, head.status >= 500);
    this.tryAgain();
  }

  // --- What the target is held to. ---

  private judgeStatus(status: number): void {
    const speaksAgainst = statusIn(status, this.side.retries.on.statuses);
    if (speaksAgainst || status >= 500)
      this.verdict?.give(speaksAgainst ? `status ${status}` : null, status >= 500);
  }

  // --- Its end. ---

  /** The client left: whatever is under way for it ends. */
  abort(failure: Failure): void {
    if (this.over_) return;
    this.over_ = true;
    this.span?.end(null, failure);
    this.giveUpTry();
    this.letGoOfBody();
  }

  private fail(failure: Failure): void {
    if (this.over_) return;
    this.span?.end(null, failure);
    this.giveUpTry();
    this.verdict?.drop();
    const { spare } = this;
    this.spare = null;
    this.answer(spare ?? problem(failure, this.exchange.id));
  }

  private giveUpTry(): void {
    this.stopWaiting();
    this.side.service.state.admission.withdraw(this);
    this.target?.state.pool.leave(this);
    this.carrier?.cancel(this);
    this.carrier = null;
  }

  private answer(answer: Reply): void {
    if (this.over_) return void cancelAnswer(answer);
    this.over_ = true;
    this.stopWaiting();
    this.exchange.watch(null);
    if (answer.failure !== null) this.letGoOfBody();
    this.out.finish(this.exchange, answer, this.side.response);
  }

  /** The exchange is over, down to its last byte. */
  over(failure: Failure | null): void {
    this.over_ = true;
    this.stopTotal();
    if (failure === null) this.verdict?.give(null, false);
    else if (failure.entry.blame === 'upstream')
      this.verdict?.give(troubleOf(failure) === 'other' ? null : failure.cause, true);
    else this.verdict?.drop();
    this.leave();
  }

  private leave(): void {
    if (!this.admitted_) return;
    this.admitted_ = false;
    this.side.service.state.admission.leave();
  }

  /** A stream without end is not counted among the requests that the service has under way. */
  private detachStream(): void {
    this.verdict?.give(null, false);
    this.leave();
    this.carrier?.detach();
  }

  private letGoOfBody(): void {
    if (this.replay !== null) this.replay.cancel();
    else cancelBody(this.exchange.body);
  }

  private stopWaiting(): void {
    if (this.waiting === null) return;
    this.parts.clock.cancel(this.waiting);
    this.waiting = null;
  }

  /** `timeout.total`: the whole exchange, its body included. A tunnel is no longer an exchange. */
  private limitTotal(from: number): void {
    const { clock } = this.parts;
    const { total } = this.side.timeouts;
    if (total === Number.POSITIVE_INFINITY) return;
    const left = total - (clock.now() - from);
    this.totalTimer = clock.after(left, () => this.outOfTime());
  }

  private stopTotal(): void {
    if (this.totalTimer === null) return;
    this.parts.clock.cancel(this.totalTimer);
    this.totalTimer = null;
  }

  private outOfTime(): void {
    const failure = new Failure('TG_UPSTREAM_TIMEOUT', 'timeout.total');
    this.totalTimer = null;
    if (!this.over_) return this.fail(failure);
    // It may be the client that was slow to take it.
    this.verdict?.drop();
    this.carrier?.abort(this.received, failure);
  }
}

function unavailable(service: Service): Failure {
  const ms = service.outFor();
  return new Failure(
    'TG_UPSTREAM_UNAVAILABLE',
    service.whyOut(),
    ms === Number.POSITIVE_INFINITY ? undefined : ms / 1000,
  );
}

function cancelAnswer(answer: Reply): void {
  cancelBody(answer.body);
  answer.tunnel?.source.cancel();
}
