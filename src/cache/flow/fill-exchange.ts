import type { Body } from '../../http/body.ts';
import { Exchange, type Responder } from '../../http/exchange.ts';
import type { Headers } from '../../http/headers.ts';
import type { Keyed } from './contract.ts';

/**
 * The exchange by which the cache itself asks an origin, in the place of a client's: without a socket, so that the
 * client's leaving doesn't end it, and with nothing of the client's that isn't in the key.
 */
export function fillExchange(
  client: Exchange,
  { authority, query }: Keyed,
  headers: Headers,
  body: Body,
  responder: Responder,
  now: number,
  method = client.method,
): Exchange {
  const scheme = client.scheme === 'https' ? 'https' : 'http';
  const fill = new Exchange(
    { ...client.origin, scheme },
    responder,
    method,
    query === null ? client.path : `${client.path}?${query}`,
    authority,
    client.version,
    headers,
    body,
    now,
  );
  fill.standFor(client);
  fill.query = query;
  fill.route = client.route;
  fill.variables = client.variables;
  return fill;
}

/** The client takes its answer after all: what is held for the fill, and cookies of the gateway's own, are the client's. */
export function handOver(fill: Exchange, client: Exchange): void {
  client.owner = fill.owner;
  client.served = fill.served;
  fill.owner = null;
  for (const line of fill.cookies ?? []) client.setCookie(line);
}
