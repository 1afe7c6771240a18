import { readBeginning } from '../../http/beginning.ts';
import { type BodySource, isSource } from '../../http/body.ts';
import { filterCookies } from '../../http/cookies.ts';
import { crashOf, Failure } from '../../http/errors.ts';
import type { Exchange } from '../../http/exchange.ts';
import { type Headers, hasHeader, removeHeader } from '../../http/headers.ts';
import type { Entry } from '../entry.ts';
import {
  type CacheStatusParams,
  judgeUse,
  type RequestCacheFields,
  scanRequest,
  selectVariant,
  type Use,
  varyNames,
} from '../policy/index.ts';
import type { Variants } from '../store/index.ts';
import { fromEntry, lineOf } from './answers.ts';
import { Audit } from './audit.ts';
import type { Cache } from './cache.ts';
import type { CacheRules, FullKey, Origin, Out } from './contract.ts';
import type { FedBy } from './fed-by.ts';
import type { Looking } from './flight-route.ts';
import { askByHead } from './head.ts';
import { asksForAll, hitsOf } from './hit.ts';
import { fly, revalidate } from './misses.ts';
import { afterOf, lookAfter, lookAfterWrites } from './not-older.ts';
import { onlyIfCached } from './only-if-cached.ts';
import type { OwnWrites } from './own-writes.ts';
import { askPast } from './past.ts';
import { type Filling, type Found, Refilling } from './refilling.ts';
import { tracedOut } from './traced-out.ts';
import { Waiter } from './waiter.ts';
import { isFor } from './whose-answer.ts';

/** Longest request body that stands in a key. */
const KEY_BODY = 64 * 1024;
/** Fields of an ignored Vary that are remembered. */
const MOST_IGNORED = 64;

/**
 * An origin behind the cache: a request is answered from memory if it can be, without waiting; else it joins the
 * fill under way for the same, or begins one.
 */
export class CachedOrigin<T> implements Looking<T>, Filling<T> {
  readonly cache: Cache;
  readonly rules: CacheRules<T>;
  readonly origin: Origin<T>;
  readonly fedBy: FedBy | null;
  readonly ownWrites: OwnWrites | null;
  /** Something is done about hits once they are on their way. */
  private readonly looksAtHits: boolean;
  /** Null: nothing is filled that nobody asks for. */
  private readonly refilling: Refilling<T> | null;
  /** What an ignored Vary named: it is taken off what the origin is asked (`ignore: [vary]`). */
  private readonly ignoredVary = new Set<string>();

  constructor(cache: Cache, rules: CacheRules<T>, origin: Origin<T>) {
    this.cache = cache;
    this.rules = rules;
    this.origin = origin;
    this.fedBy = cache.fedBy;
    this.ownWrites = cache.ownWrites;
    this.looksAtHits = rules.audit !== null || rules.refresh !== null;
    this.refilling = rules.refresh === null ? null : new Refilling(this, rules.refresh);
  }

  readonly serve: Origin<T> = (exchange, out) => {
    if (exchange.upgrade !== null) return this.origin(exchange, out);
    this.answer(exchange, exchange.trace === null ? out : tracedOut(exchange.trace, out));
  };

  private answer(exchange: Exchange, out: Out<T>): void {
    const { method } = exchange;
    const { methods } = this.rules.policy;
    if (method !== 'HEAD' && !methods.includes(method))
      return askPast(this, exchange, out, { fwd: 'method' });
    const { body } = exchange;
    if (!this.rules.body || body === null) return this.enter(exchange, out);
    if (isSource(body)) return void this.withBody(exchange, out, body);
    // It was read already, for an expression.
    if (body.length > KEY_BODY) return askPast(this, exchange, out, LONG_BODY);
    this.enter(exchange, out);
  }

  /** Waits first where the client is to get nothing older than something. */
  private enter(exchange: Exchange, out: Out<T>): void {
    const { fedBy, ownWrites } = this;
    const fields = scanRequest(exchange.headers);
    const after = fedBy === null ? null : afterOf(exchange, fields);
    if (fedBy !== null && after !== null) return lookAfter(this, exchange, out, fields, fedBy, after);
    if (ownWrites !== null) return lookAfterWrites(this, exchange, out, fields, ownWrites);
    this.look(exchange, out, fields, 0);
  }

