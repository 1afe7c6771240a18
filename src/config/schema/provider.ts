import { type Complaint, object } from './kit.ts';
import { forward, introspection } from './provider-asking.ts';
import { common, oneKindOf } from './provider-common.ts';
import { jwt } from './provider-jwt.ts';
import { apiKey, basic } from './provider-listed.ts';
import { nameComplaint } from './values.ts';

const { from: _from, crossSite: _crossSite, ...ofCertificates } = common;

const mtls = object('MtlsProvider', 'mtls', ofCertificates);

const PROVIDER_KINDS = ['introspection', 'jwt', 'forward', 'apiKey', 'basic', 'mtls'];

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
