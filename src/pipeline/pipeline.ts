import type { Variables } from '../expression/index.ts';
import { cancelBody, isSource } from '../http/body.ts';
import { crashOf, Failure } from '../http/errors.ts';
import {
  type Completion,
  type Exchange,
  type ExchangeTrace,
  endStatus,
  type Reply,
  reply,
} from '../http/exchange.ts';
import { getHeader } from '../http/headers.ts';
import { LimitedBody } from '../http/limited.ts';
import { normalisePath, type RouteMatch, type Router } from '../router/index.ts';
import type { RouteCounter } from '../telemetry/index.ts';
import type { AddressSet } from '../util/cidr.ts';
import type { Clock } from '../util/clock.ts';
import type { Random } from '../util/random.ts';
import type { AheadOfRoutes } from './ahead-of-routes.ts';
import { type AnswerRules, announced, isPreflight, type Settled } from './answer/index.ts';
import { clientAddress, clientAuthority, clientScheme } from './forwarded.ts';
import { methodNotAllowed, problem } from './problem.ts';
import type { CompiledRoute, Filter, Finish, PhaseObserver, WellKnown } from './route.ts';
import { AnnouncedSubject, RequestSubject } from './subject.ts';
import { isRequestId } from './trace.ts';
import type { HeaderTransform } from './transform.ts';

type Found = ReturnType<Router<CompiledRoute>['match']>;

/** What the pipeline needs of a compiled config. */
export interface PipelineSnapshot {
  readonly router: Pick<Router<CompiledRoute>, 'match'>;
  /** By listener: whose forwarded headers are believed. Null where no listener believes any. */
  readonly trusted: ReadonlyMap<string, AddressSet> | null;
  /** Before all routes, and counted nowhere; null: there is none. */
  readonly ahead: AheadOfRoutes | null;
  /** What holds where no route matched. */
  readonly unmatched: HeaderTransform | null;
  readonly rules: AnswerRules | null;
  /** By path, what the gateway answers itself unless a route names that very path; null: nothing. */
  readonly wellKnown: ReadonlyMap<string, WellKnown> | null;
  /** Told of each request that is over, once it is counted. */
  readonly observers: readonly Completion[];
  /** Sheds requests where there is too much to do; null: never. */
  readonly overload: { refusal(priority: number): Failure | null } | null;
  /** Records requests in traces; null: none are. */
  readonly tracer: { begin(exchange: Exchange): ExchangeTrace | null } | null;
}

export interface PipelineParts {
  readonly clock: Clock;
  readonly random: Random;
  /** Counts what no route takes. */
  readonly unmatched: RouteCounter;
  variables(exchange: Exchange, answer?: Reply): Variables;
  /** Told of each request that was answered with a 5xx, or not to its end. `failure` null: the service said so. */
  failed(exchange: Exchange, status: number, failure: Failure | null): void;
}

/**
 * The way of a request: match, then the steps its route uses, then dispatch, then the answer. A request goes
 * on with the snapshot it began with, whatever is swapped in meanwhile.
 */
export class Pipeline implements Finish, Completion {
  private snapshot: PipelineSnapshot;
  private readonly parts: PipelineParts;
  private readonly subject = new RequestSubject();
  private observer: PhaseObserver | null = null;

  constructor(snapshot: PipelineSnapshot, parts: PipelineParts) {
    this.snapshot = snapshot;
    this.parts = parts;
  }

  /** From now on requests begin with this one. */
  swap(snapshot: PipelineSnapshot): void {
    this.snapshot = snapshot;
  }

  observe(observer: PhaseObserver | null): void {
    this.observer = observer;
  }

