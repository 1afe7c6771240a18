import { type Complaint, leaf } from './kit.ts';
import type { ResponseView } from './variables.ts';

/** What a provider's templates see. */
export interface ClaimVariables {
  /** Of a token, or of an auth server's answer. */
  readonly claims: Readonly<Record<string, unknown>>;
  /** What the auth server answered, where one was asked. */
  readonly response: ResponseView;
}

/** Text with `{CEL}` inside, or a function. */
export const claimTemplate = leaf<string | ((variables: ClaimVariables) => unknown)>(
  'text, with {CEL} where something is filled in',
  ['text', 'function'],
  () => null,
  { type: 'string' },
);

/** An address that the gateway asks. */
export const httpUrl = askedUrl('take them out');

/** One of a server that knows the gateway by `clientId` and `clientSecret`. */
export const clientUrl = askedUrl('say clientId and clientSecret');

/** @param advice Where a user and password stand in it. */
function askedUrl(advice: string) {
  return leaf<string>(
    'a URL such as https://auth.example/introspect',
    ['text'],
    (value) => httpUrlComplaint(String(value), advice),
    { type: 'string' },
  );
}

/** One whose path and query may be filled in of each request. */
export const filledHttpUrl = leaf<string>(
  'a URL such as https://auth.example/verify, or https://auth.example/verify?rd={request.url}',
  ['text'],
  (value) => filledUrlComplaint(String(value)),
  { type: 'string' },
);

/** Whoever chose the server would decide by itself who may pass. */
function filledUrlComplaint(given: string): Complaint | null {
  const { server, path } = urlPartsOf(given);
  if (!server.includes('{')) return httpUrlComplaint(path.includes('{') ? server : given, 'take them out');
  const advice = 'write scheme, host and port as they are: only the path and the query can be filled in';
  return { message: 'a request can not say which server is asked about it', advice };
}

/** A URL cut behind its authority. */
export function urlPartsOf(url: string): { readonly server: string; readonly path: string } {
  const server = /^[^:/?#]*:\/\/(?:\{[^}]*\}|[^/?#])*/.exec(url)?.[0] ?? '';
  return server === '' ? { server: url, path: '' } : { server, path: url.slice(server.length) };
}

function httpUrlComplaint(given: string, instead: string): Complaint | null {
  const parsed = URL.canParse(given) ? new URL(given) : null;
  if (parsed === null || !/^https?:\/\/[^/]/i.test(given))
    return { message: 'this is not a URL', advice: 'write https://, a host and a path' };
  if (parsed.username !== '' || parsed.password !== '')
    return { message: 'a user and password in the URL would not be sent', advice: instead };
  return parsed.hash === '' ? null : { message: 'a URL that is asked has no #fragment', advice: 'remove it' };
}
