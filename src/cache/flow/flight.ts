import { type Body, cancelBody, isSource } from '../../http/body.ts';
import { crashOf, type Failure } from '../../http/errors.ts';
import type { Exchange, Reply, Responder, StepTrace } from '../../http/exchange.ts';
import { getHeader, type Headers, removeHeader } from '../../http/headers.ts';
import { canonicalUrl } from '../../router/index.ts';
import type { Entry } from '../entry.ts';
import {
  freshen,
  isNotModified,
  judgeUse,
  privateHeaders,
  type Storable,
  type StoreRefusal,
  selectVariant,
  validationHeaders,
  varyValues,
} from '../policy/index.ts';
import { SharedBody } from '../shared-body.ts';
import { drop } from './answers.ts';
import { Base, type Known } from './base.ts';
import { fillExchange } from './fill-exchange.ts';
import type { FlightRoute } from './flight-route.ts';
import type { Joinable } from './flights.ts';
import { Giving } from './giving.ts';
import { Judging } from './judging.ts';
import { rememberPassed } from './passed.ts';
import { Turn } from './turn.ts';
import type { Waiter } from './waiter.ts';
import { Waiting } from './waiting.ts';

/** Longest wait for another node's fill, where nothing else bounds it, in ms. */
const LONGEST = 60_000;
/** One that has waited so often is brought to its end, whatever the level that nodes share holds. */
const MOST_ROUNDS = 5;
/** Refusals that are about one request, not about all with its key. */
const OF_THE_REQUEST: ReadonlySet<StoreRefusal> = new Set(['request-no-store', 'method', 'head']);
/** Refusals of an answer that is perhaps for its client alone: it says nothing of what others get. */
const OF_THE_CLIENT: ReadonlySet<StoreRefusal> = new Set([
  'private',
  'authorization',
  'cookie',
  'set-cookie',
]);
const NO_CONTENT = Buffer.alloc(0);
const NOTHING: readonly string[] = [];

/**
 * One read of the origin, for all who ask for the same at that time (collapsed forwarding): first in the level that
 * nodes share, then, if no other node reads it already, at the origin. It takes the sequence before it asks,
 * so what it stores is dead already if a change overtook it. Nobody's leaving ends it.
 */
export class Flight<T> implements Responder, Joinable {
  /** What is filled. */
  readonly key: string;
  hash = 0;
  below: Joinable | null = null;
  isListed = false;
  /** The fill as a step of its leader's trace; null: that is not recorded. */
  readonly trace: StepTrace | null;
  /** Canonical, once the origin is asked. */
  private url = '';
  private readonly route: FlightRoute<T>;
  private readonly leader: Waiter<T>;
  private readonly base: Base<T>;
  private readonly forced: boolean;
  private readonly waiting: Waiting<T>;
  /** Null: there is no level that nodes share. */
  private turn: Turn | null = null;
  private putting: Promise<void> | null = null;
  private sequence = 0;
  private readonly life: number;
  private requestAt = 0;
  private readonly judging: Judging<T>;
  private readonly giving: Giving<T>;
  private storable: Storable | null = null;
  private body: SharedBody | null = null;
  /** The leader's own reader, where it must wait for the whole: what is too long to be kept goes out by it. */
  private reserved: Body = null;
  private over = false;
  /** Its place among all that came: who came before it gets what was read after. */
  private readonly birth: number;

  constructor(name: string, route: FlightRoute<T>, leader: Waiter<T>, known: Known | null, forced: boolean) {
    this.key = name;
    this.trace = leader.exchange.trace?.step('cache fill', true) ?? null;
    this.route = route;
    this.leader = leader;
    this.base = new Base(route, leader, known);
    this.forced = forced;
    this.judging = new Judging(route, leader.exchange);
    this.giving = new Giving(route);
    this.waiting = new Waiting(route, leader, (waiter, failure) => this.refuse(waiter, failure));
    this.life = route.cache.life;
    this.birth = ++route.cache.ticks;
  }

  // --- Who waits. ---

  /** What the answer that comes in varies by. */
  get varyOn(): readonly string[] {
    return this.storable?.varyOn ?? NOTHING;
  }

  /** True where the waiter will hear of this flight's end; false where it is not for it. */
  takes(waiter: Waiter<T>): boolean {
    if (this.over || this.body?.overflowed === true) return false;
    // Whether something has changed since it began can't be told: then it is the next one that is waited for.
    if (!this.holdsFor(waiter)) return this.isSilent() && this.takesLater(waiter);
    if (this.storable !== null && !this.suits(waiter)) return false;
    if (this.storable === null || this.waitsForWhole(waiter)) this.waiting.add(waiter);
    else if (waiter.settle()) this.stream(waiter);
    return true;
  }

