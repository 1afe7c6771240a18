import { claimTemplate, httpUrl } from './auth-values.ts';
import {
  type Complaint,
  leaf,
  list,
  object,
  oneOf,
  oneOrMore,
  onlyOne,
  type Rule,
  record,
  someOf,
} from './kit.ts';
import { serviceTls as tls } from './service-tls.ts';
import {
  boolean,
  duration,
  expression,
  filledText,
  headerName,
  json,
  nameComplaint,
  none,
  template,
  text,
  word,
} from './values.ts';

const oneKindOf =
  (kinds: readonly string[], what: string, beside: readonly string[] = []): Rule =>
  (value, report) => {
    const given = onlyOne(value, kinds, report);
    // Another key that stands there has been told of.
    if (given.length > 0 || Object.keys(value).some((key) => !beside.includes(key))) return;
    const advice = `say one of ${kinds.join(', ')}`;
    report({
      code: 'TG_CONFIG_MISSING',
      path: [],
      atKey: true,
      message: `this ${what} is of no kind`,
      advice,
    });
  };

const place = object(
  'CredentialPlace',
  'an entry of from',
  {
    header: headerName.optional().describe('A header; "Bearer " before the credential is taken off.'),
    query: filledText.optional().describe('A query parameter.'),
    cookie: filledText.optional().describe('A cookie.'),
  },
  [oneKindOf(['header', 'query', 'cookie'], 'place')],
  { wrap: 'header' },
);

/** What every provider takes. */
export const common = {
  from: someOf('a list of { header }, { query } or { cookie }', place)
    .optional()
    .describe(
      'Where the credential stands; the first that is there counts. It is taken off the request unless passToken.',
    ),
  crossSite: boolean
    .optional()
    .describe(
      'Lets pages of other origins send unsafe requests with a credential in a cookie. Default false: they need a same-origin Origin.',
    ),
  subject: claimTemplate
    .optional()
    .describe('Who it is: a template over claims or response. Default: the claim sub.'),
  permissions: claimTemplate
    .optional()
    .describe(
      'A template over claims or response: a list of texts, or one split at spaces. Default: scope or scp, and permissions.',
    ),
  claims: record('claims with their templates', claimTemplate, () => null)
    .optional()
    .describe('Further claims by name, each a template over claims or response.'),
  tags: oneOrMore('a tag, with {CEL} where something is filled in', claimTemplate)
    .optional()
    .describe(
      'Tags that revoke a decision, beside subject:… and token:…: a purge or a change event of one does it at once.',
    ),
};

const hash = leaf<string>(
  "a hash such as 'sha256:HEX'",
  ['text'],
  (value) => {
    if (/^sha256:[0-9a-f]{64}$/i.test(String(value))) return null;
    return {
      message: 'this is not the hash of a key',
      advice: '"tidegate hash key" prints it: sha256: and 64 hexadecimal digits',
    };
  },
  { type: 'string' },
);

const apiKeyEntry = object(
  'ApiKey',
  'a key',
  {
    hash: hash.optional().describe('sha256:HEX, as "tidegate hash key" prints it.'),
    key: filledText.optional().describe("The key itself, from the environment alone: '${env.NAME}'."),
    subject: text.optional().describe('Who it belongs to. Two keys of one subject make a rotation.'),
    permissions: list('a list of permissions', filledText).optional().describe('What it may do.'),
    scopes: list('a list of scopes', filledText).optional().describe('Its scopes.'),
    claims: record('claims by name', json, () => null)
      .optional()
      .describe('What else is known of it: auth.claims.'),
  },
  [oneKindOf(['hash', 'key'], 'key', ['subject', 'permissions', 'scopes', 'claims'])],
);

const apiKey = object('ApiKeyProvider', 'apiKey', {
  keys: someOf('a list of { hash, subject, permissions }', apiKeyEntry).describe(
    'The keys that are taken, hashed.',
  ),
  ...common,
});

const basicUser = object('BasicUser', 'a user', {
  name: leaf<string>(
    'a name',
    ['text'],
    (value) => {
      if (value !== '' && !/[\x00-\x1f\x7f:]/.test(String(value))) return null;
      return {
        message: 'no client could show this name',
        advice: 'write one without colons and control characters',
      };
    },
    { type: 'string', minLength: 1 },
  ).describe('As it is typed in; the subject, unless subject says otherwise.'),
  password: filledText.describe(
    'A hash, as "tidegate hash password" prints it (argon2id; bcrypt is taken too). The password itself from the environment alone: \'${env.NAME}\'.',
  ),
  permissions: list('a list of permissions', filledText).optional().describe('What they may do.'),
  scopes: list('a list of scopes', filledText).optional().describe('Their scopes.'),
  claims: record('claims by name', json, () => null)
    .optional()
    .describe('What else is known of them: auth.claims.'),
});

