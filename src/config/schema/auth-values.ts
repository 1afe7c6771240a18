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
export const httpUrl = leaf<string>(
  'a URL such as https://auth.example/introspect',
  ['text'],
  (value) => httpUrlComplaint(String(value)),
  { type: 'string' },
);

function httpUrlComplaint(given: string): Complaint | null {
  const parsed = URL.canParse(given) ? new URL(given) : null;
  if (parsed === null || !/^https?:\/\/[^/]/i.test(given))
    return { message: 'this is not a URL', advice: 'write https://, a host and a path' };
  if (parsed.username !== '' || parsed.password !== '')
    return {
      message: 'a user and password in the URL would not be sent',
      advice: 'say clientId and clientSecret',
    };
  return parsed.hash === '' ? null : { message: 'a URL that is asked has no #fragment', advice: 'remove it' };
}
