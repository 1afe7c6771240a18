import { type Body, cancelBody, isSource } from '../../http/body.ts';
import { crashOf, Failure } from '../../http/errors.ts';
import type { Exchange, Reply, Responder, StepTrace } from '../../http/exchange.ts';
import { getHeader, type Headers } from '../../http/headers.ts';
import { canonicalUrl } from '../../router/index.ts';
import type { Entry } from '../entry.ts';
import {
  type CacheStatusParams,
  canUseOnError,
  currentAge,
  freshen,
  judgeStorable,
  judgeUse,
  privateHeaders,
  type Storable,
  type StoreRefusal,
  selectVariant,
  validationHeaders,
  varyValues,
} from '../policy/index.ts';
import { SharedBody } from '../shared-body.ts';
import type { SharedStore } from '../shared-store.ts';
import { drop, forwarded, fromEntry, streamed } from './answers.ts';
import type { Cache } from './cache.ts';
import { apartByCoding } from './coding.ts';
import type { Answered, CacheRules, Origin } from './contract.ts';
import type { FedBy } from './fed-by.ts';
import { fillExchange, handOver } from './fill-exchange.ts';
import { asksForPart } from './hit.ts';
import { originTags } from './origin-tags.ts';
import type { Waiter } from './waiter.ts';

/** What a flight needs of the route it is for. */
export interface FlightRoute<T> {
  readonly cache: Cache;
  readonly rules: CacheRules<T>;
  readonly origin: Origin<T>;
  /** The change sources that keep its entries right, as they stood in the config of the route; null: none. */
  readonly fedBy: FedBy | null;
  /** May an entry with these tags be answered from memory now? Whether it is fresh is another question. */
  mayAnswer(tags: readonly string[]): boolean;
  /** The client's headers as the origin gets them. */
  headersFor(exchange: Exchange): Headers;
  learnVary(headers: Headers): void;
  /** Looks once more, for one whose wait came to nothing. */
  again(waiter: Waiter<T>, found?: Entry): void;
  /** The entry as the fences leave it, where it is an answer to this one; whether it is fresh is another question. */
  usable(waiter: Waiter<T>, entry: Entry): Entry | undefined;
  /** It has cookies of its own beside those that the gateway itself has set. */
  hasCookie(headers: Headers): boolean;
  /** Requests whose answers can't be stored don't wait for each other from now on. */
  remember(waiter: Waiter<T>): void;
  /** Goes to the origin by itself, past the cache. */
  pass(waiter: Waiter<T>, detail: string | null): void;
  /** Those who asked for an answer newer than the one under way. */
  renew(waiters: Waiter<T>[]): void;
}

/** How long a fill is another node's business before this one asks too, in ms. */
const CLAIM = 5_000;
/** One that has waited so often is brought to its end, whatever the level that nodes share holds. */
const MOST_ROUNDS = 5;
/** How often another node's fill is waited for, before this one asks whoever else does. */
const TURNS = 2;
/** Refusals that are about one request, not about all with its key. */
const OF_THE_REQUEST: ReadonlySet<StoreRefusal> = new Set(['request-no-store', 'method', 'head']);

/**
 * One read of the origin, for all who ask for the same at that time (collapsed forwarding): first in the level that
 * nodes share, then, if no other node reads it already, at the origin. It takes the sequence before it asks,
 * so what it stores is dead already if a change overtook it. Nobody's leaving ends it.
 */
export class Flight<T> implements Responder {
  readonly name: string;
  /** The fill as a step of its leader's trace; null: that is not recorded. */
  readonly trace: StepTrace | null;
  private readonly url: string;
  private readonly route: FlightRoute<T>;
  private readonly leader: Waiter<T>;
  /** The entry that is asked about; whether it may be served in the place of an error. */
  private base: Entry | null;
  private servable: boolean;
  private readonly forced: boolean;
  private waiters: Waiter<T>[];
  /** They want an answer newer than this one. */
  private later: Waiter<T>[] = [];
  private claimed = false;
  private putting: Promise<void> | null = null;
  private sequence = 0;
  private readonly life: number;
  private requestAt = 0;
  private tags: readonly string[] = [];
  private fill: Exchange | null = null;
  private storable: Storable | null = null;
  private body: SharedBody | null = null;
  /** The leader's own reader, where it must wait for the whole: what is too long to be kept goes out by it. */
  private reserved: Body = null;
  private over = false;
  /** Its place among all that came: who came before it gets what was read after. */
  private readonly birth: number;

