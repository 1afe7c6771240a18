import { collect } from '../../http/collect.ts';
import { crashOf, Failure } from '../../http/errors.ts';
import type { Exchange, Reply, Responder, StepTrace } from '../../http/exchange.ts';
import type { Entry } from '../entry.ts';
import { currentAge } from '../policy/index.ts';
import { drop } from './answers.ts';
import type { Audits } from './audits.ts';
import type { AuditRule, Difference, FullKey } from './contract.ts';
import { fillExchange } from './fill-exchange.ts';
import type { FlightRoute } from './flight-route.ts';
import { plainHeaders } from './plain-headers.ts';

/** A change whose row the origin shows already may be on its way here for so long, in ms. */
const CHANGES_COME = 5_000;
const MOST_TAGS = 50;

/** Statuses that tell how the origin fares, not what it would have answered. */
const saysNothing = (status: number) => status === 304 || status === 429 || status >= 500;

/** After a hit the origin is asked, too: is what was answered what it would have said? */
export class Audit<T> implements Responder {
  private readonly route: FlightRoute<T>;
  private readonly rule: AuditRule;
  private readonly entry: Entry;
  private readonly life: number;
  /** In seconds, at the hit. */
  private readonly age: number;
  private readonly asking: Exchange;
  private over = false;

  /** @param client As it was answered. */
  constructor(route: FlightRoute<T>, rule: AuditRule, client: Exchange, keyed: FullKey, entry: Entry) {
    const { cache } = route;
    const { clock } = cache.parts;
    this.route = route;
    this.rule = rule;
    this.entry = entry;
    this.life = cache.life;
    this.age = Math.floor(currentAge(entry, clock.wall()));
    const body = route.rules.body && Buffer.isBuffer(client.body) ? client.body : null;
    const method = client.method === 'HEAD' ? 'GET' : client.method;
    const headers = plainHeaders(route.headersFor(client));
    this.asking = fillExchange(client, keyed, headers, body, this, clock.now(), method);
    this.asking.trace = client.trace?.step('cache audit', true) ?? null;
  }

  start(): void {
    try {
      this.route.origin(this.asking, { finish: (_asking, answer) => this.respond(this.asking, answer) });
    } catch (error) {
      this.crashed(error);
    }
  }

  inform(): void {}

  respond(asking: Exchange, answer: Reply): void {
    this.answered(asking, answer).catch((error: unknown) => this.crashed(error));
  }

  private get audits(): Audits {
    return this.route.cache.audits;
  }

  private async answered(asking: Exchange, answer: Reply): Promise<void> {
    if (answer.failure !== null || answer.tunnel !== null || saysNothing(answer.status)) {
      drop(asking, answer);
      return this.end();
    }
    const tooLong = new Failure('TG_CLIENT_CLOSED', 'longer than what is kept may be');
    const body = await collect(answer.body, this.route.rules.policy.maxSize, tooLong);
    asking.owner?.over(body instanceof Failure ? body : null);
    asking.owner = null;
    if (body instanceof Failure && body !== tooLong) return this.end();
    const { status, headers } = answer;
    const found =
      body instanceof Failure
        ? { at: 'content', kept: `${this.entry.body.length} bytes`, origin: 'more than cache.maxSize' }
        : this.rule.difference(this.entry, { status, headers, body });
    if (found === null) {
      this.rule.counter.audited();
      return this.end();
    }
    this.audits.later(CHANGES_COME, () => this.differs(found));
  }

  /** Where a change has reached the entry meanwhile, or could not have, it was followed as it should be, or nobody can tell. */
  private differs(found: Difference): void {
    this.end();
    const { cache } = this.route;
    const { entry, rule } = this;
    const isReached = cache.fences.isDead(entry) || cache.fences.isStale(entry);
    if (this.life !== cache.life || isReached || !this.route.mayAnswer(entry.tags)) return;
    rule.counter.audited();
    rule.counter.mismatched();
    const { id, path } = this.asking;
    const tags = entry.tags.slice(0, MOST_TAGS);
    const about = { route: rule.route, id, path, age: this.age, tags, ...found };
    cache.parts.log.warn('a stored answer is not what its origin says', about);
  }

  /** The client has its answer: nobody but the log hears of it. */
  private crashed(error: unknown): void {
    const failure = crashOf(error);
    const { owner } = this.asking;
    this.asking.owner = null;
    owner?.over(failure);
    this.end();
    this.route.cache.parts.log.error('an audit failed', { route: this.rule.route, error: failure.cause });
  }

  private end(): void {
    if (this.over) return;
    this.over = true;
    (this.asking.trace as StepTrace | null)?.end();
    this.audits.end();
  }
}
