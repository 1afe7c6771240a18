import type { Exchange, Reply, Responder } from '../../http/exchange.ts';
import type { Headers } from '../../http/headers.ts';
import type { Entry } from '../entry.ts';
import { applyHead, type RequestCacheFields, type Use } from '../policy/index.ts';
import { drop, forwarded, fromEntry, lineOf } from './answers.ts';
import type { FullKey, Out } from './contract.ts';
import { fillExchange, handOver } from './fill-exchange.ts';
import type { FlightRoute } from './flight-route.ts';
import { originTags } from './origin-tags.ts';
import { standInFor } from './stand-in.ts';

/** A HEAD that what is stored can't answer by itself. */
export interface HeadAsking<T> {
  readonly exchange: Exchange;
  readonly out: Out<T>;
  readonly keyed: FullKey;
  readonly fields: RequestCacheFields;
  /** What GET stored, unless it was unseated: then no HEAD brings it back. */
  readonly stored: Entry | undefined;
  /** Why the origin is asked. */
  readonly use: Use;
}

/**
 * Asks the origin by HEAD. Its answer is not stored; it brings what GET stored up to date, or shows that it no longer
 * holds (RFC 9111 §4.3.5). So it, too, asks with nothing that isn't in the key.
 */
export function askByHead<T>(route: FlightRoute<T>, asking: HeadAsking<T>): void {
  const { exchange, out, keyed, stored, use } = asking;
  const { clock } = route.cache.parts;
  const requestHeaders = route.headersFor(exchange);
  const told = stored === undefined ? null : new StoredByGet(route, keyed.key, stored, requestHeaders);
  const responder: Responder = {
    inform: (_asked, status, headers) => exchange.responder.inform(exchange, status, headers),
    respond: drop,
  };
  const asked = fillExchange(exchange, keyed, requestHeaders, null, responder, clock.now());
  exchange.watch({
    abort(failure) {
      asked.abort(failure);
      asked.owner?.over(failure);
      asked.owner = null;
    },
  });
  route.origin(asked, {
    finish(_asked, answer, transform) {
      exchange.watch(null);
      if (exchange.aborted !== null) return drop(asked, answer);
      if (standsIn(route, asking, answer)) return drop(asked, answer);
      handOver(asked, exchange);
      told?.hears(answer);
      const line = { ...lineOf(use), detail: 'head' };
      out.finish(exchange, forwarded(exchange, answer, route.rules.policy, line), transform);
    },
  });
}

/** The stale entry in the place of an error, as GET would get it (RFC 5861 §4): true where it went out. */
function standsIn<T>(route: FlightRoute<T>, asking: HeadAsking<T>, answer: Reply): boolean {
  const { exchange, out, keyed, fields, stored, use } = asking;
  if (stored === undefined) return false;
  const { cache, rules } = route;
  const entry = standInFor(route, fields, answer, () => cache.standing(keyed.key, stored));
  if (entry === null) return false;
  const { clock, random } = cache.parts;
  const line = { ...lineOf(use), detail: 'stale-if-error', fwdStatus: answer.status };
  out.finish(exchange, fromEntry(entry, fields, exchange, clock.wall(), random, line), rules.transform);
  return true;
}

/** What GET stored, as an answer to HEAD speaks of it. */
class StoredByGet<T> {
  private readonly route: FlightRoute<T>;
  private readonly key: string;
  private readonly entry: Entry;
  private readonly requestHeaders: Headers;
  private readonly requestAt: number;
  private readonly sequence: number;
  private readonly life: number;

  /** Before the origin is asked: a change from now on overtakes what it says. */
  constructor(route: FlightRoute<T>, key: string, entry: Entry, requestHeaders: Headers) {
    const { cache } = route;
    this.route = route;
    this.key = key;
    this.entry = entry;
    this.requestHeaders = requestHeaders;
    this.requestAt = cache.parts.clock.wall();
    this.sequence = cache.fences.sequence;
    this.life = cache.life;
  }

  hears({ status, failure, headers }: Reply): void {
    if (status !== 200 || failure !== null) return;
    const { cache, rules } = this.route;
    const { requestHeaders, requestAt, sequence, entry, key } = this;
    const responseAt = cache.parts.clock.wall();
    const update = { headers, requestHeaders, policy: rules.policy, requestAt, responseAt, sequence };
    const updated = applyHead(entry, update);
    if (updated === null || updated.refusal !== null || !carriesItsTags(updated.entry)) {
      cache.memory.discard(key, entry);
      cache.shared?.delete(key);
    } else if (this.life === cache.life && !cache.fences.isDead(updated.entry))
      cache.memory.update(key, entry, updated.entry);
  }
}

/** The origin may name other tags by now: they are known again once GET was asked. */
function carriesItsTags({ headers, url, tags }: Entry): boolean {
  return originTags(headers, url).every((tag) => tags.includes(tag));
}
