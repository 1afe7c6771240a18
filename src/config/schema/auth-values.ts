import { leaf } from './kit.ts';
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
