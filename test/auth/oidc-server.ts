import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, exportPKCS8, generateKeyPair, type JWK } from 'jose';
import { Provider } from 'oidc-provider';

type Key = Awaited<ReturnType<typeof generateKeyPair>>['privateKey'];

/** A real OpenID Connect server (oidc-provider), with a client that may get tokens for the audience `orders`. */
export interface OidcServer {
  readonly issuer: string;
  /** What its tokens are signed with, by kid. */
  readonly keys: Readonly<Record<'rs' | 'es', Key>>;
  /** PEM: by which the client `signer` shows who it is. */
  readonly signerKey: string;
  /** Public keys as it publishes them. */
  readonly published: readonly JWK[];
  /** A token by client credentials: signed, or opaque; bound to the key of `proof`, where there is one (RFC 9449 §5). */
  token(format: 'jwt' | 'opaque', scope?: string, proof?: string): Promise<string>;
  revoke(token: string): Promise<void>;
  close(): Promise<void>;
}

const SECRET = 'robot-secret';

export async function oidcServer(): Promise<OidcServer> {
  const keys = {
    rs: (await generateKeyPair('RS256', { extractable: true })).privateKey,
    es: (await generateKeyPair('ES256', { extractable: true })).privateKey,
  };
  const jwks = await Promise.all(
    Object.entries(keys).map(async ([kid, key]) => ({
      ...(await exportJWK(key)),
      kid,
      use: 'sig',
      alg: kid === 'rs' ? 'RS256' : 'ES256',
    })),
  );
  const signer = await generateKeyPair('ES256', { extractable: true });
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const provider = new Provider(issuer, {
    jwks: { keys: jwks },
    scopes: ['orders:read', 'orders:write'],
    clients: [
      {
        client_id: 'robot',
        client_secret: SECRET,
        grant_types: ['client_credentials'],
        redirect_uris: [],
        response_types: [],
      },
      {
        client_id: 'signer',
        token_endpoint_auth_method: 'private_key_jwt',
        jwks: { keys: [{ ...(await exportJWK(signer.publicKey)), kid: 'signer', use: 'sig' }] as never },
        grant_types: [],
        redirect_uris: [],
        response_types: [],
      },
    ],
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      dPoP: { enabled: true },
      introspection: { enabled: true, allowedPolicy: () => true },
      revocation: { enabled: true, allowedPolicy: () => true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => 'urn:opaque',
        getResourceServerInfo: (_ctx, resource) => ({
          scope: 'orders:read orders:write',
          audience: 'orders',
          accessTokenTTL: 3600,
          accessTokenFormat: resource === 'urn:jwt' ? 'jwt' : 'opaque',
          ...(resource === 'urn:jwt' ? { jwt: { sign: { alg: 'RS256' as const } } } : {}),
        }),
      },
    },
  });
  server.on('request', provider.callback());
  const post = async (path: string, form: Record<string, string>, more: Record<string, string> = {}) => {
    const response = await fetch(issuer + path, {
      method: 'POST',
      headers: { authorization: `Basic ${Buffer.from(`robot:${SECRET}`).toString('base64')}`, ...more },
      body: new URLSearchParams(form),
    });
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return response;
  };
  return {
    issuer,
    signerKey: await exportPKCS8(signer.privateKey),
    keys,
    published: jwks.map(({ d: _d, p: _p, q: _q, dp: _dp, dq: _dq, qi: _qi, ...open }) => open),
    async token(format, scope = 'orders:read', proof = undefined) {
      const form = { grant_type: 'client_credentials', resource: `urn:${format}`, scope };
      const body = (await (
        await post('/token', form, proof === undefined ? {} : { dpop: proof })
      ).json()) as { access_token: string };
      return body.access_token;
    },
    async revoke(token) {
      await post('/token/revocation', { token });
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