  constructor(
    name: string,
    route: FlightRoute<T>,
    leader: Waiter<T>,
    base: { entry: Entry; servable: boolean } | null,
    forced: boolean,
  ) {
    this.name = name;
    this.trace = leader.exchange.trace?.step('cache fill', true) ?? null;
    this.route = route;
    this.url = canonicalUrl(leader.keyed.url) ?? leader.keyed.url;
    this.leader = leader;
    this.base = base?.entry ?? null;
    this.servable = base?.servable ?? false;
    this.forced = forced;
    this.waiters = [leader];
    this.life = route.cache.life;
    this.birth = ++route.cache.ticks;
  }

  // --- Who waits. ---

  /** True where the waiter will hear of this flight's end; false where it is not for it. */
  takes(waiter: Waiter<T>): boolean {
    if (this.over || this.body?.overflowed === true) return false;
    // Whether something has changed since it began can't be told: then it is the next one that is waited for.
    if (!this.holdsFor(waiter)) return this.isSilent() && this.takesLater(waiter);
    if (this.storable === null || this.waitsForWhole(waiter)) {
      this.hold(waiter);
      return true;
    }
    if (!this.suits(waiter)) return false;
    if (waiter.settle()) this.stream(waiter);
    return true;
  }

  /** For one who wants an answer that was read after it came: this one's if it is such, else the next. */
  takesForced(waiter: Waiter<T>): boolean {
    return this.birth > waiter.arrival ? this.takes(waiter) : this.takesLater(waiter);
  }

  private takesLater(waiter: Waiter<T>): boolean {
    if (this.over || this.storable !== null) return false;
    this.later.push(waiter);
    this.limit(waiter);
    return true;
  }

  private hold(waiter: Waiter<T>): void {
    this.waiters.push(waiter);
    this.limit(waiter);
  }

  /** It waits no longer than its own time allows, whenever the fill began. */
  private limit(waiter: Waiter<T>): void {
    const { clock } = this.route.cache.parts;
    const left = waiter.exchange.dispatchedAt + this.route.rules.patience - clock.now();
    waiter.limit(left, () => {
      if (waiter.settle()) this.refuse(waiter, new Failure('TG_UPSTREAM_TIMEOUT', 'the fill it waited for'));
    });
  }

  /** It was read after the request came, or nothing has been invalidated since, as far as this worker can know. */
  private holdsFor(waiter: Waiter<T>): boolean {
    if (this.requestAt === 0 || this.birth > waiter.arrival) return true;
    const { cache } = this.route;
    const { sequence, tags } = this;
    if (this.life !== cache.life || !this.route.mayAnswer(tags)) return false;
    return !cache.fences.isDead({ sequence, tags, url: this.url });
  }

  /** This worker hears of no changes at present. */
  private isSilent(): boolean {
    return !this.route.mayAnswer(this.tags);
  }

  private waitsForWhole(waiter: Waiter<T>): boolean {
    return waiter.wantsPart || this.route.rules.looksIntoBody;
  }

  /** Is what comes the answer to its request, too (RFC 9111 §4.1)? */
  private suits(waiter: Waiter<T>): boolean {
    const { varyOn, varyValues: stored } = this.storable!;
    const own = varyValues(varyOn, this.route.headersFor(waiter.exchange));
    return own.every((value, i) => value === stored[i]);
  }

  // --- Before the origin is asked. ---

  start(): void {
    // One that has waited before has less time than the fill that it begins.
    if (this.leader.round > 0) this.limit(this.leader);
    const { shared } = this.route.cache;
    if (shared === null) return this.attempt(() => this.ask());
    this.lookUp(shared).catch((error: unknown) => this.crashed(error));
  }