  /** A body that stands in the key is read first; one that is too long goes past the cache. */
  private async withBody(exchange: Exchange, out: Out<T>, body: BodySource): Promise<void> {
    if (body.length <= KEY_BODY) {
      if (exchange.expectsContinue) exchange.responder.inform(exchange, 100, []);
      exchange.expectsContinue = false;
    }
    const read = await readBeginning(body, KEY_BODY);
    if (exchange.aborted !== null) return;
    if (read instanceof Failure) {
      const answer = this.cache.parts.problem(read, exchange.id);
      return out.finish(exchange, answer, this.rules.transform);
    }
    exchange.body = read;
    if (isSource(read)) return askPast(this, exchange, out, LONG_BODY);
    // The time that the client took for it is not the service's.
    exchange.dispatchedAt = this.cache.parts.clock.now();
    this.enter(exchange, out);
  }

  look(
    exchange: Exchange,
    out: Out<T>,
    fields: RequestCacheFields,
    round: number,
    found?: Entry,
    arrival = ++this.cache.ticks,
  ): void {
    const { cache, rules } = this;
    const keyed = rules.keyOf(exchange);
    if (keyed.key === null) return askPast(this, exchange, out, { fwd: 'bypass', detail: 'key' });
    const variants = cache.memory.get(keyed.key);
    let stored = variants === undefined ? undefined : this.select(variants, exchange);
    if (found !== undefined && this.answers(found, exchange)) stored = found;
    // Nobody's answer is so much as asked about in another's name.
    if (stored !== undefined && !isFor(rules, stored, exchange, fields)) stored = undefined;
    const entry = stored === undefined ? undefined : this.standing(keyed.key, stored);
    const now = cache.parts.clock.wall();
    const use = judgeUse(entry, fields, now, rules.policy, stored === undefined && variants !== undefined);
    switch (use.kind) {
      case 'fresh':
      case 'stale-allowed':
        return this.hit(exchange, out, keyed as FullKey, entry!, fields, now, use);
      case 'stale-while-revalidate':
        this.hit(exchange, out, keyed as FullKey, entry!, fields, now, use);
        return revalidate(this, exchange, keyed as FullKey, entry!);
      case 'forward':
        return askPast(this, exchange, out, lineOf(use));
      case 'unsatisfiable':
        return void onlyIfCached(this, exchange, out, fields, keyed as FullKey, round);
      default:
    }
    cache.misses++;
    if (exchange.method === 'HEAD')
      return askByHead(this, { exchange, out, keyed: keyed as FullKey, fields, stored: entry, use });
    const { clock } = cache.parts;
    const waiter = new Waiter(exchange, out, keyed as FullKey, fields, use, round, arrival, clock);
    if (!waiter.gone) fly(this, waiter, stored, entry);
  }

  private hit(
    exchange: Exchange,
    out: Out<T>,
    keyed: FullKey,
    entry: Entry,
    fields: RequestCacheFields,
    now: number,
    use: Use,
  ): void {
    const { cache, rules } = this;
    cache.hits++;
    const hits = hitsOf(entry, cache.memory);
    const isLate = this.isLate(entry);
    if (use.detail === null && !isLate && asksForAll(exchange.method, fields)) {
      exchange.cache = HIT;
      out.finish(exchange, hits.reply(now), rules.transform);
      if (this.looksAtHits) this.lookAtHit(exchange, keyed, entry);
      return;
    }
    const detail = use.detail ?? (isLate ? 'lag' : null);
    const line = detail === null ? HIT : { hit: true, detail };
    const answer = fromEntry(entry, fields, exchange, now, cache.parts.random, line);
    out.finish(exchange, answer, rules.transform);
    if (this.looksAtHits && use.detail === null) this.lookAtHit(exchange, keyed, entry);
  }

  /** A fresh one is on its way. */
  private lookAtHit(exchange: Exchange, keyed: FullKey, entry: Entry): void {
    this.refilling?.answered(exchange, keyed, entry);
    this.audit(exchange, keyed, entry);
  }

