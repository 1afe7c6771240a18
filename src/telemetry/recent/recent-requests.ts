import { type CacheOutcome, cacheOutcome } from '../../http/cache-outcome.ts';
import type { Failure } from '../../http/errors.ts';
import type { Completion, Exchange, Reply } from '../../http/exchange.ts';
import type { Clock } from '../../util/clock.ts';
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

/** What is kept of a request until somebody asks. */
interface Slot extends Omit<RecentRequest, 'at' | 'path' | 'cache'> {
  readonly wall: number;
  readonly target_: string;
  readonly finding: Exchange['cache'];
}

/** Requests that are remembered in each worker. */
const MOST = 1_000;
/** Longest text of one, in characters: what a client sends may be as long as its limits allow. */
const LONGEST = 512;

/** The last thousand requests of a worker, the oldest giving way. */
export class RecentRequests implements Completion {
  private readonly clock: Clock;
  private readonly slots: Slot[] = [];
  private next = 0;
  /** Query parameters that hold credentials, by the config in force. */
  secret: ReadonlySet<string> = new Set();

  constructor(clock: Clock) {
    this.clock = clock;
  }

  completed(exchange: Exchange, answer: Reply | null, bytes: number, failure: Failure | null): void {
    const { startedAt, answeredAt, served, identity } = exchange;
    const why = answer?.failure ?? exchange.replaced ?? failure;
    this.slots[this.next] = {
      wall: this.clock.wall(),
      id: copied(exchange.id),
      ip: exchange.ip,
      method: exchange.method,
      host: copied(exchange.host),
      target_: copied(exchange.target),
      status: answer?.status ?? 499,
      bytes,
      route: exchange.route?.name ?? null,
      auth: identity === null ? null : whoOf(identity),
      finding: exchange.cache,
      service: served?.service ?? null,
      target: served?.name ?? null,
      failure: why == null ? null : { code: why.code, cause: why.cause },
      firstByte: answeredAt < 0 ? null : answeredAt - startedAt,
      duration: this.clock.now() - startedAt,
    };
    this.next = (this.next + 1) % MOST;
  }

  /** Those of an id; without one the newest. The newest first, at most `limit`. */
  find(id: string | null, limit: number): RecentRequest[] {
    const found: RecentRequest[] = [];
    for (let i = 1; i <= this.slots.length && found.length < limit; i++) {
      const slot = this.slots[(this.next - i + MOST) % MOST];
      if (slot !== undefined && (id === null || slot.id === id)) found.push(this.shown(slot));
    }
    return found;
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

/** A text of its own, at most so long: a part of a head would keep all of it in memory. */
function copied(text: string): string {
  return text.length < 13 ? text : Buffer.from(text.slice(0, LONGEST), 'latin1').toString('latin1');
}

function whoOf(identity: object): RecentRequest['auth'] {
  const { provider, subject } = identity as { provider: string; subject: string | null };
  return { provider, subject };
}
