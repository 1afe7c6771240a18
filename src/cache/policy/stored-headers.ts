import { getJoined, type Headers, hasHeader } from '../../http/headers.ts';
import type { Directives } from './directives.ts';
import { formatHttpDate } from './http-date.ts';
import type { RoutePolicy } from './route-policy.ts';

/** Of one connection, or made anew for each answer (RFC 9111 §3.1, RFC 9110 §7.6.1). */
const NEVER_STORED: ReadonlySet<string> = new Set([
  'age',
  'connection',
  'content-length',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authentication-info',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** The fields of an answer that are stored, in their order. Adds Date where it is missing (RFC 9110 §6.6.1). */
export function storedHeaders(
  headers: Headers,
  directives: Directives,
  policy: RoutePolicy,
  responseAt: number,
): Headers {
  const out = leftOut(headers, directives, policy);
  const stored: Headers = [];
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i]!;
    if (!out.has(name.toLowerCase())) stored.push(name, headers[i + 1]!);
  }
  if (!hasHeader(stored, 'date')) stored.push('Date', formatHttpDate(responseAt));
  return stored;
}

/** Lower-case names of fields that are not stored of this answer. */
export function leftOut(headers: Headers, directives: Directives, policy: RoutePolicy): Set<string> {
  const names = new Set(NEVER_STORED);
  for (const name of getJoined(headers, 'connection')?.split(',') ?? []) names.add(name.trim().toLowerCase());
  if (policy.setCookie !== 'store') names.add('set-cookie');
  // Without revalidation, `no-cache="x"` allows the answer only without x (RFC 9111 §5.2.2.4, §5.2.2.7).
  if (!policy.ignore.has('no-cache')) for (const name of directives.noCacheFields) names.add(name);
  if (!keepsPrivate(policy)) for (const name of directives.privateFields) names.add(name);
  return names;
}

export function keepsPrivate(policy: RoutePolicy): boolean {
  return policy.private || policy.ignore.has('private');
}

/** Fields by which other shared caches would keep an answer that is one user's. */
const SHARED_CONTROLS = /^(?:(?:[a-z0-9-]+-)?cache-control|surrogate-control)$/;
const SHARED_DIRECTIVES = /^(?:public|s-maxage|private|proxy-revalidate)\b/i;

/** The answer's fields as a client gets them where the answer is the subject's own: `Cache-Control: private`. A copy. */
export function privateHeaders(headers: Headers): Headers {
  const directives = (getJoined(headers, 'cache-control') ?? '')
    .split(',')
    .map((directive) => directive.trim())
    .filter(
      (directive) => directive !== '' && !SHARED_DIRECTIVES.test(directive) && !directive.includes('"'),
    );
  const answer: Headers = [];
  for (let i = 0; i < headers.length; i += 2) {
    if (!SHARED_CONTROLS.test(headers[i]!.toLowerCase())) answer.push(headers[i]!, headers[i + 1]!);
  }
  answer.push('Cache-Control', ['private', ...directives].join(', '));
  return answer;
}
