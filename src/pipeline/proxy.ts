import type { Variables } from '../expression/index.ts';
import { type Body, cancelBody, isSource } from '../http/body.ts';
import { Failure } from '../http/errors.ts';
import { type Abortable, type Exchange, type Reply, reply, type Tunnel } from '../http/exchange.ts';
import type { Headers } from '../http/headers.ts';
import { ReplayBody } from '../http/replay.ts';
import { type ClientConnection, Framing, type OutgoingRequest, type ResponseHandler, type ResponseHead } from '../http1/index.ts';
import type { Balancer, Reuse, Service, Target, Waiter, Weighted } from '../upstream/index.ts';
import type { Clock, Timer } from '../util/clock.ts';
import type { Random } from '../util/random.ts';
import type { Destination } from './destination.ts';
import { failureOf } from './evaluation.ts';
import { dropForwarded, via } from './forwarded.ts';
import { problem } from './problem.ts';
import { requestFraming, requestHead, upgradeOf } from './request-head.ts';
import type { Dispatch, Finish } from './route.ts';
import type { HeaderTransform } from './transform.ts';

/** Milliseconds, Infinity for none. */
export interface Timeouts {
  readonly response: number;
  readonly connect: number;
  readonly firstByte: number;
  readonly idle: number;
  readonly total: number;
}

/** One service that a route sends to, with all that the route and the service say about it. */
export interface Side extends Weighted {
  readonly service: Service;
  readonly destination: Destination;
  /** Null: as the client's. */
  readonly method: string | null;
  /** Null: the client's own. `service`: the name in the target's URL. */
  readonly host: null | 'service' | ((vars: Variables) => string);
  readonly timeouts: Timeouts;
  readonly request: HeaderTransform | null;
  readonly response: HeaderTransform | null;
}

export interface ProxyParts {
  readonly clock: Clock;
  readonly random: Random;
  /** The variables of expressions, for an exchange. */
  variables(exchange: Exchange): Variables;
}

/** Bytes of a request body that are kept for one more try. */
const REPLAY_LIMIT = 64 * 1024;

export function compileProxy(sides: Balancer<Side>, parts: ProxyParts): Dispatch {
  return (exchange, finish) => new ProxyCall(exchange, sides.pick(), finish, parts).start();
}

const SAFE = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE']);

/** RFC 9110 §9.2.2: doing it twice is doing it once. */
function isIdempotent(method: string): boolean {
  return SAFE.has(method) || method === 'PUT' || method === 'DELETE';
}

/** One exchange on its way to a service and back. */
class ProxyCall implements Waiter, ResponseHandler, Abortable {
  private readonly exchange: Exchange;
  private readonly side: Side;
  private readonly out: Finish;
  private readonly parts: ProxyParts;
  private readonly vars: Variables;
  private readonly method: string;
  private target: Target | null = null;
  private path = '';
  private host = '';
  private connection: ClientConnection | null = null;
  private replay: ReplayBody | null = null;
  private respondBy: number;
  private waiting: Timer | null = null;
  private repeated = false;
  private over = false;

  constructor(exchange: Exchange, side: Side, out: Finish, parts: ProxyParts) {
    this.exchange = exchange;
    this.side = side;
    this.out = out;
    this.parts = parts;
    this.vars = parts.variables(exchange);
    this.method = side.method ?? exchange.method;
    this.respondBy = exchange.body === null ? exchange.startedAt + side.timeouts.response : Number.POSITIVE_INFINITY;
  }

  start(): void {
    const { exchange, side } = this;
    try {
      this.path = side.destination(exchange, this.vars);
      if (typeof side.host === 'function') this.host = side.host(this.vars);
    } catch (error) {
      return this.answer(problem(failureOf(error, 'TG_UPSTREAM_VALUE'), exchange.id));
    }
    if (isSource(exchange.body) && isIdempotent(this.method)) this.replay = new ReplayBody(exchange.body, REPLAY_LIMIT);
    if (side.timeouts.total !== Number.POSITIVE_INFINITY) this.limitTotal();
    exchange.watch(this);
    if (!this.over) this.acquire(isIdempotent(this.method) ? 'any' : 'recent');
  }

