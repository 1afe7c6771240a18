import { type CacheOutcome, cacheOutcome } from '../../http/cache-outcome.ts';
import type { Failure } from '../../http/errors.ts';
import { type Completion, type Exchange, endStatus, type Reply } from '../../http/exchange.ts';
import type { Clock } from '../../util/clock.ts';
import { ownText } from '../../util/own-text.ts';
import { shownTarget } from '../access/shown-target.ts';

/** A request that is over, as it is told: no bodies, no headers, credentials masked. Times in ms. */
export interface RecentRequest {
  readonly id: string;
  /** When it was over, as text (ISO 8601). */
  readonly at: string;
  readonly ip: string;
  readonly method: string;
  readonly host: string;
  readonly path: string;
  /** 499: the client left before there was an answer. */
  readonly status: number;
  readonly bytes: number;
  readonly route: string | null;
  /** Who asked, and by which provider. */
  readonly auth: { readonly provider: string; readonly subject: string | null } | null;
  readonly cache: { readonly outcome: CacheOutcome; readonly detail: string | null } | null;
  readonly service: string | null;
  /** The target that was asked last. */
  readonly target: string | null;
  /** Why the gateway answered itself, or broke off: code of the table of errors, and what it knows beyond it. */
  readonly failure: { readonly code: string; readonly cause: string } | null;
  /** To the head of the answer, and to its last byte; the first null where there was none. */
  readonly firstByte: number | null;
  readonly duration: number;
}

export interface WantedRequests {
  /** Null: the newest, of whatever id. */
  readonly id: string | null;
  /** Null: of all routes. */
  readonly route: string | null;
  /** Only those that ended with a 5xx. */
  readonly failed: boolean;
  readonly limit: number;
}

/** What is kept of a request until somebody asks. */
interface Slot extends Omit<RecentRequest, 'at' | 'path' | 'cache'> {
  readonly wall: number;
  readonly target_: string;
  readonly finding: Exchange['cache'];
}

/** Requests that are remembered in each worker, and those that ended with a 5xx: they are asked for when they are old. */
const MOST = 500;
const MOST_FAILED = 100;
/** Longest text of one, in characters: what a client sends may be as long as its limits allow. */
const LONGEST = 512;

/** The last ones, the oldest giving way. */
class Ring {
  private readonly most: number;
  private readonly slots: Slot[] = [];
  private next = 0;

  constructor(most: number) {
    this.most = most;
  }

  add(slot: Slot): void {
    this.slots[this.next] = slot;
    this.next = (this.next + 1) % this.most;
  }

  /** The newest first. */
  *[Symbol.iterator](): Iterator<Slot> {
    const { slots, next, most } = this;
    for (let i = 1; i <= slots.length; i++) yield slots[(next - i + most) % most]!;
  }
}

/** The last 500 requests of a worker, and the last 100 that failed. */
export class RecentRequests implements Completion {
  private readonly clock: Clock;
  private readonly all = new Ring(MOST);
  private readonly failed = new Ring(MOST_FAILED);
  /** Query parameters that hold credentials, by the config in force. */
  secret: ReadonlySet<string> = new Set();

  constructor(clock: Clock) {
    this.clock = clock;
  }

  completed(exchange: Exchange, answer: Reply | null, bytes: number, failure: Failure | null): void {
    const { startedAt, answeredAt, endedAt, served, identity } = exchange;
    const why = answer?.failure ?? exchange.replaced ?? failure;
    const status = endStatus(answer, failure);
    const slot: Slot = {
      wall: this.clock.wallAt(endedAt),
      id: copied(exchange.id),
      ip: exchange.ip,
      method: exchange.method,
      host: copied(exchange.host),
      target_: copied(exchange.target),
      status,
      bytes,
      route: exchange.route?.name ?? null,
      auth: identity === null ? null : whoOf(identity),
      finding: exchange.cache,
      service: served?.service ?? null,
      target: served?.name ?? null,
      failure: why == null ? null : { code: why.code, cause: why.cause },
      firstByte: answeredAt < 0 ? null : answeredAt - startedAt,
      duration: endedAt - startedAt,
    };
    this.all.add(slot);
    if (status >= 500) this.failed.add(slot);
  }

  /** The newest first. One that failed may be remembered for longer than those after it. */
  find({ id, route, failed, limit }: WantedRequests): RecentRequest[] {
    const fits = (slot: Slot) =>
      (id === null || slot.id === id) &&
      (route === null || slot.route === route) &&
      (!failed || slot.status >= 500);
    const found = new Set<Slot>();
    for (const ring of failed ? [this.failed] : id === null ? [this.all] : [this.all, this.failed])
      for (const slot of ring) if (found.size < limit && fits(slot)) found.add(slot);
    return [...found].map((slot) => this.shown(slot));
  }

  private shown({ wall, target_, finding, ...slot }: Slot): RecentRequest {
    const outcome = cacheOutcome(finding);
    return {
      ...slot,
      at: new Date(wall).toISOString(),
      path: shownTarget(target_, this.secret),
      cache: outcome === null ? null : { outcome, detail: finding?.detail ?? null },
    };
  }
}

/** Shorter ones keep the head that they are part of in memory, which costs less than a copy of each. */
const SHORT = 64;

/** A text of its own, at most so long. */
function copied(text: string): string {
  return text.length < SHORT ? text : ownText(text.slice(0, LONGEST));
}

function whoOf(identity: object): RecentRequest['auth'] {
  const { provider, subject } = identity as { provider: string; subject: string | null };
  return { provider, subject };
}
