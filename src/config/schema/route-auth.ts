import { httpUrl } from './auth-values.ts';
import { type Complaint, leaf, object, oneOf, oneOrMore, someOf } from './kit.ts';
import { serviceTls as tls } from './service-tls.ts';
import {
  boolean,
  duration,
  expression,
  filledText,
  none,
  positiveDuration,
  template,
  word,
} from './values.ts';

const decisionPoint = {
  cache: duration
    .optional()
    .describe('How long a decision on the same question is kept. Default: not at all.'),
  timeout: positiveDuration.optional().describe('To the end of the answer. Default 2s.'),
  tls: tls.optional().describe('TLS toward an https url.'),
};

const opa = object(
  'Opa',
  'opa',
  {
    url: httpUrl.describe(
      'The document of the Open Policy Agent that says yes: http://127.0.0.1:8181/v1/data/shop/allow. true, or { allow: true }, does.',
    ),
    input: expression
      .optional()
      .describe('CEL: what it is asked. Default: request (method, path, host, query, ip), params and auth.'),
    ...decisionPoint,
  },
  [],
  { wrap: 'url' },
);

const evaluation = object('AuthzenEvaluation', 'an evaluation', {
  action: template.optional().describe('Name of the action. Default: the method.'),
  resourceType: template.optional().describe('Default: route.'),
  resourceId: template.optional().describe('Default: the path.'),
});

const authzen = object(
  'Authzen',
  'authzen',
  {
    url: httpUrl.describe('Base URL of the decision point (AuthZEN Authorization API 1.0).'),
    action: template.optional().describe('Name of the action. Default: the method.'),
    resourceType: template.optional().describe('Default: route.'),
    resourceId: template.optional().describe('Default: the path.'),
    evaluations: someOf('a list of { action, resourceType, resourceId }', evaluation)
      .optional()
      .describe('Several questions at once, of which all must be allowed.'),
    ...decisionPoint,
  },
  [],
  { wrap: 'url' },
);

/** No token has a scope with a space in it: that is what parts them (RFC 6749 §3.3). */
const scope = leaf<string>('a scope', ['text'], (value) => scopeComplaint(String(value)), {
  type: 'string',
  pattern: '^\\S+$',
});

function scopeComplaint(given: string): Complaint | null {
  if (/^\S+$/.test(given)) return null;
  const scopes = given.split(/\s+/).filter((one) => one !== '');
  if (scopes.length === 0) return { message: 'this is empty', advice: 'write the name of a scope' };
  return { message: `"${given}" is no scope: a space parts two`, advice: `write [${scopes.join(', ')}]` };
}

const routeAuth = object(
  'RouteAuth',
  'auth',
  {
    with: oneOrMore("a provider's name, or none", filledText).describe(
      'Providers, in the order they are asked; the first that recognises the credential decides. none: nobody is asked who they are.',
    ),
    allow: expression
      .optional()
      .describe("CEL over auth, request and params, or a policy's name; what is not true is refused."),
    permissions: oneOrMore('a permission', filledText).optional().describe('All of these must be held.'),
    scopes: oneOrMore('a scope', scope).optional().describe('All of these must be held.'),
    report: boolean
      .optional()
      .describe(
        'true only counts and logs what allow, permissions, scopes, opa and authzen would refuse, and lets it pass; a missing or bad credential is refused all the same. Default false.',
      ),
    optional: boolean
      .optional()
      .describe('Lets requests without any credential pass, as nobody. Default false.'),
    passToken: boolean
      .optional()
      .describe("Sends the client's own credential on to the service. Default false."),
    forwardAs: word(['jwt'])
      .optional()
      .describe('jwt: the service gets a token signed by the gateway in place of plain headers.'),
    opa: opa.optional().describe('Also asks the Open Policy Agent; what it does not allow is refused.'),
    authzen: authzen
      .optional()
      .describe(
        'Also asks a decision point by the AuthZEN Authorization API; what it does not allow is refused.',
      ),
    allowResponse: expression
      .optional()
      .describe(
        "CEL that also sees response (its body, where it is looked at, as JSON, up to 1MiB): an answer for which it isn't true is withheld, with 403. For GET alone.",
      ),
  },
  [],
  { wrap: 'with' },
);

/** Who may use a route. */
export const auth = oneOf('{ with, allow }, or none', [routeAuth, none], { wrap: 'with' });