  /** In the level that nodes share; where another node fills, what it stores is waited for. */
  private async lookUp(shared: SharedStore): Promise<void> {
    if (!this.forced && this.leader.round < MOST_ROUNDS && (await this.found())) return;
    for (let turn = 0; turn < TURNS; turn++) {
      const claim = await shared.claim(this.name, CLAIM);
      this.claimed = claim === 'mine';
      if (claim === 'away' || this.forced) break;
      if (claim === 'theirs') {
        if (turn === 0 && this.leader.round === 0) this.limit(this.leader);
        await shared.settled(this.name, CLAIM);
      }
      // Also with a claim of its own: another's fill may have ended between the first look and the claim.
      if (await this.found()) return;
      if (this.claimed) break;
    }
    this.attempt(() => this.ask());
  }

  private async found(): Promise<boolean> {
    const { cache, rules } = this.route;
    const { key } = this.leader.keyed;
    const headers = this.route.headersFor(this.leader.exchange);
    const read = await cache.shared?.get(key, (heads) => {
      const chosen = selectVariant(heads as readonly Entry[], headers);
      return chosen === undefined ? -1 : heads.indexOf(chosen);
    });
    if (read === undefined || read === null || this.life !== cache.life) return false;
    const entry = this.route.usable(this.leader, read);
    if (entry === undefined) return false;
    const now = cache.parts.clock.wall();
    if (judgeUse(entry, this.leader.fields, now, rules.policy).kind !== 'fresh') {
      if (this.base !== null) return false;
      this.base = entry;
      this.servable = true;
      return false;
    }
    cache.memory.put(key, entry);
    this.end();
    this.each((waiter) => {
      if (waiter !== this.leader && !this.isAlsoFor(waiter, entry, now)) this.route.again(waiter, entry);
      else this.give(waiter, entry, { hit: true });
    });
    return true;
  }

  /** What was just read from Redis was compared with its fences there: it is for all who came before that. */
  private isAlsoFor(waiter: Waiter<T>, entry: Entry, now: number): boolean {
    const { rules } = this.route;
    if (this.birth < waiter.arrival && !this.route.mayAnswer(entry.tags)) return false;
    const usable = this.route.usable(waiter, entry);
    return usable !== undefined && judgeUse(usable, waiter.fields, now, rules.policy).kind === 'fresh';
  }

  // --- The origin. ---

  private ask(): void {
    const { cache, rules, origin } = this.route;
    const { exchange, keyed } = this.leader;
    const { clock } = cache.parts;
    // Before the origin is read: a change from now on makes dead what is stored (see fences/).
    this.sequence = cache.fences.sequence;
    this.requestAt = clock.wall();
    this.tags = this.withFamilies(rules.requestTags?.(exchange) ?? []) ?? [];
    const headers = validationHeaders(this.base ?? undefined, this.route.headersFor(exchange));
    const body = rules.body && Buffer.isBuffer(exchange.body) ? exchange.body : null;
    this.fill = fillExchange(exchange, keyed, headers, body, this, clock.now());
    this.fill.trace = this.trace;
    origin(this.fill, { finish: (_fill, answer) => this.answered(answer) });
  }

  inform(_fill: Exchange, status: number, headers: Headers): void {
    const { leader } = this;
    if (!leader.gone) leader.exchange.responder.inform(leader.exchange, status, headers);
  }

  respond(_fill: Exchange, answer: Reply): void {
    this.answered(answer);
  }

  private answered(answer: Reply): void {
    if (this.over) drop(this.fill!, answer);
    else this.attempt(() => this.settled(answer));
  }

  private settled(answer: Reply): void {
    const { clock } = this.route.cache.parts;
    const responseAt = clock.wall();
    if (this.base !== null && answer.status === 304) return this.freshened(answer, responseAt);
    if (this.standIn(answer)) return;
    if (answer.failure !== null) return this.failed(answer);
    const storable = this.judge(answer, responseAt);
    if (typeof storable === 'string') return this.refused(answer, storable);
    this.store(answer, storable);
  }