  /** Takes a request; its answer goes to `exchange.responder`. */
  handle(exchange: Exchange): void {
    const { snapshot } = this;
    exchange.completion = this;
    this.identify(exchange, snapshot);
    if (snapshot.ahead !== null && answerAhead(exchange, snapshot.ahead)) return;
    if (snapshot.tracer !== null) exchange.trace = snapshot.tracer.begin(exchange);
    if (exchange.target === '*') return this.answerServerOptions(exchange);
    if (!locate(exchange)) return this.refuseUnmatched(exchange, new Failure('TG_REQUEST_TARGET'));
    this.observer?.began(exchange, 'match');
    const asksLeave = exchange.method === 'OPTIONS' && isPreflight(exchange);
    if (asksLeave && this.preflight(exchange, snapshot.router.match(announcedSubject(exchange)), true))
      return;
    const found = snapshot.router.match(this.subject.of(exchange));
    this.observer?.ended(exchange, 'match');
    // Where the announced request has no leave to be asked for, this one must not reach the service either.
    if (asksLeave && this.preflight(exchange, found, false)) return;
    if (snapshot.wellKnown !== null && this.answerWellKnown(exchange, snapshot.wellKnown, found)) return;
    if ('status' in found) return this.unmatched(exchange, found);
    this.take(exchange, found);
  }

  /** Answers a preflight if the route speaks of CORS; `leave` false: without any leave. */
  private preflight(exchange: Exchange, found: Found, leave: boolean): boolean {
    if ('status' in found) return false;
    const { route } = found;
    const cors = route.rules?.cors ?? null;
    if (cors === null) return false;
    exchange.route = route;
    exchange.params = found.params;
    route.counter.begin();
    const answer = this.transformed(exchange, reply(204, [], null), route.response);
    cors.preflight(exchange, answer.headers, leave);
    exchange.responder.respond(exchange, answer);
    return true;
  }

  /** The answer to what could not be read as a request, or is refused for what its head announces. */
  refuse(exchange: Exchange, failure: Failure): Reply {
    if (exchange.id === '') this.identify(exchange, this.snapshot);
    exchange.completion ??= this;
    if (exchange.path === '' && exchange.authority !== '') this.findRoute(exchange);
    const route = exchange.route as CompiledRoute | null;
    const { rules, response } = route ?? { rules: this.snapshot.rules, response: this.snapshot.unmatched };
    const answer = problem(failure, exchange.id);
    if (rules === null) return this.transformed(exchange, answer, response);
    const stand = rules.onStatus?.standIn(exchange, answer, this.parts.variables(exchange)) ?? answer;
    return this.shaped(exchange, stand, response, rules);
  }

  /** Who asks, and by what id: the same for every route. */
  private identify(exchange: Exchange, snapshot: PipelineSnapshot): void {
    const given = getHeader(exchange.headers, 'x-request-id');
    exchange.id = given !== undefined && isRequestId(given) ? given : this.parts.random.hex(16);
    if (snapshot.trusted !== null) {
      const trusted = snapshot.trusted.get(exchange.origin.listener);
      if (trusted?.has(exchange.origin.address)) {
        exchange.trusted = true;
        exchange.ip = clientAddress(exchange, trusted);
        exchange.scheme = clientScheme(exchange, true);
        exchange.askedAuthority = clientAuthority(exchange, true);
      }
    }
    exchange.host = hostOf(exchange.askedAuthority);
  }

  /** A page may read why its request was refused where the route that would have taken it gives leave. */
  private findRoute(exchange: Exchange): void {
    if (!locate(exchange)) return;
    const found = this.snapshot.router.match(this.subject.of(exchange));
    if (!('status' in found)) enter(exchange, found);
  }

  private take(exchange: Exchange, found: RouteMatch<CompiledRoute>): void {
    const { route } = found;
    enter(exchange, found);
    const shed = this.snapshot.overload?.refusal(route.priority) ?? null;
    if (shed !== null) return this.finish(exchange, problem(shed, exchange.id), route.response);
    if (
      exchange.body !== null &&
      route.maxBody !== Number.POSITIVE_INFINITY &&
      !limitBody(exchange, route.maxBody)
    ) {
      return this.finish(
        exchange,
        problem(new Failure('TG_REQUEST_BODY_TOO_LARGE'), exchange.id),
        route.response,
      );
    }
    if (route.filters.length > 0) return this.filter(exchange, route, 0);
    this.dispatch(exchange, route);
  }

  /** Runs the steps from `from` on; waits only where one does. */
  private filter(exchange: Exchange, route: CompiledRoute, from: number): void {
    for (let i = from; i < route.filters.length; i++) {
      const step = route.filters[i]!;
      this.observer?.began(exchange, step.phase);
      const outcome = step.run(exchange);
      if (outcome instanceof Promise) return this.await(exchange, route, step, outcome, i + 1);
      this.observer?.ended(exchange, step.phase);
      if (outcome !== null) return this.finish(exchange, outcome, route.response);
    }
    this.dispatch(exchange, route);
  }

