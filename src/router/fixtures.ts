import type { MatchConfig } from '../config/model.ts';
import type { RouteEntry } from './candidate.ts';
import type { When } from './conditions.ts';
import { normalisePath } from './normalise.ts';
import type { RouteSubject } from './subject.ts';

/** A match as a user would write it, as short as it gets; the rest is filled in. */
export interface ShortMatch {
  listener?: string | string[];
  host?: string | string[];
  path?: string | string[];
  method?: string | string[];
  headers?: MatchConfig['headers'];
  query?: MatchConfig['query'];
  cookies?: MatchConfig['cookies'];
  ip?: string | string[];
  ignoreCase?: boolean;
  when?: When;
}

export function matchConfig(match: ShortMatch | string): MatchConfig {
  const short = typeof match === 'string' ? { path: match } : match;
  return {
    listeners: list(short.listener),
    hosts: list(short.host),
    paths: list(short.path),
    methods: list(short.method),
    headers: short.headers ?? {},
    query: short.query ?? {},
    cookies: short.cookies ?? {},
    ip: list(short.ip),
    when: short.when === undefined ? null : 'a test',
    ignoreCase: short.ignoreCase ?? false,
  };
}

function list(value: string | string[] | undefined): string[] {
  return value === undefined ? [] : [value].flat();
}

/** Routes whose value is their name, in the order of the object. */
export function entries(matches: Record<string, ShortMatch | string>): RouteEntry<string>[] {
  return Object.entries(matches).map(([name, match]) => ({
    route: name,
    name,
    match: matchConfig(match),
    when: typeof match === 'string' ? null : (match.when ?? null),
  }));
}

export interface ShortRequest {
  listener?: string;
  host?: string;
  ip?: string;
  headers?: Record<string, string>;
  query?: Record<string, string>;
  cookies?: Record<string, string>;
}

/** `line` is `METHOD /path`, or a path alone for GET; the path is normalised and must stand that. */
export function subject(line: string, request: ShortRequest = {}): RouteSubject {
  const [method, raw] = line.startsWith('/') ? ['GET', line] : (line.split(' ') as [string, string]);
  const path = normalisePath(raw);
  if (path === null) throw new Error(`${raw} is refused before it is matched`);
  return {
    listener: request.listener ?? 'main',
    method,
    path,
    host: request.host ?? 'example.com',
    ip: request.ip ?? '192.0.2.1',
    header: (name) => request.headers?.[name],
    queryValue: (name) => request.query?.[name],
    cookie: (name) => request.cookies?.[name],
  };
}
