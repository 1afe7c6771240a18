import type { CorsConfig } from '../../config/model.ts';
import type { Exchange } from '../../http/exchange.ts';
import {
  getHeader,
  getHeaders,
  getJoined,
  type Headers,
  removeLines,
  setHeader,
  trimOws,
} from '../../http/headers.ts';
import { compilePattern } from '../../util/pattern.ts';

/** Cross-origin leave of a route (Fetch standard, CORS protocol): the gateway alone gives it. */
export interface Cors {
  /** Makes `headers` those of the answer to a preflight: with the leave for the origins that have it, if `leave`. In place. */
  preflight(exchange: Exchange, headers: Headers, leave: boolean): void;
  /** Puts the leave on an answer, in place of what the service says. In place. */
  apply(exchange: Exchange, headers: Headers): void;
}

/** What the answer to a preflight hangs on. */
const PREFLIGHT_VARY = ['Origin', 'Access-Control-Request-Method', 'Access-Control-Request-Headers'];

/** Is this a preflight? What a browser asks before it sends a request that could do harm. */
export function isPreflight(exchange: Exchange): boolean {
  return (
    exchange.method === 'OPTIONS' &&
    getHeader(exchange.headers, 'origin') !== undefined &&
    getHeader(exchange.headers, 'access-control-request-method') !== undefined
  );
}

/** The method and the headers (in lower case) that a preflight announces. */
export function announced(exchange: Exchange): { method: string; headers: ReadonlySet<string> } {
  const names = getJoined(exchange.headers, 'access-control-request-headers') ?? '';
  return {
    method: getHeader(exchange.headers, 'access-control-request-method')!,
    headers: new Set(
      names
        .split(',')
        .map((name) => trimOws(name).toLowerCase())
        .filter((name) => name !== ''),
    ),
  };
}

export function compileCors(config: CorsConfig): Cors {
  const allows = compileOrigins(config.origins);
  const any = config.origins.includes('*');
  const leave = (exchange: Exchange): Headers => {
    const origins = getHeaders(exchange.headers, 'origin');
    const origin = origins.length === 1 ? origins[0]! : null;
    if (origin === null || !allows(origin)) return [];
    const given = ['Access-Control-Allow-Origin', any ? '*' : origin];
    return config.credentials ? [...given, 'Access-Control-Allow-Credentials', 'true'] : given;
  };
  return {
    preflight(exchange, headers, may) {
      removeOwn(headers);
      const given = may ? leave(exchange) : [];
      if (given.length > 0) headers.push(...given, ...preflightHeaders(exchange, config));
      for (const name of PREFLIGHT_VARY) addVary(headers, name);
    },
    apply(exchange, headers) {
      removeOwn(headers);
      const given = leave(exchange);
      headers.push(...given);
      if (given.length > 0 && config.expose.length > 0)
        headers.push('Access-Control-Expose-Headers', config.expose.join(', '));
      addVary(headers, 'Origin');
    },
  };
}

function preflightHeaders(exchange: Exchange, { methods, headers, maxAge }: CorsConfig): Headers {
  const asked = announced(exchange);
  const lines: Headers = ['Access-Control-Allow-Methods', (methods ?? [asked.method]).join(', ')];
  const names = headers ?? [...asked.headers];
  if (names.length > 0) lines.push('Access-Control-Allow-Headers', names.join(', '));
  if (maxAge !== null) lines.push('Access-Control-Max-Age', String(maxAge));
  return lines;
}

/** Exact, `https://*.example.com` for one or more labels, or `~RE2` over the whole origin. */
function compileOrigins(origins: readonly string[]): (origin: string) => boolean {
  if (origins.includes('*')) return () => true;
  const exact = new Set(
    origins
      .filter((origin) => !origin.startsWith('~') && !origin.includes('*'))
      .map((origin) => origin.toLowerCase()),
  );
  const patterns = origins
    .filter((origin) => origin.startsWith('~'))
    .map((origin) => compilePattern(origin.slice(1)));
  const wild = origins.filter((origin) => !origin.startsWith('~') && origin.includes('*')).map(wildcard);
  return (origin) => {
    const lower = origin.toLowerCase();
    return (
      exact.has(lower) ||
      wild.some((fits) => fits(lower)) ||
      patterns.some((pattern) => pattern.matches(origin))
    );
  };
}

function wildcard(origin: string): (lower: string) => boolean {
  const [before, after] = origin.toLowerCase().split('*') as [string, string];
  return (lower) => {
    if (!lower.startsWith(before) || !lower.endsWith(after)) return false;
    const labels = lower.slice(before.length, lower.length - after.length);
    return lower.length > before.length + after.length && /^[a-z0-9-]+(?:\.[a-z0-9-]+)*$/.test(labels);
  };
}

/** What the service says of CORS: one voice only, or browsers refuse the answer. */
function removeOwn(headers: Headers): void {
  removeLines(headers, (name) => /^access-control-/i.test(name));
}

/** Adds a name to Vary, unless it is there or everything is. */
export function addVary(headers: Headers, name: string): void {
  const standing = getJoined(headers, 'vary');
  const names = (standing ?? '').toLowerCase().split(',').map(trimOws);
  if (names.includes('*') || names.includes(name.toLowerCase())) return;
  setHeader(headers, 'Vary', standing === undefined || standing === '' ? name : `${standing}, ${name}`);
}