  private await(
    exchange: Exchange,
    route: CompiledRoute,
    step: Filter,
    outcome: Promise<Reply | null>,
    next: number,
  ): void {
    outcome.then(
      (answer) => {
        this.observer?.ended(exchange, step.phase);
        if (exchange.aborted !== null) return cancelBody(answer?.body ?? null);
        if (answer !== null) this.finish(exchange, answer, route.response);
        else this.filter(exchange, route, next);
      },
      (error: unknown) => {
        this.observer?.ended(exchange, step.phase);
        this.crashed(exchange, route, error);
      },
    );
  }

  private dispatch(exchange: Exchange, route: CompiledRoute): void {
    exchange.refused = false;
    this.observer?.began(exchange, 'dispatch');
    try {
      route.mirror?.(exchange);
      route.dispatch(exchange, this);
    } catch (error) {
      this.crashed(exchange, route, error);
    }
  }

  /** A bug, not a condition: the client gets a plain 500, the log the reason, and nobody else notices. */
  private crashed(exchange: Exchange, route: CompiledRoute, error: unknown): void {
    this.finish(exchange, problem(crashOf(error), exchange.id), route.response);
  }

  finish(exchange: Exchange, answer: Reply, transform: HeaderTransform | null): void {
    this.observer?.ended(exchange, 'dispatch');
    const route = exchange.route as CompiledRoute | null;
    const rules = route === null ? this.snapshot.rules : route.rules;
    if (rules === null) return this.send(exchange, answer, transform);
    const { onStatus } = rules;
    const settled: Settled = (stand, own) =>
      this.polish(exchange, stand, own === undefined ? transform : own, rules);
    if (onStatus?.handle(exchange, answer, this.parts.variables(exchange), this.parts.clock, settled)) return;
    settled(answer, transform);
  }

  /** The last steps of an answer whose route asks for more than transforms. */
  private polish(
    exchange: Exchange,
    answer: Reply,
    transform: HeaderTransform | null,
    rules: AnswerRules,
  ): void {
    this.shaped(exchange, answer, transform, rules);
    if (rules.compress === null || answer.status === 101) return exchange.responder.respond(exchange, answer);
    const compressed = rules.compress(exchange, answer);
    if (!(compressed instanceof Promise)) return exchange.responder.respond(exchange, compressed);
    // While it is read whole nobody else would tell its service that the client has left.
    const { body } = answer;
    exchange.watch({ abort: () => cancelBody(body) });
    const respond = (whole: Reply) => {
      exchange.watch(null);
      exchange.responder.respond(exchange, whole);
    };
    compressed.then(respond, (error: unknown) => respond(problem(crashOf(error), exchange.id)));
  }

  /** What CORS and compression say comes after the transforms: no `only` or `remove` of theirs takes it away. */
  private shaped(
    exchange: Exchange,
    answer: Reply,
    transform: HeaderTransform | null,
    { errors, cors }: AnswerRules,
  ): Reply {
    if (errors !== null && answer.failure !== null) errors(answer, this.parts.variables(exchange));
    this.transformed(exchange, answer, transform);
    cors?.apply(exchange, answer.headers);
    return answer;
  }

  private send(exchange: Exchange, answer: Reply, transform: HeaderTransform | null): void {
    exchange.responder.respond(exchange, this.transformed(exchange, answer, transform));
  }

  private transformed(exchange: Exchange, answer: Reply, transform: HeaderTransform | null): Reply {
    transform?.apply(answer.headers, this.parts.variables(exchange, answer), answer.failure !== null);
    if (exchange.cookies !== null)
      for (const line of exchange.cookies) answer.headers.push('Set-Cookie', line);
    if (exchange.toClient !== null) answer.headers.push(...exchange.toClient);
    return answer;
  }