  private judge(answer: Reply, responseAt: number): Storable | StoreRefusal {
    const { rules } = this.route;
    const requestHeaders = this.fill!.headers;
    if (rules.policy.ignore.has('vary')) this.route.learnVary(answer.headers);
    const judged = judgeStorable({
      method: this.fill!.method,
      requestHeaders,
      authenticated: rules.authenticated(this.leader.exchange),
      hasCookie: this.route.hasCookie(requestHeaders),
      status: answer.status,
      responseHeaders: answer.headers,
      policy: rules.policy,
      requestAt: this.requestAt,
      responseAt,
    });
    if (!judged.storable) return judged.reason;
    if (answer.tunnel !== null) return 'status';
    const storable = apartByCoding(judged, requestHeaders);
    if (rules.looksIntoBody) return storable;
    return this.settleTags({ status: answer.status, headers: answer.headers, body: null }) ?? storable;
  }

  /** What the answer is filed under, as far as it can be told; why it can't be stored, else null. */
  private settleTags(answered: Answered): StoreRefusal | null {
    const { rules } = this.route;
    const { exchange } = this.leader;
    if (rules.store !== null && !rules.store(exchange, answered)) return 'store';
    const own = rules.tags === null ? [] : rules.tags(exchange, answered);
    if (own === null) return 'tags';
    const tags = this.withFamilies([...new Set([...own, ...originTags(answered.headers, this.url)])]);
    if (tags === null) return 'changes';
    this.tags = tags;
    return null;
  }

  /** Null: changes of these tags are not followed now. */
  private withFamilies(tags: string[]): string[] | null {
    const { fedBy } = this.route;
    if (fedBy === null || tags.length === 0) return tags;
    const families = fedBy.familiesOf(tags);
    return families === null ? null : [...tags, ...families];
  }

  private store(answer: Reply, storable: Storable): void {
    this.storable = storable;
    const { rules } = this.route;
    if (!isSource(answer.body)) {
      this.letGo(null);
      return this.whole(answer, answer.body ?? Buffer.alloc(0));
    }
    const body = new SharedBody(answer.body, rules.policy.maxSize, {
      finished: (whole, failure) => this.attempt(() => this.finished(answer, whole, failure)),
      overflowed: () => this.attempt(() => this.overflowed()),
      abandoned: () => this.letGo(null),
    });
    this.body = body;
    const { leader } = this;
    if (this.waitsForWhole(leader)) this.reserved = body.reader();
    else if (leader.settle())
      this.send(
        leader,
        forwarded(leader.exchange, this.copy(answer, body.reader()), rules.policy, this.line()),
      );
    const waiting = this.take();
    this.waiters = waiting.filter((waiter) => !waiter.gone && this.waitsForWhole(waiter));
    for (const waiter of waiting) if (!this.waitsForWhole(waiter)) this.hand(waiter);
    // Only now: to those who can't be told apart from others any more this answer may be given as it comes.
    this.renewLater();
    body.start();
  }

  private copy(answer: Reply, body: Body): Reply {
    return { ...answer, headers: answer.headers.slice(), body };
  }

  private hand(waiter: Waiter<T>): void {
    this.finishOne(waiter, () => {
      if (this.suits(waiter) && this.holdsFor(waiter)) this.stream(waiter);
      else this.route.again(waiter);
    });
  }

  private stream(waiter: Waiter<T>): void {
    const { clock } = this.route.cache.parts;
    const age = Math.floor(currentAge(this.entry(Buffer.alloc(0)), clock.wall()));
    const line = { ...waiter.line, collapsed: true };
    const headers = [...this.headers(), 'Age', String(age)];
    this.send(waiter, streamed(waiter.exchange, this.storable!.status, headers, this.body!.reader(), line));
  }

  private finished(answer: Reply, whole: Buffer | null, failure: Failure | null): void {
    this.letGo(failure);
    const length = getHeader(answer.headers, 'content-length');
    if (whole !== null && (length === undefined || Number(length) === whole.length))
      return this.whole(answer, whole);
    this.end();
    this.each((waiter) => {
      if (waiter === this.leader && failure !== null) this.refuse(waiter, failure);
      else this.route.again(waiter);
    });
  }

  /** It is all there, and fits: stored, and handed to those who waited for the whole of it. */
  private whole(answer: Reply, body: Buffer): void {
    const { rules } = this.route;
    const reason = rules.looksIntoBody
      ? this.settleTags({ status: answer.status, headers: answer.headers, body })
      : null;
    const tooLarge = body.length > rules.policy.maxSize ? 'too-large' : null;
    const refusal = reason ?? tooLarge;
    this.reserved = null;
    if (refusal !== null) return this.refused({ ...answer, body }, refusal);
    const entry = this.entry(body);
    this.route.cache.passes.delete(this.leader.keyed.key);
    this.keep(entry);
    this.end();
    this.each((waiter) => {
      if (waiter === this.leader) this.sendWhole(waiter, answer, entry);
      else if (this.suits(waiter) && this.holdsFor(waiter)) this.give(waiter, entry, { collapsed: true });
      else this.route.again(waiter);
    });
  }

