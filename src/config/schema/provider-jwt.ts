import { leaf, object, oneOrMore, onlyOne, type Rule, someOf } from './kit.ts';
import { common } from './provider-common.ts';
import { serviceTls as tls } from './service-tls.ts';
import { boolean, duration, filledText, positiveDuration } from './values.ts';

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
const SYMMETRIC = ['HS256', 'HS384', 'HS512'] as const;

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

export const jwt = object(
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
    timeout: positiveDuration.optional().describe('Of a fetch of metadata or keys. Default 2s.'),
    tls: tls.optional().describe('TLS toward the issuer.'),
    allowHttp: boolean
      .optional()
      .describe('Lets http: addresses stand elsewhere than on this machine. Default false.'),
    ...common,
  },
  [oneKeySource, algorithmsFit],
);
