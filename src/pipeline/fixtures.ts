import type { Value, Variables } from '../expression/index.ts';
import { Exchange, type Origin, type Responder } from '../http/exchange.ts';
import type { Headers } from '../http/headers.ts';

/** What the unit tests of this folder stand on: exchanges and variables without a connection. */

const nobody: Responder = { inform() {}, respond() {} };

export interface ExchangeOptions {
  path?: string;
  query?: string | null;
  restAt?: number;
  scheme?: Origin['scheme'];
  authority?: string;
  host?: string;
  address?: string;
  headers?: Headers;
  trusted?: boolean;
}

export function exchangeOf(options: ExchangeOptions = {}): Exchange {
  const {
    path = '/',
    query = null,
    scheme = 'http',
    authority = 'shop.example',
    address = '203.0.113.5',
  } = options;
  const origin: Origin = { listener: 'main', scheme, address, port: 8080 };
  const target = query === null ? path : `${path}?${query}`;
  const exchange = new Exchange(origin, nobody, 'GET', target, authority, 11, options.headers ?? [], null, 0);
  exchange.id = 'id-1';
  exchange.path = path;
  exchange.query = query;
  exchange.host = options.host ?? authority.toLowerCase().replace(/:\d*$/, '');
  exchange.trusted = options.trusted ?? false;
  exchange.restAt = options.restAt ?? -1;
  return exchange;
}

/** Plain data as variables: objects are maps, whole numbers are ints. */
export function variables(data: Record<string, unknown>): Variables {
  return new Map(Object.entries(data).map(([name, value]) => [name, toValue(value)])) as Variables;
}

function toValue(data: unknown): Value {
  if (Array.isArray(data)) return data.map(toValue);
  if (typeof data === 'number' && Number.isInteger(data)) return BigInt(data);
  if (typeof data !== 'object' || data === null) return data as Value;
  return new Map(Object.entries(data).map(([name, value]) => [name, toValue(value)]));
}