  private sendWhole(waiter: Waiter<T>, answer: Reply, entry: Entry): void {
    if (asksForPart(waiter.fields)) return this.give(waiter, entry, { stored: true });
    const { policy } = this.route.rules;
    this.send(waiter, forwarded(waiter.exchange, this.copy(answer, entry.body), policy, this.line()));
  }

  private overflowed(): void {
    const { leader, reserved } = this;
    this.end();
    this.route.remember(leader);
    this.reserved = null;
    if (reserved !== null && leader.gone) cancelBody(reserved);
    this.each((waiter) => {
      if (waiter !== leader) return this.route.again(waiter);
      const { status } = this.storable!;
      this.send(
        leader,
        streamed(leader.exchange, status, this.headers(), reserved, { ...leader.line, detail: 'too-large' }),
      );
    });
  }

  /** What is stored of the head, as clients get it. A copy. */
  private headers(): Headers {
    const { headers } = this.storable!;
    return this.route.rules.policy.private ? privateHeaders(headers) : headers.slice();
  }

  private entry(body: Buffer): Entry {
    const { storable: _, ...stored } = this.storable!;
    return { ...stored, body, tags: this.tags, sequence: this.sequence, url: this.url };
  }

  private keep(entry: Entry): void {
    const { cache } = this.route;
    const { key } = this.leader.keyed;
    // Overtaken by a change: dead already.
    if (this.life !== cache.life || cache.fences.isDead(entry)) return;
    cache.memory.put(key, entry);
    this.putting = cache.shared?.put(key, entry, entry.url) ?? null;
  }

  // --- What is not stored. ---

  private freshened(answer: Reply, responseAt: number): void {
    const { cache, rules } = this.route;
    const { key } = this.leader.keyed;
    const base = this.base!;
    const updated = freshen(base, {
      headers: answer.headers,
      requestHeaders: this.fill!.headers,
      policy: rules.policy,
      requestAt: this.requestAt,
      responseAt,
      sequence: this.sequence,
    });
    drop(this.fill!, answer);
    if (updated === null) {
      // About another content than the one stored: asked for whole.
      this.base = null;
      return this.ask();
    }
    const { entry } = updated;
    this.storable = { storable: true, immutable: false, ...entry };
    this.tags = entry.tags;
    const unfollowed = this.withFamilies([...entry.tags]) === null;
    if (updated.refusal !== null || unfollowed) {
      cache.memory.discard(key, base);
      cache.shared?.delete(key);
    } else this.keep(entry);
    this.end();
    this.each((waiter) => {
      if (waiter !== this.leader && (!this.suits(waiter) || !this.holdsFor(waiter))) this.route.again(waiter);
      else this.give(waiter, entry, { fwdStatus: 304, stored: true, collapsed: waiter !== this.leader });
    });
  }

  /** The stale entry in the place of an error (RFC 5861 §4): true where everyone got it. */
  private standIn(answer: Reply): boolean {
    const { cache, rules } = this.route;
    const status = answer.failure === null ? answer.status : null;
    if (this.base === null || !this.servable || (status !== null && status < 500)) return false;
    // It may have been unseated meanwhile, or this worker may have heard nothing for a while.
    const base = this.life === cache.life ? this.route.usable(this.leader, this.base) : undefined;
    if (base === undefined || !this.route.mayAnswer(base.tags)) return false;
    const now = cache.parts.clock.wall();
    const directives = rules.policy.ignoreClientDirectives ? null : this.leader.fields.directives;
    if (!canUseOnError(base, now, status, directives)) return false;
    drop(this.fill!, answer);
    this.end();
    this.each((waiter) => {
      if (waiter !== this.leader && this.route.usable(waiter, base) === undefined) this.route.again(waiter);
      else this.give(waiter, base, { detail: 'stale-if-error', fwdStatus: answer.status });
    });
    return true;
  }

