import { readBeginning } from '../../http/beginning.ts';
import { type BodySink, type BodySource, isSource } from '../../http/body.ts';
import { filterCookies, hasCookieBeside } from '../../http/cookies.ts';
import { crashOf, Failure } from '../../http/errors.ts';
import type { Exchange, Reply } from '../../http/exchange.ts';
import { getJoined, type Headers, hasHeader, removeHeader } from '../../http/headers.ts';
import type { Entry } from '../entry.ts';
import {
  type CacheStatusParams,
  cacheStatus,
  judgeUse,
  type RequestCacheFields,
  responseDirectives,
  scanRequest,
  selectVariant,
  type Use,
  varyNames,
} from '../policy/index.ts';
import { drop, fromEntry, lineOf } from './answers.ts';
import { Audit } from './audit.ts';
import type { Known } from './base.ts';
import type { Cache } from './cache.ts';
import type { CacheRules, FullKey, Origin, Out } from './contract.ts';
import type { FedBy } from './fed-by.ts';
import { fillExchange } from './fill-exchange.ts';
import { Flight } from './flight.ts';
import type { FlightRoute } from './flight-route.ts';
import { askByHead } from './head.ts';
import { asksForAll, hitsOf } from './hit.ts';
import type { OwnWrites } from './own-writes.ts';
import { plainHeaders } from './plain-headers.ts';
import { type Filling, type Found, Refilling } from './refilling.ts';
import { tracedOut } from './traced-out.ts';
import { Waiter } from './waiter.ts';
import { NOBODY } from './without-client.ts';

/** Longest request body that stands in a key. */
const KEY_BODY = 64 * 1024;
/** After so many waits that came to nothing a request waits for nobody else. */
const ROUNDS = 2;
/** Fields of an ignored Vary that are remembered. */
const MOST_IGNORED = 64;
const MISS: Use = { kind: 'miss', forward: 'miss', detail: null };

/**
 * An origin behind the cache: a request is answered from memory if it can be, without waiting; else it joins the
 * fill under way for the same, or begins one.
 */
