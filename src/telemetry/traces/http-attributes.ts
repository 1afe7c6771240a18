/**
 * Attributes of requests, by OpenTelemetry's semantic conventions for HTTP spans
 * (https://opentelemetry.io/docs/specs/semconv/http/http-spans/).
 */
import type { Exchange } from '../../http/exchange.ts';
import { fieldText } from '../../http/field-text.ts';
import { getHeader } from '../../http/headers.ts';
import { shownTarget } from '../access/shown-target.ts';
import { bounded } from '../access/text.ts';

export type Attributes = Record<string, string | number | boolean | undefined>;

/** Names that may tell spans apart; whatever else a client writes would make as many as it likes. */
const METHODS: ReadonlySet<string> = new Set([
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'PATCH',
  'DELETE',
  'OPTIONS',
  'TRACE',
  'CONNECT',
  'QUERY',
]);

/** What a span is named by its method: HTTP where that is none of the known. */
export function methodInName(method: string): string {
  return METHODS.has(method) ? method : 'HTTP';
}

/** A request as its client sent it; credentials in its query are masked. */
export function askedAttributes(exchange: Exchange, secret: ReadonlySet<string>): Attributes {
  const { path, query } = partsOf(shownTarget(exchange.target, secret));
  return {
    ...methodAttributes(exchange.method),
    'url.scheme': exchange.scheme,
    'url.path': path,
    'url.query': query,
    'server.address': withoutBrackets(exchange.host),
    'server.port': portOf(exchange),
    'client.address': exchange.ip,
    'network.protocol.version': exchange.version === 10 ? '1.0' : exchange.version === 11 ? '1.1' : '2',
    'user_agent.original': shownField(getHeader(exchange.headers, 'user-agent')),
  };
}

/** A request as it goes to the target of a service. */
export function sentAttributes(
  target: string,
  method: string,
  path: string,
  secret: ReadonlySet<string>,
): Attributes {
  const { address, port, origin } = addressOf(target);
  const shown = shownTarget(path, secret);
  return {
    ...methodAttributes(method),
    'server.address': address,
    'server.port': port,
    'url.path': partsOf(shown).path,
    'url.full': origin === undefined ? undefined : `${origin}${shown}`,
  };
}

/** A query goes from the first `?` on, and may hold more of them (RFC 3986 §3.4). */
function partsOf(target: string): { path: string; query: string | undefined } {
  const mark = target.indexOf('?');
  if (mark < 0) return { path: target, query: undefined };
  return { path: target.slice(0, mark), query: target.slice(mark + 1) };
}

/** As in the access log: UTF-8, and no longer than a field may be there. */
function shownField(value: string | undefined): string | undefined {
  return value === undefined ? undefined : bounded(fieldText(value));
}

/** An address of IPv6 is told without what a URL needs around it. */
function withoutBrackets(host: string): string {
  return host.startsWith('[') ? host.slice(1, -1) : host;
}

function methodAttributes(method: string): Attributes {
  if (METHODS.has(method)) return { 'http.request.method': method };
  return { 'http.request.method': '_OTHER', 'http.request.method_original': method };
}

/** As the client named it. */
function portOf({ askedAuthority, scheme }: Exchange): number {
  const said = /:(\d+)$/.exec(askedAuthority)?.[1];
  return said === undefined ? (scheme === 'https' ? 443 : 80) : Number(said);
}

interface Address {
  readonly address: string;
  readonly port?: number;
  readonly origin?: string;
}

/** Of `http://…`, `h2c://…` and the like, or `unix:/path.sock`. */
function addressOf(target: string): Address {
  if (!URL.canParse(target)) return { address: target };
  const { host, hostname, port, pathname, protocol } = new URL(target);
  if (host === '') return { address: pathname };
  const isTls = protocol === 'https:' || protocol === 'h2:';
  return {
    address: withoutBrackets(hostname),
    port: port === '' ? (isTls ? 443 : 80) : Number(port),
    origin: `${isTls ? 'https' : 'http'}://${host}`,
  };
}