const basic = object('BasicProvider', 'basic', {
  realm: filledText.optional().describe('What the password is for, as browsers show it. Default tidegate.'),
  users: someOf('a list of { name, password, permissions }', basicUser).describe('Who is known.'),
  ...common,
});

const { from: _from, crossSite: _crossSite, ...ofCertificates } = common;

const mtls = object('MtlsProvider', 'mtls', ofCertificates);

const sharesDecisions = boolean
  .optional()
  .describe(
    'true keeps accepted decisions in the Redis of cache.redis too, so that what one node has asked the others know. Default false: each worker keeps its own.',
  );

const clientAuthFits: Rule = (provider, report) => {
  const method =
    provider.clientAuth ?? ('privateKey' in provider ? 'private_key_jwt' : 'client_secret_basic');
  const needs =
    method === 'private_key_jwt' ? 'privateKey' : method === 'tls_client_auth' ? 'tls' : 'clientSecret';
  if (!(needs in provider)) {
    const message = `"${needs}" is missing: the gateway could not show who it is`;
    const advice = `${method} needs it; other ways are client_secret_basic, client_secret_post, private_key_jwt and tls_client_auth`;
    report({ code: 'TG_CONFIG_MISSING', path: [], atKey: true, message, advice });
  }
};

const introspection = object(
  'Introspection',
  'introspection',
  {
    endpoint: httpUrl.describe('The introspection endpoint of the auth server (RFC 7662).'),
    clientId: filledText.describe('Who the gateway is to it.'),
    clientSecret: filledText.optional().describe("The gateway's secret there."),
    clientAuth: word(['client_secret_basic', 'client_secret_post', 'private_key_jwt', 'tls_client_auth'])
      .optional()
      .describe('How it shows who it is. Default client_secret_basic, or private_key_jwt beside privateKey.'),
    privateKey: filledText
      .optional()
      .describe('For private_key_jwt: path of a private key (PEM, PKCS #8), or the text itself.'),
    keyId: filledText.optional().describe('For private_key_jwt: the kid that the auth server knows it by.'),
    cache: oneOf('a duration, or { accept, redis }', [
      duration,
      object('IntrospectionCache', 'cache', {
        accept: duration.describe('How long an accepted token is not asked about again.'),
        redis: sharesDecisions,
      }),
    ])
      .optional()
      .describe(
        'How long an accepted token is not asked about again, at most until its exp; a refused one at most 5s. Default: not at all.',
      ),
    timeout: duration.optional().describe('To the end of the answer. Default 2s.'),
    staleIfError: duration
      .optional()
      .describe(
        'How long past its time an accepted decision still counts while the auth server fails. Default 0s.',
      ),
    tls: tls.optional().describe('TLS toward an https endpoint.'),
    allowHttp: boolean
      .optional()
      .describe('Lets an http: endpoint stand elsewhere than on this machine. Default false.'),
    ...common,
  },
  [clientAuthFits],
);

export const ASYMMETRIC = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
] as const;
export const SYMMETRIC = ['HS256', 'HS384', 'HS512'] as const;

const algorithm = leaf<string>(
  'an algorithm such as RS256',
  ['text'],
  (value) => {
    const given = String(value);
    const known: readonly string[] = [...ASYMMETRIC, ...SYMMETRIC];
    if (known.includes(given)) return null;
    if (/^none$/i.test(given))
      return { message: 'a token without a signature proves nothing', advice: 'remove it' };
    const meant = known.find((name) => name.toLowerCase() === given.toLowerCase());
    return {
      message: `"${given}" is not an algorithm that can be checked here`,
      advice: meant === undefined ? `there are: ${known.join(', ')}` : `write "${meant}"`,
    };
  },
  { enum: [...ASYMMETRIC, ...SYMMETRIC] },
);

const oneKeySource: Rule = (jwt, report) => {
  const advice = 'a secret is for HMAC alone; public keys come from jwks or the issuer';
  onlyOne(jwt, ['jwks', 'secret'], report, advice);
  if ('issuer' in jwt || 'iss' in jwt || 'jwks' in jwt || 'secret' in jwt) return;
  report({
    code: 'TG_CONFIG_MISSING',
    path: [],
    atKey: true,
    message: 'this jwt provider has no keys to check with',
    advice: 'say issuer: URL (its metadata names them), jwks: URL or file, or secret',
  });
};

const algorithmsFit: Rule = (jwt, report) => {
  if (!Array.isArray(jwt.algorithms)) return;
  const symmetric = 'secret' in jwt;
  jwt.algorithms.forEach((name, index) => {
    if (typeof name !== 'string' || (SYMMETRIC as readonly string[]).includes(name) === symmetric) return;
    if (!(ASYMMETRIC as readonly string[]).includes(name) && !(SYMMETRIC as readonly string[]).includes(name))
      return;
    report({
      code: 'TG_CONFIG_CONFLICT',
      path: ['algorithms', index],
      message: symmetric
        ? `${name} needs a public key, not a secret`
        : `${name} needs a secret, not public keys`,
      advice: symmetric
        ? 'beside a secret there are HS256, HS384 and HS512'
        : 'a public key that is taken for a secret lets anyone sign: keep to RS256, ES256, EdDSA and the like',
    });
  });
};