  private acquire(reuse: Reuse): void {
    const { clock } = this.parts;
    const { timeouts, service } = this.side;
    this.target = service.balancer.pick();
    this.target.pool.acquire(this, reuse, timeouts.connect);
    if (this.over || this.connection !== null || timeouts.response === Number.POSITIVE_INFINITY) return;
    const left = this.exchange.startedAt + timeouts.response - clock.now();
    this.waiting = clock.after(left, () => this.fail(new Failure('TG_UPSTREAM_TIMEOUT', 'no connection in time')));
  }

  connected(connection: ClientConnection): void {
    this.stopWaiting();
    this.connection = connection;
    connection.send(this.request(), this);
  }

  private request(): OutgoingRequest {
    const { exchange, side, target, method } = this;
    const framing = requestFraming(exchange);
    let { headers } = exchange;
    if (side.request !== null) {
      headers = headers.slice();
      if (!exchange.trusted) dropForwarded(headers);
      side.request.apply(headers, this.vars);
    }
    const head = requestHead(
      exchange,
      { method, target: target!.path + this.path, host: this.hostFor(target!), headers, given: side.request?.gives ?? null },
      framing,
      this.parts.random,
    );
    const body: Body = this.replay?.attempt() ?? exchange.body;
    const { firstByte, idle } = side.timeouts;
    return { method, head, framing, body: framing === Framing.none ? null : body, upgrade: upgradeOf(exchange), firstByte, idle };
  }

  private hostFor(target: Target): string {
    const { host } = this.side;
    if (host === null) return this.exchange.authority === '' ? target.authority : this.exchange.authority;
    return host === 'service' ? target.authority : this.host;
  }

  // --- What the connection says. ---

  sent(): number {
    if (this.respondBy === Number.POSITIVE_INFINITY) this.respondBy = this.parts.clock.now() + this.side.timeouts.response;
    return this.respondBy;
  }

  informed(status: number, headers: Headers): void {
    this.exchange.responder.inform(this.exchange, status, headers);
  }

  responded(head: ResponseHead, body: Body): void {
    head.headers.push('Via', via(undefined, head.version));
    this.answer(reply(head.status, head.headers, body));
  }

  upgraded(head: ResponseHead, tunnel: Tunnel): void {
    const answer = reply(101, head.headers, null);
    answer.tunnel = tunnel;
    this.exchange.release?.();
    this.exchange.release = null;
    this.answer(answer);
  }

  failed(failure: Failure, connection?: ClientConnection): void {
    this.connection = null;
    if (connection !== undefined && this.mayRepeat(failure, connection)) {
      this.repeated = true;
      return this.acquire('none');
    }
    this.fail(failure);
  }

  /**
   * A kept connection may be closed by its service just as a request is sent on it: then nothing was done, and
   * a request that may be repeated is, once, on a fresh one (RFC 9112 §9.3.1).
   */
  private mayRepeat(failure: Failure, connection: ClientConnection): boolean {
    if (this.over || this.repeated || failure.code !== 'TG_UPSTREAM_RESET') return false;
    if (!connection.reused || connection.answerBegun || !isIdempotent(this.method)) return false;
    return this.replay === null ? !isSource(this.exchange.body) : this.replay.replayable;
  }

  // --- Its end. ---

  /** The client left: whatever is under way for it ends. */
  abort(): void {
    if (this.over) return;
    this.over = true;
    this.stopWaiting();
    this.target?.pool.leave(this);
    this.connection?.cancel();
    this.letGoOfBody();
  }

  private fail(failure: Failure): void {
    if (this.over) return;
    this.stopWaiting();
    this.target?.pool.leave(this);
    this.answer(problem(failure, this.exchange.id));
  }

  private answer(answer: Reply): void {
    if (this.over) return void cancelAnswer(answer);
    this.over = true;
    this.stopWaiting();
    this.exchange.watch(null);
    if (answer.failure !== null) this.letGoOfBody();
    this.out.finish(this.exchange, answer, this.side.response);
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
  private limitTotal(): void {
    const { clock } = this.parts;
    const timer = clock.after(this.side.timeouts.total - (clock.now() - this.exchange.startedAt), () => this.outOfTime());
    this.exchange.release = () => clock.cancel(timer);
  }

  private outOfTime(): void {
    const failure = new Failure('TG_UPSTREAM_TIMEOUT', 'timeout.total');
    if (this.over) return void this.connection?.abort(failure);
    this.connection?.cancel();
    this.fail(failure);
  }
}

function cancelAnswer(answer: Reply): void {
  cancelBody(answer.body);
  answer.tunnel?.source.cancel();
}

