import { showsCredentials } from '../../http/credentials.ts';
import { Exchange } from '../../http/exchange.ts';
import { type Headers, removeHeader } from '../../http/headers.ts';
import { drop } from './answers.ts';
import { plainHeaders } from './plain-headers.ts';

/** What ties a request to one moment of its client. */
const OF_THE_MOMENT = ['traceparent', 'tracestate', 'x-request-id', 'tidegate-after'];

export const NOBODY = { inform() {}, respond: drop };

/**
 * A request that can be made again once its client is gone, and that holds nothing of its connection. Null: it can't be,
 * for it is more than a question, or shows who its client is. A credential may have run out or been taken back by then,
 * and whoever had it has asked for nothing.
 *
 * @param headers As its origin gets them.
 */
export function withoutClient(client: Exchange, headers: Headers): Exchange | null {
  if (client.body !== null || (client.method !== 'GET' && client.method !== 'HEAD')) return null;
  if (showsCredentials(headers)) return null;
  const plain = plainHeaders(headers);
  for (const name of OF_THE_MOMENT) removeHeader(plain, name);
  const { listener, scheme, address, port } = client.origin;
  const texts = copied({
    headers: plain,
    authority: client.authority,
    askedAuthority: client.askedAuthority,
    path: client.path,
    query: client.query,
    host: client.host,
    params: { ...client.params },
  });
  const target = texts.query === null ? texts.path : `${texts.path}?${texts.query}`;
  const kept = new Exchange(
    { listener, scheme, address, port },
    NOBODY,
    'GET',
    target,
    texts.authority,
    client.version,
    texts.headers,
    null,
    0,
  );
  kept.askedAuthority = texts.askedAuthority;
  kept.path = texts.path;
  kept.query = texts.query;
  kept.host = texts.host;
  kept.params = Object.assign(Object.create(null), texts.params);
  kept.scheme = client.scheme;
  kept.ip = client.ip;
  kept.restAt = client.restAt;
  kept.trusted = client.trusted;
  kept.identity = client.identity;
  kept.route = client.route === null ? null : { name: client.route.name };
  return kept;
}

/** A part of a text holds the whole that it was cut from: here that would be the head of a request. */
function copied<T>(texts: T): T {
  return structuredClone(texts);
}
