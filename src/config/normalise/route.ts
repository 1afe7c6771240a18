import { basename } from 'node:path';
import { mediaTypeOf } from '../../http/media-type.ts';
import type {
  ActionConfig,
  DestinationConfig,
  MatchConfig,
  RespondConfig,
  RouteConfig,
  StickyConfig,
} from '../model.ts';
import type {
  DefaultsInput,
  DestinationInput,
  MatchInput,
  RespondInput,
  RouteInput,
} from '../schema/types.ts';
import { retriesOf } from './resilience.ts';
import { countOf, durationOf, listOf, record, sizeOf } from './scalars.ts';
import { hostOf, timeoutOf } from './service.ts';
import { mergeTransforms } from './transform.ts';

export type ReadBytes = (path: string) => Buffer;

export function normaliseRoute(
  name: string,
  input: RouteInput,
  defaults: DefaultsInput,
  readBytes: ReadBytes,
): RouteConfig {
  return {
    name,
    match: normaliseMatch(input.match),
    action: actionOf(input, readBytes),
    timeout: timeoutOf(input.timeout ?? defaults.timeout),
    host: hostOf(input.host ?? defaults.host),
    request: mergeTransforms(defaults.request, input.request),
    response: mergeTransforms(defaults.response, input.response),
    retries: ownRetries(input.retries, defaults.retries),
    maxBody: sizeOf(input.maxBody ?? defaults.maxBody, Number.POSITIVE_INFINITY),
  };
}

/** `none` takes the defaults' away: then the service's hold. */
function ownRetries(own: RouteInput['retries'], fallback: DefaultsInput['retries']): RouteConfig['retries'] {
  const said = own ?? fallback;
  return said === undefined || said === 'none' ? null : retriesOf(said);
}

export function normaliseMatch(input: string | MatchInput): MatchConfig {
  const match: MatchInput = typeof input === 'string' ? { path: input } : input;
  return {
    listeners: textsOf(match.listener),
    hosts: textsOf(match.host),
    paths: textsOf(match.path),
    methods: textsOf(match.method),
    headers: { ...match.headers },
    query: { ...match.query },
    cookies: { ...match.cookies },
    ip: textsOf(match.ip),
    when: match.when ?? null,
    ignoreCase: String(match.ignoreCase ?? false) === 'true',
  };
}

/** Entries that were found wrong have left holes. */
function textsOf(value: string | readonly string[] | undefined): string[] {
  return listOf(value).filter((text) => text !== undefined);
}

function actionOf(input: RouteInput, readBytes: ReadBytes): ActionConfig {
  if (input.respond !== undefined) return { kind: 'respond', respond: respondOf(input.respond, readBytes) };
  if (input.redirect === undefined)
    return { kind: 'proxy', to: destinationsOf(input.to), sticky: stickyOf(input.sticky) };
  const { status, to = null, scheme = null, host = null, path = null } = input.redirect;
  return { kind: 'redirect', redirect: { status: countOf(status, 308), to, scheme, host, path } };
}

function stickyOf(input: RouteInput['sticky']): StickyConfig | null {
  if (input === undefined) return null;
  const maxAge = input.maxAge === undefined ? null : Math.round(durationOf(input.maxAge, 0) / 1000);
  return { cookie: input.cookie, maxAge };
}

type Entry = string | (DestinationInput & { weight?: number | string });

/** `to` in its long form: a list of destinations with their weights. */
export function destinationsOf(to: RouteInput['to']): DestinationConfig[] {
  if (to === undefined) return [];
  return listOf<Entry>(to as Entry | Entry[]).map((entry) => {
    if (typeof entry === 'string') return { service: entry, path: null, method: null, weight: 1 };
    const weight = 'weight' in entry ? countOf(entry.weight, 1) : 1;
    const method = typeof entry.method === 'string' ? entry.method : null;
    return { service: entry.service, path: entry.path ?? null, method, weight };
  });
}

function respondOf(input: RespondInput, readBytes: ReadBytes): RespondConfig {
  return {
    status: countOf(input.status, 200),
    headers: record(Object.entries(input.headers ?? {})),
    content: contentOf(input, readBytes),
  };
}

function contentOf(input: RespondInput, readBytes: ReadBytes): RespondConfig['content'] {
  if (input.body !== undefined) return { kind: 'body', text: input.body };
  if (input.template !== undefined) return { kind: 'template', template: input.template };
  if (Object.hasOwn(input, 'json')) return { kind: 'json', value: input.json };
  if (input.file === undefined) return { kind: 'none' };
  return { kind: 'file', bytes: readBytes(input.file), type: mediaTypeOf(basename(input.file)) };
}
