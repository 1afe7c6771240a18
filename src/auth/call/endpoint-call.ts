import { type Body, cancelBody } from '../../http/body.ts';
import { collect } from '../../http/collect.ts';
import { Failure } from '../../http/errors.ts';
import type { Tunnel } from '../../http/exchange.ts';
import type { Headers } from '../../http/headers.ts';
import { type Carrier, Framing, type ResponseHandler, type ResponseHead } from '../../http1/index.ts';
import {
  type Applicant,
  type Service,
  type Target,
  Verdict,
  type Waiter,
  type Wish,
} from '../../upstream/index.ts';
import type { Clock, Timer } from '../../util/clock.ts';
import type { Linked } from '../../util/linked-list.ts';

export interface RequestOfCall {
  readonly method: 'GET' | 'POST';
  /** Path and query. */
  readonly target: string;
  /** Without Host and framing. Values have been checked to be such. */
  readonly headers: Headers;
  readonly body: Buffer | null;
}

export interface AnswerOfCall {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Buffer;
}

export interface Bounds {
  readonly ms: number;
  readonly maxBody: number;
  readonly clock: Clock;
}

/** One question to a server, from the wait for a place to the last byte of the answer. Nobody streams here. */
export class EndpointCall implements Applicant, Waiter, ResponseHandler {
  after: Linked | null = null;
  before: Linked | null = null;
  wish: Wish | null = null;
  private readonly service: Service;
  private readonly request: RequestOfCall;
  private readonly bounds: Bounds;
  private readonly until: number;
  private readonly timer: Timer;
  private readonly ended: Promise<AnswerOfCall | Failure>;
  private resolve!: (outcome: AnswerOfCall | Failure) => void;
  private target: Target | null = null;
  private carrier: Carrier | null = null;
  private verdict: Verdict | null = null;
  private admittedNow = false;
  private repeated = false;
  private over = false;
  private body: Body = null;

  constructor(service: Service, request: RequestOfCall, bounds: Bounds) {
    this.service = service;
    this.request = request;
    this.bounds = bounds;
    this.until = bounds.clock.now() + bounds.ms;
    this.ended = new Promise((resolve) => {
      this.resolve = resolve;
    });
    this.timer = bounds.clock.after(bounds.ms, () =>
      this.end(new Failure('TG_UPSTREAM_TIMEOUT', 'no answer in time')),
    );
  }

  run(): Promise<AnswerOfCall | Failure> {
    const entered = this.service.state.admission.enter(this);
    if (entered === true) this.admitted();
    else if (entered === null) this.end(new Failure('TG_UPSTREAM_BUSY', 'too many questions wait for it'));
    return this.ended;
  }

  admitted(): void {
    this.admittedNow = true;
    const shutFor = this.service.breaker.admit();
    if (shutFor > 0)
      return this.end(
        new Failure('TG_UPSTREAM_OPEN', 'it failed too often and is given a pause', shutFor / 1000),
      );
    this.target = this.service.pick(null, null);
    if (this.target === null) {
      this.service.breaker.withdraw();
      return this.end(new Failure('TG_UPSTREAM_UNAVAILABLE', 'it is out'));
    }
    this.verdict = new Verdict(this.service, this.target);
    this.acquire('any');
  }

  private acquire(reuse: 'any' | 'none'): void {
    this.target!.state.pool.acquire(this, reuse, this.until - this.bounds.clock.now());
  }

  connected(carrier: Carrier): void {
    this.carrier = carrier;
    const { method, target, headers, body } = this.request;
    let head = `${method} ${target} HTTP/1.1\r\nHost: ${this.target!.authority}\r\n`;
    for (let i = 0; i < headers.length; i += 2) head += `${headers[i]}: ${headers[i + 1]}\r\n`;
    if (body !== null) head += `Content-Length: ${body.length}\r\n`;
    carrier.send(
      {
        method,
        head: `${head}\r\n`,
        framing: body === null ? Framing.none : Framing.length,
        body,
        upgrade: null,
        firstByte: Number.POSITIVE_INFINITY,
        idle: Number.POSITIVE_INFINITY,
      },
      this,
    );
  }

  /** It was not asked yet: another connection is. */
  overtaken(): void {
    this.carrier = null;
    if (!this.over) this.acquire('none');
  }

  sent(): number {
    return this.until;
  }

  informed(): void {}

  responded(head: ResponseHead, body: Body): void {
    this.body = body;
    const tooLarge = new Failure(
      'TG_UPSTREAM_INVALID',
      `its answer is longer than ${this.bounds.maxBody} bytes`,
    );
    collect(body, this.bounds.maxBody, tooLarge).then((bytes) => {
      this.body = null;
      this.carrier = null;
      this.end(
        bytes instanceof Failure ? bytes : { status: head.status, headers: head.headers, body: bytes },
      );
    });
  }

  upgraded(_head: ResponseHead, tunnel: Tunnel): void {
    tunnel.source.cancel();
    this.end(new Failure('TG_UPSTREAM_INVALID', 'it switched protocols unasked'));
  }

  failed(failure: Failure, carrier?: Carrier): void {
    this.carrier = null;
    if (this.over) return;
    // A kept connection that was being closed just then: nothing was done (RFC 9112 §9.3.1).
    const stale = carrier?.stale === true && failure.code === 'TG_UPSTREAM_RESET';
    if (!stale || this.repeated) return this.end(failure);
    this.repeated = true;
    this.acquire('none');
  }

  private end(outcome: AnswerOfCall | Failure): void {
    if (this.over) return;
    this.over = true;
    this.bounds.clock.cancel(this.timer);
    const { admission } = this.service.state;
    admission.withdraw(this);
    this.target?.state.pool.leave(this);
    if (this.body !== null) cancelBody(this.body);
    else this.carrier?.cancel(this);
    this.judge(outcome);
    if (this.admittedNow) admission.leave();
    this.resolve(outcome);
  }

  /** A 500 may be the work of the one credential that was shown: whoever sends it must not shut out all others. */
  private judge(outcome: AnswerOfCall | Failure): void {
    if (this.verdict === null) return;
    this.verdict.give(null, outcome instanceof Failure || outcome.status > 500);
  }
}