  /** For one who wants an answer that was read after it came: this one's if it is such, else the next. */
  takesForced(waiter: Waiter<T>): boolean {
    return this.birth > waiter.arrival ? this.takes(waiter) : this.takesLater(waiter);
  }

  private takesLater(waiter: Waiter<T>): boolean {
    if (this.over || this.storable !== null) return false;
    this.waiting.addLater(waiter);
    return true;
  }

  /** It was read after the request came, or nothing has been invalidated since, as far as this worker can know. */
  private holdsFor(waiter: Waiter<T>): boolean {
    if (this.requestAt === 0 || this.birth > waiter.arrival) return true;
    const { cache } = this.route;
    const { sequence } = this;
    const { tags } = this.judging;
    if (this.life !== cache.life || !this.route.mayAnswer(tags)) return false;
    const begun = { sequence, tags, url: this.url };
    return !cache.fences.isDead(begun) && !cache.fences.isStale(begun);
  }

  /** This worker hears of no changes at present. */
  private isSilent(): boolean {
    return !this.route.mayAnswer(this.judging.tags);
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
    if (this.leader.round > 0) this.waiting.limit(this.leader);
    const { shared } = this.route.cache;
    if (shared === null) return this.attempt(() => this.ask());
    this.turn = new Turn(shared, this.key, this.route.cache.parts.clock);
    this.lookUp(this.turn).catch((error: unknown) => this.crashed(error));
  }

  /** In the level that nodes share; where another node fills, what it stores is waited for. */
  private async lookUp(turn: Turn): Promise<void> {
    const { leader } = this;
    if (this.forced) await turn.claim();
    else {
      const look = () => this.found();
      if (leader.round < MOST_ROUNDS && (await look())) return;
      const waits = () => {
        if (leader.round === 0) this.waiting.limit(leader);
      };
      if (await turn.wait(look, this.waitsUntil(), waits)) return;
    }
    this.attempt(() => this.ask());
  }

