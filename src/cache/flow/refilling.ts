import { hasCookieBeside } from '../../http/cookies.ts';
import { crashOf } from '../../http/errors.ts';
import type { Exchange } from '../../http/exchange.ts';
import { removeHeader } from '../../http/headers.ts';
import type { Entry } from '../entry.ts';
import { judgeUse, scanRequest, type Use } from '../policy/index.ts';
import type { Refiller, RefreshCounter, Repeatable } from '../refresh/index.ts';
import type { FullKey, RefreshRule } from './contract.ts';
import { fillExchange } from './fill-exchange.ts';
import type { FlightRoute } from './flight-route.ts';
import { fly } from './misses.ts';
import { isPassed } from './passed.ts';
import { Refill } from './refill.ts';
import { Waiter } from './waiter.ts';
import { NOBODY, withoutClient } from './without-client.ts';

/** So often an answer that was waited for may turn out to be for others. */
const ROUNDS = 3;
const UNSEATED: Use = { kind: 'miss', forward: 'miss', detail: null };

/** What memory holds for a request, dead or not, and what of that may be answered. */
export interface Found {
  readonly stored: Entry | undefined;
  readonly entry: Entry | undefined;
}

/** What a route lends of its cache to fill an entry that nobody asks for now. */
export interface Filling<T> extends FlightRoute<T> {
  find(key: string, request: Exchange): Found;
}

/**
 * Fills entries of a route again that are asked for often and were unseated: each as one more reader would who comes
 * just then and whom nobody sees.
 */
export class Refilling<T> implements Refiller {
  readonly counter: RefreshCounter;
  private readonly route: Filling<T>;
  private readonly rule: RefreshRule;

  constructor(route: Filling<T>, rule: RefreshRule) {
    this.counter = rule.counter;
    this.route = route;
    this.rule = rule;
  }

  /** A reader was answered from it, fresh. */
  answered(exchange: Exchange, { key }: FullKey, entry: Entry): void {
    const { refreshes } = this.rule;
    if (refreshes.asked(entry)) refreshes.keep(key, entry, this.repeatable(exchange, key), this);
  }

  /** A request by which the entry can be filled again; null: this one is its client's alone. */
  private repeatable(exchange: Exchange, key: string): Repeatable | null {
    const { route, rule } = this;
    const headers = route.headersFor(exchange);
    if (!hasCookieBeside(headers, route.rules.ownCookies)) removeHeader(headers, 'cookie');
    const request = withoutClient(exchange, headers);
    if (request === null) return null;
    const more = rule.equip(exchange, request);
    if (more === null || route.rules.keyOf(request).key !== key) return null;
    return { request, bytes: bytesOf(request) + more };
  }

  stands(request: Exchange): boolean {
    const { cache, rules } = this.route;
    const { entry } = this.route.find(this.keyOf(request).key, request);
    const fields = scanRequest(request.headers);
    return judgeUse(entry, fields, cache.parts.clock.wall(), rules.policy).kind === 'fresh';
  }

  mayAnswer(tags: readonly string[]): boolean {
    return this.route.mayAnswer(tags);
  }

  mayStore(tags: readonly string[]): boolean {
    const { fedBy } = this.route;
    return fedBy === null || fedBy.familiesOf(tags) !== null;
  }

  refill(request: Exchange, done: () => void): void {
    this.ask(request, done, 1);
  }

  private ask(request: Exchange, done: () => void, round: number): void {
    const { cache, rules } = this.route;
    const { clock, random, log } = cache.parts;
    const keyed = this.keyOf(request);
    const asking = fillExchange(request, keyed, request.headers.slice(), null, NOBODY, clock.now());
    const trace = this.rule.trace();
    asking.id = random.hex(16);
    asking.trace = trace;
    const retry = round < ROUNDS ? () => this.ask(request, done, round + 1) : done;
    const out = new Refill<T>(trace, { maxSize: rules.policy.maxSize, clock }, retry, done);
    const fields = scanRequest(asking.headers);
    const waiter = new Waiter(asking, out, keyed, fields, UNSEATED, 0, ++cache.ticks, clock);
    try {
      this.fly(waiter, out);
    } catch (error) {
      // There is no client who could be told.
      log.error('a refresh failed', { path: request.path, error: crashOf(error).cause });
      out.fail();
    }
  }

  private fly(waiter: Waiter<T>, out: Refill<T>): void {
    const { route } = this;
    if (isPassed(route, waiter)) return out.fail();
    const { stored, entry } = route.find(waiter.keyed.key, waiter.exchange);
    fly(route, waiter, stored, entry);
  }

  /** It had one when it was kept. */
  private keyOf(request: Exchange): FullKey {
    return this.route.rules.keyOf(request) as FullKey;
  }
}

function bytesOf({ target, headers }: Exchange): number {
  return headers.reduce((sum, text) => sum + text.length, target.length);
}
