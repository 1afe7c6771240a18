import type { Exchange, Reply, Responder } from '../../http/exchange.ts';
import type { Headers } from '../../http/headers.ts';
import type { Entry } from '../entry.ts';
import { applyHead, type Use } from '../policy/index.ts';
import { drop, forwarded, lineOf } from './answers.ts';
import type { FullKey, Out } from './contract.ts';
import { fillExchange, handOver } from './fill-exchange.ts';
import type { FlightRoute } from './flight.ts';

/**
 * Asks the origin by HEAD. Its answer is not stored; it brings what GET stored up to date, or shows that it no longer
 * holds (RFC 9111 §4.3.5). So it, too, asks with nothing that isn't in the key.
 */
export function askByHead<T>(
  route: FlightRoute<T>,
  exchange: Exchange,
  out: Out<T>,
  keyed: FullKey,
  stored: Entry | undefined,
  use: Use,
): void {
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
      handOver(asked, exchange);
      told?.hears(answer);
      const line = { ...lineOf(use), detail: 'head' };
      out.finish(exchange, forwarded(exchange, answer, route.rules.policy, line), transform);
    },
  });
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
    if (updated === null || updated.refusal !== null) {
      cache.memory.discard(key, entry);
      cache.shared?.delete(key);
    } else if (this.life === cache.life && !cache.fences.isDead(updated.entry))
      cache.memory.update(key, entry, updated.entry);
  }
}
