import type { Exchange } from '../../http/exchange.ts';
import type { Entry } from '../entry.ts';
import { scanRequest, type Use } from '../policy/index.ts';
import { drop } from './answers.ts';
import type { Known } from './base.ts';
import type { FullKey, Out } from './contract.ts';
import { fillExchange } from './fill-exchange.ts';
import { Flight } from './flight.ts';
import type { FlightRoute } from './flight-route.ts';
import { isPassed, kindOf } from './passed.ts';
import { pass } from './past.ts';
import { plainHeaders } from './plain-headers.ts';
import { Waiter } from './waiter.ts';
import { NOBODY } from './without-client.ts';

/** After so many waits that came to nothing a request waits for nobody else. */
const ROUNDS = 2;
const NOTHING: readonly string[] = [];
const MISS: Use = { kind: 'miss', forward: 'miss', detail: null };

/** One who misses joins the fill under way for the same, or begins one. */
export function fly<T>(
  route: FlightRoute<T>,
  waiter: Waiter<T>,
  stored: Entry | undefined,
  entry: Entry | undefined,
): void {
  const forced = isForced(route, waiter);
  // A soft purge has put another one in its place.
  const asked = entry ?? stored;
  const base = asked === undefined ? null : { entry: asked, servable: entry !== undefined };
  if (waiter.round >= ROUNDS || isPassed(route, waiter)) return alone(route, waiter, base, forced);
  const kind = kindOf(route, waiter);
  const known = varyOf(route, waiter, stored);
  const first = route.cache.flights.get(kind) as Flight<T> | undefined;
  // What it varies by is known once it comes in, before it is stored.
  const said = first?.varyOn ?? NOTHING;
  // Where variants are known, one that may turn out to be another's is not waited for.
  if (first !== undefined && (known.length === 0 || said.length > 0) && joins(first, waiter, forced)) return;
  const varyOn = known.length > 0 ? known : said;
  if (varyOn.length === 0) return launch(route, kind, waiter, base, forced);
  const name = variantName(route, waiter, kind, varyOn);
  const under = route.cache.flights.get(name) as Flight<T> | undefined;
  if (under === undefined || !joins(under, waiter, forced)) launch(route, name, waiter, base, forced);
}

function joins<T>(under: Flight<T>, waiter: Waiter<T>, forced: boolean): boolean {
  if (!(forced ? under.takesForced(waiter) : under.takes(waiter))) return false;
  if (under.trace !== null) waiter.out.joined?.(under.trace.context);
  return true;
}

/** Asks for a stale entry again, while it is still answered from (RFC 5861 §3): one at a time for a key. */
export function revalidate<T>(route: FlightRoute<T>, exchange: Exchange, keyed: FullKey, entry: Entry): void {
  const { cache } = route;
  if (cache.flights.get(keyed.key) !== undefined) return;
  const { clock } = cache.parts;
  const body = Buffer.isBuffer(exchange.body) ? exchange.body : null;
  // What HEAD is answered from is what GET stored, so it is GET that brings it up to date.
  const method = exchange.method === 'HEAD' ? 'GET' : exchange.method;
  const headers = plainHeaders(exchange.headers);
  const own = fillExchange(exchange, keyed, headers, body, NOBODY, clock.now(), method);
  const out: Out<T> = { finish: drop };
  const waiter = new Waiter(own, out, keyed, scanRequest(own.headers), MISS, ROUNDS, 0, clock);
  launch(route, keyed.key, waiter, { entry, servable: true }, false);
}

/** It wants nothing that was asked for before it came. */
function isForced<T>({ rules }: FlightRoute<T>, { use, fields }: Waiter<T>): boolean {
  if (use.forward === 'request') return true;
  if (rules.policy.ignoreClientDirectives || fields.directives === null) return false;
  return fields.directives.noCache || fields.directives.maxAge === 0;
}

/** Requests whose answers can't be stored don't wait for each other. */
function alone<T>(route: FlightRoute<T>, waiter: Waiter<T>, base: Known | null, forced: boolean): void {
  const { fields } = waiter;
  const conditional = fields.ifNoneMatch !== null || fields.ifModifiedSince !== null || waiter.wantsPart;
  if (conditional && base === null && waiter.settle()) return pass(route, waiter, null);
  new Flight(`\0${waiter.exchange.id}`, route, waiter, base, forced).start();
}

function launch<T>(
  route: FlightRoute<T>,
  name: string,
  waiter: Waiter<T>,
  base: Known | null,
  forced: boolean,
): void {
  const flight = new Flight(name, route, waiter, base, forced);
  route.cache.flights.add(flight);
  flight.start();
}

function varyOf<T>(route: FlightRoute<T>, waiter: Waiter<T>, stored: Entry | undefined): readonly string[] {
  const known = stored ?? route.cache.memory.peek(waiter.keyed.key)?.all.at(-1);
  return known === undefined ? NOTHING : known.varyOn;
}

/** Variants that are known are filled beside each other. */
function variantName<T>(
  route: FlightRoute<T>,
  waiter: Waiter<T>,
  kind: string,
  varyOn: readonly string[],
): string {
  const headers = route.headersFor(waiter.exchange);
  const values = varyOn.map((name) => headers.filter((_, i) => headers[i - 1]?.toLowerCase() === name));
  return `${kind}\0${JSON.stringify(values)}`;
}
