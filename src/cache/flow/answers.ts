import { type Body, cancelBody } from '../../http/body.ts';
import { type Exchange, type Reply, reply } from '../../http/exchange.ts';
import { type Headers, removeHeader } from '../../http/headers.ts';
import type { Random } from '../../util/random.ts';
import type { Entry } from '../entry.ts';
import {
  answerFromEntry,
  type CacheStatusParams,
  cacheStatus,
  freshFor,
  privateHeaders,
  type RequestCacheFields,
  type RoutePolicy,
  type Use,
} from '../policy/index.ts';

/** What Cache-Status says of a request's judgement. */
export function lineOf({ forward, detail }: Use): CacheStatusParams {
  return { ...(forward === null ? {} : { fwd: forward }), ...(detail === null ? {} : { detail }) };
}

/** The answer to a request from an entry, with what Cache-Status says of it (RFC 9211). */
export function fromEntry(
  entry: Entry,
  fields: RequestCacheFields,
  exchange: Exchange,
  now: number,
  random: Random,
  status: CacheStatusParams,
): Reply {
  exchange.cache = status;
  const made = answerFromEntry(entry, fields, exchange.method, now, () => random.hex(16));
  made.headers.push('Cache-Status', cacheStatus({ ...status, ttl: freshFor(entry, now) }));
  const { hits, body } = entry;
  if (made.body === body && made.status === entry.status && hits?.entry === entry)
    return hits.under(made.headers);
  return reply(made.status, made.headers, Array.isArray(made.body) ? Buffer.concat(made.body) : made.body);
}

/** The origin's answer on its way to whoever caused it to be asked. */
export function forwarded(
  exchange: Exchange,
  answer: Reply,
  policy: RoutePolicy,
  status: CacheStatusParams,
): Reply {
  const { headers } = answer;
  exchange.cache = status;
  // What is stored and sent without its cookie is sent to nobody with it.
  if (policy.setCookie === 'drop') removeHeader(headers, 'set-cookie');
  if (policy.private) answer.headers = privateHeaders(headers);
  answer.headers.push('Cache-Status', cacheStatus(status));
  return answer;
}

/** An answer that is still coming in, for one who waited for it. */
export function streamed(
  exchange: Exchange,
  status: number,
  stored: Headers,
  body: Body,
  line: CacheStatusParams,
): Reply {
  exchange.cache = line;
  return reply(status, [...stored, 'Cache-Status', cacheStatus(line)], body);
}

/** Lets go of an answer that nobody will read. */
export function drop(exchange: Exchange, answer: Reply): void {
  cancelBody(answer.body);
  answer.tunnel?.source.cancel();
  const { owner } = exchange;
  exchange.owner = null;
  owner?.over(null);
}