  /** Another node's fill takes half of its time at most: then there is still time to ask. */
  private waitsUntil(): number {
    const { patience } = this.route.rules;
    return this.leader.exchange.dispatchedAt + Math.min(patience / 2, LONGEST);
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
    if (entry === undefined || !cache.mayShare(entry.tags)) return false;
    const now = cache.parts.clock.wall();
    if (judgeUse(entry, this.leader.fields, now, rules.policy).kind !== 'fresh') {
      this.base.offer(entry);
      return false;
    }
    const kept = cache.memory.put(key, entry);
    this.end();
    this.waiting.each((waiter) => {
      if (waiter !== this.leader && !this.isAlsoFor(waiter, kept, now)) this.route.again(waiter, kept);
      else {
        this.giving.entry(waiter, kept, { hit: true });
        this.route.audit(waiter.exchange, waiter.keyed, kept);
      }
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
    this.base.review();
    // Before the origin is read: a change from now on makes dead what is stored (see fences/).
    this.sequence = cache.fences.sequence;
    this.requestAt = clock.wall();
    this.url = canonicalUrl(keyed.url) ?? keyed.url;
    this.judging.begin(this.url);
    const headers = validationHeaders(this.base.entry ?? undefined, this.route.headersFor(exchange));
    if (!this.base.servable) removeHeader(headers, 'if-modified-since');
    const body = rules.body && Buffer.isBuffer(exchange.body) ? exchange.body : null;
    const fill = fillExchange(exchange, keyed, headers, body, this, clock.now());
    fill.trace = this.trace;
    this.giving.fill = fill;
    origin(fill, { finish: (_fill, answer) => this.answered(answer) });
  }

  private askAgain(answer: Reply): void {
    drop(this.giving.fill!, answer);
    this.ask();
  }

  /** Whether what comes early is for the others as well, only the answer will tell. */
  inform(_fill: Exchange, status: number, headers: Headers): void {
    const { leader } = this;
    if (!leader.gone) leader.exchange.responder.inform(leader.exchange, status, headers);
  }

  respond(_fill: Exchange, answer: Reply): void {
    this.answered(answer);
  }

  private answered(answer: Reply): void {
    if (this.over) drop(this.giving.fill!, answer);
    else this.attempt(() => this.settled(answer));
  }

  private settled(answer: Reply): void {
    const { clock } = this.route.cache.parts;
    const responseAt = clock.wall();
    const { entry: base } = this.base;
    if (base !== null && answer.status === 304) return this.freshened(base, answer, responseAt);
    if (this.standIn(answer)) return;
    if (answer.failure !== null) return this.failed(answer);
    const storable = this.judging.judge(this.giving.fill!, answer, { requestAt: this.requestAt, responseAt });
    if (typeof storable === 'string') return this.refused(answer, storable);
    if (this.route.learnsVary(answer.headers, this.giving.fill!.headers)) return this.askAgain(answer);
    this.store(answer, storable);
  }

  private store(answer: Reply, storable: Storable): void {
    this.storable = storable;
    const { rules } = this.route;
    if (!isSource(answer.body)) {
      this.letGo(null);
      return this.whole(answer, answer.body ?? NO_CONTENT);
    }
    const body = new SharedBody(answer.body, rules.policy.maxSize, {
      finished: (whole, failure) => this.attempt(() => this.finished(answer, whole, failure)),
      overflowed: () => this.attempt(() => this.overflowed()),
      abandoned: () => this.letGo(null),
    });
    this.body = body;
    const { leader } = this;
    if (this.waitsForWhole(leader)) this.reserved = body.reader();
    else if (leader.settle()) {
      if (this.isKnownTo(leader)) this.giving.entry(leader, this.entry(NO_CONTENT), { stored: true });
      else this.giving.leading(leader, answer, body.reader());
    }
    this.waiting.some(
      (waiter) => !this.waitsForWhole(waiter),
      (waiter) => this.hand(waiter),
    );
    // Only now: to those who can't be told apart from others any more this answer may be given as it comes.
    this.waiting.renewLater();
    body.start();
  }

  private hand(waiter: Waiter<T>): void {
    if (this.suits(waiter) && this.holdsFor(waiter)) this.stream(waiter);
    else this.route.again(waiter);
  }

  private stream(waiter: Waiter<T>): void {
    const head = this.entry(NO_CONTENT);
    if (this.isKnownTo(waiter)) this.giving.entry(waiter, head, { collapsed: true });
    else this.giving.stream(waiter, head, { headers: this.headers(), body: this.body!.reader() });
  }

  /** It has the content that comes in: a head is all that it needs (RFC 9110 §13.2). */
  private isKnownTo(waiter: Waiter<T>): boolean {
    return isNotModified(this.entry(NO_CONTENT), waiter.fields, this.route.cache.parts.clock.wall());
  }

  private finished(answer: Reply, whole: Buffer | null, failure: Failure | null): void {
    this.letGo(failure);
    const length = getHeader(answer.headers, 'content-length');
    if (whole !== null && (length === undefined || Number(length) === whole.length))
      return this.whole(answer, whole);
    this.end();
    this.waiting.each((waiter) => {
      if (waiter === this.leader && failure !== null) this.refuse(waiter, failure);
      else this.route.again(waiter);
    });
  }

  /** It is all there, and fits: stored, and handed to those who waited for the whole of it. */
  private whole(answer: Reply, body: Buffer): void {
    const { rules } = this.route;
    const reason = rules.looksIntoBody
      ? this.judging.settleTags({ status: answer.status, headers: answer.headers, body })
      : null;
    const tooLarge = body.length > rules.policy.maxSize ? 'too-large' : null;
    const refusal = reason ?? tooLarge;
    this.reserved = null;
    if (refusal !== null) return this.refused({ ...answer, body }, refusal);
    const entry = this.entry(body);
    this.route.cache.passes.delete(this.leader.keyed.key);
    this.keep(entry);
    this.end();
    this.waiting.each((waiter) => {
      if (waiter === this.leader) this.giving.whole(waiter, answer, entry);
      else if (this.suits(waiter) && this.holdsFor(waiter))
        this.giving.entry(waiter, entry, { collapsed: true });
      else this.route.again(waiter);
    });
  }

  private overflowed(): void {
    const { leader, reserved } = this;
    this.base.replacedBy(this.storable!.status);
    this.end();
    rememberPassed(this.route, leader);
    this.reserved = null;
    if (reserved !== null && leader.gone) cancelBody(reserved);
    this.waiting.each((waiter) => {
      if (waiter !== leader) return this.route.again(waiter);
      this.giving.tooLarge(leader, this.storable!.status, { headers: this.headers(), body: reserved });
    });
  }

  /** What is stored of the head, as clients get it. A copy. */
  private headers(): Headers {
    const { headers } = this.storable!;
    return this.route.rules.policy.private ? privateHeaders(headers) : headers.slice();
  }

  private entry(body: Buffer): Entry {
    const { storable: _, ...stored } = this.storable!;
    return { ...stored, body, tags: this.judging.tags, sequence: this.sequence, url: this.url };
  }

  private keep(entry: Entry): void {
    const { cache } = this.route;
    const { key } = this.leader.keyed;
    // Overtaken by a change: dead already.
    if (this.life !== cache.life || cache.fences.isDead(entry) || this.isOvertaken(entry)) return;
    cache.memory.put(key, entry);
    this.putting = cache.shared?.put(key, entry, entry.url) ?? null;
  }

  /** A soft purge came in between, and one who came after it has an answer already. */
  private isOvertaken(entry: Entry): boolean {
    const { fences, memory } = this.route.cache;
    if (!fences.isStale(entry)) return false;
    return memory.peek(this.leader.keyed.key)?.all.some((other) => other.sequence > entry.sequence) ?? false;
  }

  // --- What is not stored. ---

  private freshened(base: Entry, answer: Reply, responseAt: number): void {
    const { rules } = this.route;
    const updated = freshen(base, {
      headers: answer.headers,
      requestHeaders: this.giving.fill!.headers,
      policy: rules.policy,
      requestAt: this.requestAt,
      responseAt,
      sequence: this.sequence,
    });
    // About another content than the one stored: asked for whole.
    if (updated === null) {
      this.base.drop();
      return this.askAgain(answer);
    }
    drop(this.giving.fill!, answer);
    const { status, headers, body } = updated.entry;
    this.storable = { storable: true, immutable: false, ...updated.entry };
    this.judging.tags = base.tags;
    // The origin may name other tags by now, and other changes may be followed.
    const tagged = this.judging.settleTags({ status, headers, body: rules.looksIntoBody ? body : null });
    const refusal = updated.refusal ?? tagged;
    const entry = { ...updated.entry, tags: this.judging.tags };
    if (refusal !== null) this.base.discard();
    else this.keep(entry);
    const outcome = refusal === null ? { stored: true } : { detail: refusal };
    this.end();
    this.waiting.each((waiter) => {
      if (waiter !== this.leader && (!this.suits(waiter) || !this.holdsFor(waiter))) this.route.again(waiter);
      else
        this.giving.entry(waiter, entry, { fwdStatus: 304, ...outcome, collapsed: waiter !== this.leader });
    });
  }

  /** The stale entry in the place of an error (RFC 5861 §4): true where everyone got it. */
  private standIn(answer: Reply): boolean {
    const base = this.base.standIn(answer);
    if (base === null) return false;
    drop(this.giving.fill!, answer);
    this.end();
    this.waiting.each((waiter) => {
      if (waiter !== this.leader && this.route.usable(waiter, base) === undefined) this.route.again(waiter);
      else this.giving.entry(waiter, base, { detail: 'stale-if-error', fwdStatus: answer.status });
    });
    return true;
  }

  /** No answer came. The leader hears it; the others try once more, together. */
  private failed(answer: Reply): void {
    this.letGo(answer.failure);
    this.end();
    this.waiting.each((waiter) => {
      if (waiter === this.leader) this.giving.forward(waiter, answer, waiter.line);
      else if (waiter.round === 0) this.route.again(waiter);
      else this.refuse(waiter, answer.failure!);
    });
  }

  /** The answer is the leader's alone: the others go their own ways at once. */
  private refused(answer: Reply, reason: StoreRefusal): void {
    const { leader } = this;
    if (!OF_THE_REQUEST.has(reason)) {
      rememberPassed(this.route, leader);
      if (!OF_THE_CLIENT.has(reason)) this.base.replacedBy(answer.status);
    }
    this.end();
    if (leader.gone) drop(this.giving.fill!, answer);
    this.waiting.each((waiter) =>
      waiter === leader ? this.giving.pass(leader, answer, reason) : this.route.again(waiter),
    );
  }

  // --- Its end. ---

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
    this.waiting.each((waiter) => this.refuse(waiter, failure));
  }

  private refuse(waiter: Waiter<T>, failure: Failure): void {
    this.giving.refuse(waiter, failure, waiter !== this.leader);
  }

  private letGo(failure: Failure | null): void {
    const { fill } = this.giving;
    const owner = fill?.owner ?? null;
    if (fill !== null) fill.owner = null;
    owner?.over(failure);
  }

  private end(): void {
    if (this.over) return;
    this.over = true;
    this.trace?.end();
    const { cache } = this.route;
    cache.flights.remove(this);
    void this.turn?.end(this.putting);
    this.waiting.renewLater();
  }
}