export class CachedOrigin<T> implements FlightRoute<T>, Filling<T> {
  readonly cache: Cache;
  readonly rules: CacheRules<T>;
  readonly origin: Origin<T>;
  readonly fedBy: FedBy | null;
  private readonly ownWrites: OwnWrites | null;
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
    if (method !== 'HEAD' && !methods.includes(method)) return this.forward(exchange, out, { fwd: 'method' });
    const { body } = exchange;
    if (!this.rules.body || body === null) return this.enter(exchange, out);
    if (isSource(body)) return void this.withBody(exchange, out, body);
    // It was read already, for an expression.
    if (body.length > KEY_BODY) return this.forward(exchange, out, LONG_BODY);
    this.enter(exchange, out);
  }

  /** Waits first where the client is to get nothing older than something. */
  private enter(exchange: Exchange, out: Out<T>): void {
    const { fedBy, ownWrites } = this;
    const fields = scanRequest(exchange.headers);
    const after = fedBy === null ? null : afterOf(exchange, fields);
    if (fedBy !== null && after !== null) return this.enterAfter(exchange, out, fields, fedBy, after);
    if (ownWrites !== null) return this.enterWithWrites(exchange, out, fields, ownWrites);
    this.look(exchange, out, fields, 0);
  }

  /** Than positions that it names. */
  private enterAfter(
    exchange: Exchange,
    out: Out<T>,
    fields: RequestCacheFields,
    fedBy: FedBy,
    after: string,
  ): void {
    const { cache } = this;
    const client = exchange.madeFor ?? exchange;
    if (cache.behind.has(client)) return this.forward(exchange, out, BEHIND);
    const go = () =>
      this.ownWrites === null
        ? this.look(exchange, out, fields, 0)
        : this.enterWithWrites(exchange, out, fields, this.ownWrites);
    const wait = fedBy.waitFor(after, (outcome) => {
      exchange.watch(null);
      if (outcome === 'reached') return go();
      cache.behind.add(client);
      this.forward(exchange, out, BEHIND);
    });
    if (wait === 'reached') return go();
    if ('cancel' in wait) return exchange.watch({ abort: () => wait.cancel() });
    const failure = new Failure('TG_AFTER_MALFORMED', wait.detail);
    out.finish(
      exchange,
      this.cache.parts.problem(failure, exchange.id, { reason: wait.detail }),
      this.rules.transform,
    );
  }

  /** Than what it has written itself. */
  private enterWithWrites(
    exchange: Exchange,
    out: Out<T>,
    fields: RequestCacheFields,
    ownWrites: OwnWrites,
  ): void {
    const wait = ownWrites.waitFor(exchange, (outcome) => {
      exchange.watch(null);
      if (outcome === 'reached') this.look(exchange, out, fields, 0);
      else this.forward(exchange, out, BEHIND);
    });
    if (wait === 'reached') this.look(exchange, out, fields, 0);
    else exchange.watch({ abort: () => wait.cancel() });
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
    if (isSource(read)) return this.forward(exchange, out, LONG_BODY);
    // The time that the client took for it is not the service's.
    exchange.dispatchedAt = this.cache.parts.clock.now();
    this.enter(exchange, out);
  }

  private look(
    exchange: Exchange,
    out: Out<T>,
    fields: RequestCacheFields,
    round: number,
    found?: Entry,
    arrival = ++this.cache.ticks,
  ): void {
    const { cache, rules } = this;
    const keyed = rules.keyOf(exchange);
    if (keyed.key === null) return this.forward(exchange, out, { fwd: 'bypass', detail: 'key' });
    const variants = cache.memory.get(keyed.key);
    let stored = variants === undefined ? undefined : this.select(variants, exchange);
    if (found !== undefined) stored = this.select([found], exchange) ?? stored;
    // Nobody's answer is so much as asked about in another's name.
    if (stored !== undefined && !this.isFor(stored, exchange, fields)) stored = undefined;
    const entry = stored === undefined ? undefined : this.standing(keyed.key, stored);
    const now = cache.parts.clock.wall();
    const use = judgeUse(entry, fields, now, rules.policy, stored === undefined && variants !== undefined);
    switch (use.kind) {
      case 'fresh':
      case 'stale-allowed':
        return this.hit(exchange, out, keyed as FullKey, entry!, fields, now, use);
      case 'stale-while-revalidate':
        this.hit(exchange, out, keyed as FullKey, entry!, fields, now, use);
        return this.revalidate(exchange, keyed as FullKey, entry!);
      case 'forward':
        return this.forward(exchange, out, lineOf(use));
      case 'unsatisfiable':
        return void this.onlyIfCached(exchange, out, fields, keyed as FullKey, round);
      default:
    }
    cache.misses++;
    if (exchange.method === 'HEAD')
      return askByHead(this, { exchange, out, keyed: keyed as FullKey, fields, stored: entry, use });
    const { clock } = cache.parts;
    const waiter = new Waiter(exchange, out, keyed as FullKey, fields, use, round, arrival, clock);
    if (!waiter.gone) this.fly(waiter, stored, entry);
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
    const hits = hitsOf(entry, keyed.key, cache.memory);
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
    const stored = this.select(this.cache.memory.peek(key) ?? [], request);
    return { stored, entry: stored === undefined ? undefined : this.standing(key, stored) };
  }

  mayAnswer(tags: readonly string[]): boolean {
    return this.cache.mayAnswer(tags) && !this.withholds(tags);
  }

  /** Changes of one of these tags are not followed now. */
  private withholds(tags: readonly string[]): boolean {
    return this.fedBy !== null && includesOne(this.fedBy.withheld, tags);
  }

  /** Where nothing says whose the answers are, one who shows who he is gets only what all may have. */
  private isFor(entry: Entry, exchange: Exchange, fields: RequestCacheFields): boolean {
    return !this.shows(exchange, fields) || isForAll(entry);
  }

  private shows(exchange: Exchange, fields: RequestCacheFields): boolean {
    const { owner, silentOnAuthorization } = this.rules.policy;
    if (owner !== 'none') return silentOnAuthorization && fields.authorization;
    if (fields.authorization || this.rules.authenticated(exchange)) return true;
    return fields.cookie && this.rules.cookies !== 'none' && this.hasCookie(exchange.headers);
  }

  hasCookie(headers: Headers): boolean {
    return hasCookieBeside(headers, this.rules.ownCookies);
  }

  private select(variants: readonly Entry[], exchange: Exchange): Entry | undefined {
    const plain = variants.length === 1 && variants[0]!.varyOn.length === 0;
    if (plain) return variants[0];
    return selectVariant(variants, this.headersFor(exchange));
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
    if (this.select([entry], exchange) === undefined || !this.isFor(entry, exchange, fields))
      return undefined;
    if (this.withholds(entry.tags)) return undefined;
    return this.cache.standing(keyed.key, entry);
  }

  // --- Misses. ---

  fly(waiter: Waiter<T>, stored: Entry | undefined, entry: Entry | undefined): void {
    const { cache } = this;
    const forced = this.isForced(waiter);
    const base = stored === undefined ? null : { entry: stored, servable: entry !== undefined };
    if (waiter.round >= ROUNDS || this.isPassed(waiter)) return this.alone(waiter, base, forced);
    const name = this.flightName(waiter, stored);
    const under = cache.flights.get(name) as Flight<T> | undefined;
    if (under !== undefined && (forced ? under.takesForced(waiter) : under.takes(waiter))) {
      if (under.trace !== null) waiter.out.joined?.(under.trace.context);
      return;
    }
    this.launch(name, waiter, base, forced);
  }

  /** It wants nothing that was asked for before it came. */
  private isForced({ use, fields }: Waiter<T>): boolean {
    if (use.forward === 'request') return true;
    if (this.rules.policy.ignoreClientDirectives || fields.directives === null) return false;
    return fields.directives.noCache || fields.directives.maxAge === 0;
  }

  /**
   * Those who show who they are wait for each other only: the answer to one who doesn't may not be for them, and
   * theirs seldom is for others.
   */
  private kindOf({ keyed, exchange, fields }: Waiter<T>): string {
    return this.shows(exchange, fields) ? `${keyed.key}\0who` : keyed.key;
  }

  isPassed(waiter: Waiter<T>): boolean {
    const { passes, parts } = this.cache;
    return passes.has(this.kindOf(waiter), parts.clock.wall());
  }

  remember(waiter: Waiter<T>): void {
    this.cache.passes.add(this.kindOf(waiter), this.cache.parts.clock.wall());
  }

  /** Requests whose answers can't be stored don't wait for each other. */
  private alone(waiter: Waiter<T>, base: Known | null, forced: boolean): void {
    const { fields } = waiter;
    const conditional = fields.ifNoneMatch !== null || fields.ifModifiedSince !== null || waiter.wantsPart;
    if (conditional && base === null && waiter.settle()) return this.pass(waiter, null);
    new Flight(`\0${waiter.exchange.id}`, this, waiter, base, forced).start();
  }

  private launch(name: string, waiter: Waiter<T>, base: Known | null, forced: boolean): Flight<T> {
    const flight = new Flight(name, this, waiter, base, forced);
    this.cache.flights.set(name, flight as Flight<unknown>);
    flight.start();
    return flight;
  }

  /** Variants that are known are filled beside each other. */
  private flightName(waiter: Waiter<T>, stored: Entry | undefined): string {
    const kind = this.kindOf(waiter);
    const known = stored ?? this.cache.memory.get(waiter.keyed.key)?.at(-1);
    if (known === undefined || known.varyOn.length === 0) return kind;
    const headers = this.headersFor(waiter.exchange);
    const values = known.varyOn.map((name) =>
      headers.filter((_, i) => headers[i - 1]?.toLowerCase() === name),
    );
    return `${kind}\0${JSON.stringify(values)}`;
  }

  /** Asks for a stale entry again, while it is still answered from (RFC 5861 §3): one at a time for a key. */
  private revalidate(exchange: Exchange, keyed: FullKey, entry: Entry): void {
    const { cache } = this;
    if (cache.flights.has(keyed.key)) return;
    const { clock } = cache.parts;
    const body = Buffer.isBuffer(exchange.body) ? exchange.body : null;
    // What HEAD is answered from is what GET stored, so it is GET that brings it up to date.
    const method = exchange.method === 'HEAD' ? 'GET' : exchange.method;
    const headers = plainHeaders(exchange.headers);
    const own = fillExchange(exchange, keyed, headers, body, NOBODY, clock.now(), method);
    const out: Out<T> = { finish: drop };
    const waiter = new Waiter(own, out, keyed, scanRequest(own.headers), MISS, ROUNDS, 0, clock);
    this.launch(keyed.key, waiter, { entry, servable: true }, false);
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

  pass(waiter: Waiter<T>, detail: string | null): void {
    this.forward(waiter.exchange, waiter.out, { ...waiter.line, ...(detail === null ? {} : { detail }) });
  }

  /** Nothing of the answer is kept. What could have been kept is asked with nothing that isn't in the key all the same. */
  private forward(exchange: Exchange, out: Out<T>, line: CacheStatusParams): void {
    exchange.cache = line;
    const { query } = exchange;
    if (line.fwd !== 'method') this.leaveOut(exchange);
    this.origin(exchange, {
      finish: (_exchange, answer, transform) => {
        // Whoever looks at the request from here on sees it as it came.
        exchange.query = query;
        if (answer.tunnel === null) answer.headers.push('Cache-Status', cacheStatus(line));
        out.finish(exchange, answer, transform);
      },
    });
  }

  /** What is not in the key does not reach the origin: headers, parameters, the body of a GET. */
  private leaveOut(exchange: Exchange): void {
    exchange.headers.splice(0, Infinity, ...this.headersFor(exchange));
    exchange.query = this.rules.keyOf(exchange).query;
    if (this.rules.body || !isSource(exchange.body)) return;
    exchange.body.open(DISCARD);
    exchange.body = null;
  }

  /** The client wants a stored answer or none: the level that nodes share is asked too. */
  private async onlyIfCached(
    exchange: Exchange,
    out: Out<T>,
    fields: RequestCacheFields,
    keyed: FullKey,
    round: number,
  ): Promise<void> {
    const { cache, rules } = this;
    if (cache.shared !== null && round === 0) {
      const headers = this.headersFor(exchange);
      const { life } = cache;
      const entry = await cache.shared.get(keyed.key, (heads) =>
        heads.indexOf(selectVariant(heads as readonly Entry[], headers)!),
      );
      if (exchange.aborted !== null) return;
      // What another life of the sequence numbered means nothing in this one.
      if (entry === null || life !== cache.life) return this.look(exchange, out, fields, 1);
      cache.memory.put(keyed.key, entry);
      return this.look(exchange, out, fields, 1, entry);
    }
    const answer: Reply = cache.parts.problem(new Failure('TG_CACHE_ONLY_IF_CACHED'), exchange.id);
    const line = { detail: 'only-if-cached' };
    exchange.cache = line;
    answer.headers.push('Cache-Status', cacheStatus(line));
    out.finish(exchange, answer, rules.transform);
  }
}

const HIT: CacheStatusParams = Object.freeze({ hit: true });
const LONG_BODY: CacheStatusParams = Object.freeze({ fwd: 'bypass', detail: 'body' });
const BEHIND: CacheStatusParams = Object.freeze({ fwd: 'bypass', detail: 'behind' });
const DISCARD: BodySink = { write: () => true, end: () => {}, fail: () => {} };

/** What is asked for a client's sake may not be older either than the client allows. */
function afterOf({ madeFor }: Exchange, { after }: RequestCacheFields): string | null {
  return madeFor === null ? after : (after ?? getJoined(madeFor.headers, 'tidegate-after') ?? null);
}

const forAll = new WeakMap<Entry, boolean>();

/** Its origin says that it may be shared, whoever asks (RFC 9111 §3.5). */
function isForAll(entry: Entry): boolean {
  let known = forAll.get(entry);
  if (known === undefined) {
    const { public: everyone, mustRevalidate, sMaxage } = responseDirectives(entry.headers);
    known = everyone || mustRevalidate || sMaxage !== null;
    forAll.set(entry, known);
  }
  return known;
}

function includesOne(some: ReadonlySet<string> | null, tags: readonly string[]): boolean {
  return some !== null && tags.some((tag) => some.has(tag));
}
