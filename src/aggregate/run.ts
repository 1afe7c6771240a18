import type { Value, Variables } from '../expression/index.ts';
import { crashOf, Failure } from '../http/errors.ts';
import type { Abortable, Exchange, Reply } from '../http/exchange.ts';
import type { Headers } from '../http/headers.ts';
import { type Finish, problem } from '../pipeline/index.ts';
import type { Timer } from '../util/clock.ts';
import type { Tells } from './asking.ts';
import { CallRun } from './call-run.ts';
import { carriedHeaders } from './carried.ts';
import { Undoing, type Undone } from './compensate.ts';
import type { CompiledAggregate } from './compiled.ts';
import { composeAnswer, passedAnswer } from './compose.ts';
import type { Part } from './keeping.ts';
import type { CallResult } from './result.ts';
import { serverTiming } from './server-timing.ts';
import { type Trouble, trouble } from './trouble.ts';

type Results = (CallResult | readonly CallResult[] | undefined)[];

/**
 * One aggregate on its way: each call begins the moment those that it waits for are over; the answer is made when
 * all are. The first failure that counts ends the others.
 */
export class AggregateRun implements Abortable {
  readonly aggregate: CompiledAggregate;
  readonly exchange: Exchange;
  readonly vars: Variables;
  /** What each call carries of the client's headers. */
  readonly carried: Headers;
  readonly calls: readonly CallRun[];
  private readonly out: Finish;
  private readonly results: Results;
  /** Of each call: those it still waits for. */
  private readonly waitsFor: number[];
  private readonly partial = new Set<CallRun>();
  private readonly undoing: Undoing;
  /** What the answer is made of, where it may be kept, or be part of what is. */
  readonly parts: Part[] = [];
  private readonly beganAt: number;
  private left: number;
  private ready: number[] = [];
  private working = false;
  /** Why nothing is asked any more. */
  private late: Trouble | null = null;
  private over = false;
  private timer: Timer | null = null;

  constructor(aggregate: CompiledAggregate, exchange: Exchange, out: Finish) {
    const { parts, calls, places } = aggregate;
    this.aggregate = aggregate;
    this.exchange = exchange;
    this.out = out;
    this.results = new Array(calls.length).fill(undefined);
    const below = parts.variables(exchange);
    this.vars = {
      get: (name: string): Value | undefined => {
        const place = places.get(name);
        return place === undefined ? below.get(name) : this.results[place];
      },
    };
    this.carried = carriedHeaders(exchange, parts.random);
    this.calls = calls.map((call) => new CallRun(this, call));
    this.waitsFor = calls.map(({ planned }) => planned.after.length);
    this.left = calls.length;
    this.undoing = new Undoing(this);
    this.beganAt = parts.clock.wall();
  }

  start(): void {
    const { deadline, parts } = this.aggregate;
    this.exchange.watch(this);
    if (this.over) return;
    if (deadline !== Number.POSITIVE_INFINITY) this.timer = parts.clock.after(deadline, () => this.expire());
    this.waitsFor.forEach((count, index) => {
      if (count === 0) this.ready.push(index);
    });
    this.work();
  }

  now(): number {
    return this.aggregate.parts.clock.now();
  }

  /** Begins what is ready. A call that ends at once makes others ready: they are begun here too, not below it. */
  private work(): void {
    if (this.working) return;
    this.working = true;
    try {
      for (let next = this.ready.shift(); next !== undefined && !this.over; next = this.ready.shift()) {
        this.calls[next]!.start(this.late);
      }
    } catch (error) {
      this.crash(error);
    } finally {
      this.working = false;
    }
    if (this.left === 0 && !this.over) this.compose();
  }

  /** A call has come to its end, whatever that was. */
  done(call: CallRun, value: CallResult | readonly CallResult[]): void {
    if (this.over) return;
    const { planned } = call.call;
    this.results[this.calls.indexOf(call)] = value;
    this.left--;
    for (const index of planned.before) {
      if (--this.waitsFor[index]! === 0) this.ready.push(index);
    }
    this.work();
  }

  /** An answer goes into this one. */
  note({ call }: CallRun, status: number, headers: Headers, tells: Tells): void {
    if (this.aggregate.keeping === null && this.exchange.madeFor === null) return;
    const { policy } = call.addressee;
    const responseAt = this.aggregate.parts.clock.wall();
    const told = tells();
    this.parts.push({
      ...told,
      status,
      headers: [...told.said, ...headers],
      policy,
      requestAt: this.beganAt,
      responseAt,
    });
  }

  isPartial(call: CallRun): void {
    this.partial.add(call);
  }

  /** A call that can be undone has succeeded. */
  undoable(call: CallRun, vars: Variables, result: CallResult): void {
    this.undoing.add(call.call, vars, result);
  }

  /** A call that the answer needs has failed: all others end at once. */
  fail(call: CallRun, why: Trouble): void {
    if (this.over) return;
    this.stop();
    const [failure, members] = whatFailed(call.call.name, why);
    this.refuse(failure, members);
  }

  /** There is no answer, so what was done for it is undone first. */
  private refuse(failure: Failure, members: object = {}): void {
    this.undoing.run((undone) =>
      this.answer(problem(failure, this.exchange.id, { ...members, ...membersOf(undone) })),
    );
  }

  /** What a part answered is the answer. */
  pass(call: CallRun, why: Trouble): void {
    if (this.over) return;
    call.trouble = why;
    this.stop();
    this.undoing.run(() => this.answer(passedAnswer(why)));
  }

  /** The client has left. */
  abort(): void {
    if (this.over) return;
    this.stop();
    this.undoing.run(() => {});
  }

  private expire(): void {
    this.timer = null;
    this.late = trouble('timeout', 'the deadline of the aggregate');
    for (const call of this.calls) if (!this.over) call.expire(this.late);
  }

  private stop(): void {
    this.over = true;
    if (this.timer !== null) this.aggregate.parts.clock.cancel(this.timer);
    this.timer = null;
    for (const call of this.calls) if (call.cancel()) this.undoing.cutOff(call.call);
  }

  private compose(): void {
    this.stop();
    const partial = this.calls.filter((call) => this.partial.has(call)).map(({ call }) => call.name);
    const answer = composeAnswer(this, partial);
    if (answer instanceof Failure) this.refuse(answer);
    else this.answer(answer);
  }

  /** A bug, not a condition: the client gets a plain 500, the log the reason. */
  crash(error: unknown): void {
    if (this.over) throw error;
    this.stop();
    this.refuse(crashOf(error));
  }

  private answer(answer: Reply): void {
    const { exchange, aggregate } = this;
    if (exchange.aborted !== null) return;
    exchange.watch(null);
    if (aggregate.timing) answer.headers.push('Server-Timing', serverTiming(this.calls, this.now()));
    this.out.finish(exchange, answer, aggregate.transform);
  }
}

/** What the client is told: what it has done wrong itself, or which call has failed. */
function whatFailed(call: string, { blame, kind, cause }: Trouble): [Failure, object] {
  if (blame === 'TG_AFTER_MALFORMED') return [new Failure(blame, cause), { reason: cause }];
  const told = `call ${call}: ${kind}: ${cause}`;
  if (blame !== null) return [new Failure(blame, told), {}];
  return [new Failure(kind === 'timeout' ? 'TG_CALL_TIMEOUT' : 'TG_CALL_FAILED', told), { call, kind }];
}

function membersOf({ compensated, notCompensated }: Undone): object {
  return compensated.length + notCompensated.length === 0 ? {} : { compensated, notCompensated };
}