const jwt = object(
  'Jwt',
  'jwt',
  {
    issuer: filledText
      .optional()
      .describe(
        'Compared with iss, letter by letter. Without jwks or secret: where its metadata and keys are found (OpenID Connect Discovery, RFC 8414).',
      ),
    audience: oneOrMore('text', filledText).optional().describe('One of these must be among aud.'),
    jwks: filledText
      .optional()
      .describe('URL, or path of a file, of the keys (a JWK set); issuer is then only compared.'),
    secret: filledText.optional().describe('For HMAC: what both sides know.'),
    algorithms: someOf('a list of algorithms', algorithm)
      .optional()
      .describe('Those that are taken. Default: the asymmetric ones; HS256 beside a secret.'),
    typ: filledText.optional().describe("What the header's typ must be: at+jwt for RFC 9068."),
    skew: duration.optional().describe('How far clocks may differ. Default 5s.'),
    timeout: duration.optional().describe('Of a fetch of metadata or keys. Default 2s.'),
    tls: tls.optional().describe('TLS toward the issuer.'),
    allowHttp: boolean
      .optional()
      .describe('Lets http: addresses stand elsewhere than on this machine. Default false.'),
    ...common,
  },
  [oneKeySource, algorithmsFit],
);

const headerNames = oneOrMore('the name of a header', headerName);

const forward = object('Forward', 'forward', {
  url: httpUrl.describe('What is asked, by GET, whether the request may pass: 2xx says so.'),
  requestHeaders: headerNames
    .optional()
    .describe("Headers of the client's that are sent along. Default authorization and cookie."),
  responseHeaders: headerNames.optional().describe('Headers of its answer that go on to the service.'),
  clientHeaders: headerNames
    .optional()
    .describe('Headers of its answer that go back to the client, such as set-cookie.'),
  cache: oneOf('a duration, or { accept, refuse, key }', [
    duration,
    object('ForwardCache', 'cache', {
      accept: duration.optional().describe('How long a 2xx is kept. Default 0s.'),
      refuse: duration.optional().describe('How long a 403 is kept. Default 0s.'),
      key: expression
        .optional()
        .describe(
          'CEL: what a decision depends on. Default: the headers sent along, method, host, path and query.',
        ),
      redis: sharesDecisions,
    }),
  ])
    .optional()
    .describe('How long a decision is kept. Default: not at all.'),
  timeout: duration.optional().describe('To the end of the answer. Default 2s.'),
  tls: tls.optional().describe('TLS toward an https url.'),
  ...common,
});

export const PROVIDER_KINDS = ['introspection', 'jwt', 'forward', 'apiKey', 'basic', 'mtls'];

export const provider = object(
  'AuthProvider',
  'a provider',
  {
    introspection: introspection.optional().describe('Asks the auth server about each token (RFC 7662).'),
    jwt: jwt.optional().describe('Checks signed tokens by itself (RFC 7519, 8725, 9068).'),
    forward: forward
      .optional()
      .describe('Asks another service about each request, as auth_request and ForwardAuth do.'),
    apiKey: apiKey.optional().describe('Keys that are listed here, hashed.'),
    mtls: mtls
      .optional()
      .describe(
        'The certificate that a client shows to a listener with clientCa; claims are cn, dn, issuer, san.dns, san.uri, san.email, san.ip, fingerprint.',
      ),
    basic: basic.optional().describe('Names and passwords that are listed here, hashed (RFC 7617).'),
  },
  [oneKindOf(PROVIDER_KINDS, 'provider')],
);

/** `none` is how a route says that nobody is asked. */
export function providerNameComplaint(name: string): Complaint | null {
  if (name !== 'none') return nameComplaint(name);
  return {
    code: 'TG_CONFIG_NAME',
    message: 'a provider can not be called "none"',
    advice: 'with: none asks nobody',
  };
}

const decisionPoint = {
  cache: duration
    .optional()
    .describe('How long a decision on the same question is kept. Default: not at all.'),
  timeout: duration.optional().describe('To the end of the answer. Default 2s.'),
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

const strings = (what: string) => oneOrMore(what, filledText);

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
    permissions: strings('a permission').optional().describe('All of these must be held.'),
    scopes: strings('a scope').optional().describe('All of these must be held.'),
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
        "CEL that also sees response (its body as JSON, up to 1MiB): an answer for which it isn't true is withheld, with 403. For GET alone.",
      ),
  },
  [],
  { wrap: 'with' },
);

export const auth = oneOf('{ with, allow }, or none', [routeAuth, none], { wrap: 'with' });