  audit(exchange: Exchange, keyed: FullKey, entry: Entry): void {
    const { cache, rules } = this;
    const { audit } = rules;
    if (audit === null || cache.parts.random.number() >= audit.share) return;
    // What is known to be behind its origin need not be found out.
    if (this.isLate(entry) || !cache.audits.begin()) return;
    new Audit(this, audit, exchange, keyed, entry).start();
  }

  /** Changes of one of its tags come late now. */
  private isLate(entry: Entry): boolean {
    return this.fedBy !== null && includesOne(this.fedBy.lagging, entry.tags);
  }

  /** The entry, if it may be answered now. */
  private standing(key: string, stored: Entry): Entry | undefined {
    const entry = this.cache.standing(key, stored);
    return entry === undefined || !this.mayAnswer(entry.tags) ? undefined : entry;
  }

  find(key: string, request: Exchange): Found {
    const variants = this.cache.memory.peek(key);
    const stored = variants === undefined ? undefined : this.select(variants, request);
    return { stored, entry: stored === undefined ? undefined : this.standing(key, stored) };
  }

  mayAnswer(tags: readonly string[]): boolean {
    return this.cache.mayAnswer(tags) && !this.withholds(tags);
  }

  /** Changes of one of these tags are not followed now. */
  private withholds(tags: readonly string[]): boolean {
    return this.fedBy !== null && includesOne(this.fedBy.withheld, tags);
  }

  private select({ only, all }: Variants, exchange: Exchange): Entry | undefined {
    return only ?? selectVariant(all, this.headersFor(exchange));
  }

  /** Is the entry a variant for the request? */
  private answers(entry: Entry, exchange: Exchange): boolean {
    return entry.varyOn.length === 0 || selectVariant([entry], this.headersFor(exchange)) !== undefined;
  }

  headersFor(exchange: Exchange): Headers {
    const headers = exchange.headers.slice();
    this.rules.clean(headers);
    const { cookies, ownCookies } = this.rules;
    if (cookies !== 'all')
      filterCookies(
        headers,
        (name) => ownCookies.includes(name) || (cookies !== 'none' && cookies.includes(name)),
      );
    for (const name of this.ignoredVary) removeHeader(headers, name);
    return headers;
  }

  learnsVary(answer: Headers, asked: Headers): boolean {
    if (!this.rules.policy.ignore.has('vary')) return false;
    const names = varyNames(answer);
    if (names === '*') return false;
    let learns = false;
    for (const name of names) {
      if (name === 'accept-encoding' || this.ignoredVary.has(name)) continue;
      if (this.ignoredVary.size === MOST_IGNORED) break;
      this.ignoredVary.add(name);
      learns ||= hasHeader(asked, name);
    }
    return learns;
  }

  usable(waiter: Waiter<T>, entry: Entry): Entry | undefined {
    const { exchange, fields, keyed } = waiter;
    if (!this.answers(entry, exchange) || !isFor(this.rules, entry, exchange, fields)) return undefined;
    if (this.withholds(entry.tags)) return undefined;
    return this.cache.standing(keyed.key, entry);
  }

  again(waiter: Waiter<T>, found?: Entry): void {
    const { exchange, out, fields, round, arrival } = waiter;
    if (out.again !== undefined) return out.again();
    this.look(exchange, out, fields, round + 1, found, arrival);
  }

  renew(waiters: Waiter<T>[]): void {
    for (const waiter of waiters) {
      if (!waiter.settle()) continue;
      try {
        this.again(waiter);
      } catch (error) {
        if (waiter.exchange.answered) continue;
        const answer = this.cache.parts.problem(crashOf(error), waiter.exchange.id);
        waiter.out.finish(waiter.exchange, answer, this.rules.transform);
      }
    }
  }
}

const HIT: CacheStatusParams = Object.freeze({ hit: true });
const LONG_BODY: CacheStatusParams = Object.freeze({ fwd: 'bypass', detail: 'body' });

function includesOne(some: ReadonlySet<string> | null, tags: readonly string[]): boolean {
  return some !== null && tags.some((tag) => some.has(tag));
}