  private give(waiter: Waiter<T>, entry: Entry, more: CacheStatusParams): void {
    const { clock, random } = this.route.cache.parts;
    const line = more.hit === true ? more : { ...waiter.line, ...more };
    this.send(waiter, fromEntry(entry, waiter.fields, waiter.exchange, clock.wall(), random, line));
  }

  /** No answer came. The leader hears it; the others try once more, together. */
  private failed(answer: Reply): void {
    this.letGo(answer.failure);
    this.end();
    this.each((waiter) => {
      if (waiter === this.leader)
        this.send(waiter, forwarded(waiter.exchange, answer, this.route.rules.policy, waiter.line));
      else if (waiter.round === 0) this.route.again(waiter);
      else this.refuse(waiter, answer.failure!);
    });
  }

  /** The answer is the leader's alone: the others go their own ways at once. */
  private refused(answer: Reply, reason: StoreRefusal): void {
    const { leader, fill } = this;
    if (!OF_THE_REQUEST.has(reason)) this.route.remember(leader);
    this.end();
    if (leader.gone) drop(fill!, answer);
    this.each((waiter) => (waiter === leader ? this.pass(answer, reason) : this.route.again(waiter)));
  }

  /** The leader gets what can't be stored, as it came. */
  private pass(answer: Reply, reason: StoreRefusal): void {
    const { leader, fill } = this;
    if (leader.wantsPart && isSource(answer.body)) {
      drop(fill!, answer);
      return this.route.pass(leader, reason);
    }
    handOver(fill!, leader.exchange);
    this.send(
      leader,
      forwarded(leader.exchange, answer, this.route.rules.policy, { ...leader.line, detail: reason }),
    );
  }

  private refuse(waiter: Waiter<T>, failure: Failure): void {
    this.send(waiter, this.route.cache.parts.problem(failure, waiter.exchange.id));
  }

  /** What Cache-Status says to the leader of an answer that is stored. */
  private line(): CacheStatusParams {
    return { ...this.leader.line, stored: true };
  }

  // --- Its end. ---

  private send(waiter: Waiter<T>, answer: Reply): void {
    if (this.fill !== null) waiter.exchange.served = this.fill.served;
    waiter.out.finish(waiter.exchange, answer, this.route.rules.transform);
  }

  /** Whatever goes wrong in here, nobody waits for it any longer. */
  private attempt(step: () => void): void {
    try {
      step();
    } catch (error) {
      this.crashed(error);
    }
  }

  private crashed(error: unknown): void {
    const failure = crashOf(error);
    this.letGo(failure);
    this.end();
    this.each((waiter) => this.refuse(waiter, failure));
  }

  /** All who wait, wait no more: each gets what `step` gives. */
  private each(step: (waiter: Waiter<T>) => void): void {
    for (const waiter of this.take()) this.finishOne(waiter, () => step(waiter));
  }

  /** Whatever goes wrong for one is no matter of the others. */
  private finishOne(waiter: Waiter<T>, step: () => void): void {
    if (!waiter.settle()) return;
    try {
      step();
    } catch (error) {
      if (!waiter.exchange.answered) this.refuse(waiter, crashOf(error));
    }
  }

  private take(): Waiter<T>[] {
    const { waiters } = this;
    this.waiters = [];
    return waiters;
  }

  private renewLater(): void {
    const { later } = this;
    this.later = [];
    if (later.length > 0) this.route.renew(later);
  }

  /** Who waits at another node looks for the entry once nobody claims it, so it must be there by then. */
  private async unclaim(): Promise<void> {
    await this.putting;
    this.route.cache.shared?.release(this.name);
  }

  private letGo(failure: Failure | null): void {
    const owner = this.fill?.owner ?? null;
    if (this.fill !== null) this.fill.owner = null;
    owner?.over(failure);
  }

  private end(): void {
    if (this.over) return;
    this.over = true;
    this.trace?.end();
    const { cache } = this.route;
    if (cache.flights.get(this.name) === (this as Flight<unknown>)) cache.flights.delete(this.name);
    if (this.claimed) void this.unclaim();
    this.renewLater();
  }
}