  private unmatched(
    exchange: Exchange,
    found: { status: 404 | 400 } | { status: 405; allow: readonly string[] },
  ): void {
    // `onStatus` may ask a service in the place of a 404, so these cost as much as others.
    const shed = this.snapshot.overload?.refusal(0) ?? null;
    if (shed !== null) {
      exchange.refused = true;
      return this.refuseUnmatched(exchange, shed);
    }
    if (found.status === 405)
      return this.finishUnmatched(exchange, methodNotAllowed(found.allow, exchange.id));
    this.refuseUnmatched(
      exchange,
      new Failure(found.status === 404 ? 'TG_ROUTE_NOT_FOUND' : 'TG_REQUEST_TARGET'),
    );
  }

  private refuseUnmatched(exchange: Exchange, failure: Failure): void {
    this.finishUnmatched(exchange, problem(failure, exchange.id));
  }

  private finishUnmatched(exchange: Exchange, answer: Reply): void {
    this.finish(exchange, answer, this.snapshot.unmatched);
  }

  /** A prefix that takes everything does not take this: whoever relies on it would get another's answer. */
  private answerWellKnown(
    exchange: Exchange,
    wellKnown: ReadonlyMap<string, WellKnown>,
    found: Found,
  ): boolean {
    const own = wellKnown.get(exchange.path);
    if (own === undefined || (!('status' in found) && found.route.literal.has(exchange.path))) return false;
    const answer = own(exchange);
    if (answer === null) return false;
    this.finishUnmatched(exchange, answer);
    return true;
  }

  /** `OPTIONS *` asks about the server, not a resource: a ping (RFC 9110 §9.3.7). */
  private answerServerOptions(exchange: Exchange): void {
    this.finishUnmatched(exchange, reply(204, [], null));
  }

  completed(exchange: Exchange, answer: Reply | null, bytes: number, failure: Failure | null): void {
    const { owner } = exchange;
    exchange.endedAt = this.parts.clock.now();
    exchange.owner = null;
    owner?.over(failure);
    const route = exchange.route as CompiledRoute | null;
    const counter = route === null ? this.parts.unmatched : route.counter;
    if (route === null) counter.begin();
    const status = endStatus(answer, failure);
    counter.end(status);
    if (exchange.received > 0) counter.received(exchange.received);
    counter.sent(bytes);
    if (status >= 500 || failure !== null) {
      this.parts.failed(exchange, status, answer?.failure ?? exchange.replaced ?? failure);
    }
    for (const observer of this.snapshot.observers) observer.completed(exchange, answer, bytes, failure);
  }
}

function enter(exchange: Exchange, { route, params, rest }: RouteMatch<CompiledRoute>): void {
  exchange.route = route;
  exchange.params = params;
  if (rest !== null) exchange.restAt = exchange.path.length - rest.length;
  route.counter.begin();
  // Until all steps have let it pass.
  exchange.refused = true;
}

/** Nobody counts it: probes come by the second, and say nothing of the traffic. */
function answerAhead(exchange: Exchange, ahead: AheadOfRoutes): boolean {
  const answer = ahead.answer(exchange);
  if (answer === null) return false;
  exchange.completion = null;
  exchange.responder.respond(exchange, answer);
  return true;
}

function announcedSubject(exchange: Exchange): AnnouncedSubject {
  return new AnnouncedSubject(exchange, announced(exchange));
}

/** Splits the target and normalises its path; false where that can't be done safely. */
function locate(exchange: Exchange): boolean {
  const { target } = exchange;
  const mark = target.indexOf('?');
  const path = normalisePath(mark < 0 ? target : target.slice(0, mark));
  if (path === null) return false;
  exchange.path = path;
  if (mark >= 0) exchange.query = target.slice(mark + 1);
  return true;
}

/** Refuses a body that says it is too long, and counts one that doesn't say. */
function limitBody(exchange: Exchange, most: number): boolean {
  const { body } = exchange;
  if (body === null) return true;
  if (body.length > most) return false;
  if (body.length < 0 && isSource(body)) exchange.body = new LimitedBody(body, most);
  return true;
}

let lastAuthority = '';
let lastHost = '';

/** Lower case, without port and final dot. The last answer is kept: a client asks for one host again and again. */
function hostOf(authority: string): string {
  if (authority === lastAuthority) return lastHost;
  lastAuthority = authority;
  lastHost = authority.toLowerCase().replace(/:\d*$/, '').replace(/\.$/, '');
  return lastHost;
}
