import { type Body, isSource } from '../../http/body.ts';
import type { Failure } from '../../http/errors.ts';
import type { Exchange, Reply } from '../../http/exchange.ts';
import type { Headers } from '../../http/headers.ts';
import type { Entry } from '../entry.ts';
import { type CacheStatusParams, currentAge, type StoreRefusal } from '../policy/index.ts';
import { drop, forwarded, fromEntry, streamed } from './answers.ts';
import { handOver } from './fill-exchange.ts';
import type { FlightRoute } from './flight-route.ts';
import { asksForPart } from './hit.ts';
import { pass } from './past.ts';
import type { Waiter } from './waiter.ts';

/** What is still coming in, and is given on as it comes. */
export interface Coming {
  readonly headers: Headers;
  readonly body: Body;
}

/** How those who waited for a fill get their answers, each as its request asks for it. */
export class Giving<T> {
  private readonly route: FlightRoute<T>;
  /** By which the origin was asked; null: it was not. */
  fill: Exchange | null = null;

  constructor(route: FlightRoute<T>) {
    this.route = route;
  }

  /** From an entry. */
  entry(waiter: Waiter<T>, entry: Entry, more: CacheStatusParams): void {
    const { clock, random } = this.route.cache.parts;
    const line = more.hit === true ? more : { ...waiter.line, ...more };
    this.send(waiter, fromEntry(entry, waiter.fields, waiter.exchange, clock.wall(), random, line));
  }

  /** The answer that the leader has caused, while it is stored. */
  leading(leader: Waiter<T>, answer: Reply, body: Body): void {
    const copy = { ...answer, headers: answer.headers.slice(), body };
    const line = { ...leader.line, stored: true };
    this.send(leader, forwarded(leader.exchange, copy, this.route.rules.policy, line));
  }

  /** The same, once it is all there. */
  whole(leader: Waiter<T>, answer: Reply, entry: Entry): void {
    if (asksForPart(leader.fields)) this.entry(leader, entry, { stored: true });
    else this.leading(leader, answer, entry.body);
  }

  /** To one who came while it was coming in; `head` without content. */
  stream(waiter: Waiter<T>, head: Entry, { headers, body }: Coming): void {
    const { exchange, line } = waiter;
    const { clock } = this.route.cache.parts;
    const age = Math.floor(currentAge(head, clock.wall()));
    const aged = [...headers, 'Age', String(age)];
    this.send(waiter, streamed(exchange, head.status, aged, body, { ...line, collapsed: true }));
  }

  /** What turned out to be too long to be kept. */
  tooLarge(leader: Waiter<T>, status: number, { headers, body }: Coming): void {
    const line = { ...leader.line, detail: 'too-large' };
    this.send(leader, streamed(leader.exchange, status, headers, body, line));
  }

  /** The leader gets what can't be stored, as it came. */
  pass(leader: Waiter<T>, answer: Reply, reason: StoreRefusal): void {
    const fill = this.fill!;
    if (leader.wantsPart && isSource(answer.body)) {
      drop(fill, answer);
      return pass(this.route, leader, reason);
    }
    handOver(fill, leader.exchange);
    this.forward(leader, answer, { ...leader.line, detail: reason });
  }

  forward(leader: Waiter<T>, answer: Reply, line: CacheStatusParams): void {
    this.send(leader, forwarded(leader.exchange, answer, this.route.rules.policy, line));
  }

  /** What it waited for came to nothing; `collapsed`: it was another's fill. */
  refuse(waiter: Waiter<T>, failure: Failure, collapsed: boolean): void {
    const problem = this.route.cache.parts.problem(failure, waiter.exchange.id);
    this.forward(waiter, problem, { ...waiter.line, collapsed });
  }

  private send(waiter: Waiter<T>, answer: Reply): void {
    if (this.fill !== null) waiter.exchange.served = this.fill.served;
    waiter.out.finish(waiter.exchange, answer, this.route.rules.transform);
  }
}
