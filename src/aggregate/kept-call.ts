import { withoutClient } from '../cache/index.ts';
import { ExchangeVariables, type Value } from '../expression/index.ts';
import { removeCredentials } from '../http/credentials.ts';
import type { Exchange } from '../http/exchange.ts';
import { CallVariables } from './call-variables.ts';

/** Values of a run that are kept with a request of a call, and what each costs beside its text. Bytes, roughly. */
const MOST = 16 * 1024;
const A_VALUE = 32;

/**
 * Gives a call that is made again once its run is over the variables that it had in it: the client's request, without
 * its client, and the values of these names. Bytes that they take up; null: they are too much, or no plain data.
 */
export function keepVariables(call: Exchange, kept: Exchange, names: readonly string[]): number | null {
  const { client, all } = call.variables as CallVariables;
  const headers = client.headers.slice();
  // No call is sent them.
  removeCredentials(headers);
  const request = withoutClient(client, headers);
  const values = new Map(names.map((name) => [name, all.get(name)]));
  const bytes = sizeOf(values.values());
  if (request === null || bytes > MOST) return null;
  kept.madeFor = request;
  kept.variables = new CallVariables(request, layered(values, new ExchangeVariables(request)));
  return headers.reduce((sum, text) => sum + text.length, bytes);
}

/** Copies: parts of a text hold the whole answer that they were cut from. */
function layered(own: ReadonlyMap<string, Value | undefined>, below: ExchangeVariables) {
  const values = structuredClone(own);
  return { get: (name: string) => (values.has(name) ? values.get(name) : below.get(name)) };
}

/** Infinity for what is no plain data. */
function sizeOf(values: Iterable<Value | undefined>): number {
  let size = 0;
  for (const value of values) {
    size += A_VALUE;
    if (typeof value === 'string') size += value.length;
    else if (Array.isArray(value)) size += sizeOf(value);
    else if (value instanceof Map) size += sizeOf([...value.keys(), ...value.values()]);
    else if (typeof value === 'object' && value !== null) return Number.POSITIVE_INFINITY;
    if (size > MOST) break;
  }
  return size;
}
