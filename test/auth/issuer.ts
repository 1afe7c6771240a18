import { exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';
import { type HttpOrigin, httpOrigin } from '../../src/testkit/index.ts';

/** An issuer of tokens that does as it is told: metadata and keys on a real socket. */
export interface Issuer {
  readonly url: string;
  readonly origin: HttpOrigin;
  /** Paths asked for so far. */
  readonly asked: string[];
  /** What its JWK set holds now. */
  keys: unknown[];
  /** Answers in the place of the usual ones; null: none. */
  say: ((path: string) => { status?: number; body?: string } | null) | null;
  /** Makes a key, and publishes it. */
  newKey(kid: string, alg?: string): Promise<CryptoKeyLike>;
  close(): Promise<void>;
}

type CryptoKeyLike = Parameters<SignJWT['sign']>[0];

export async function issuer(port = 0): Promise<Issuer> {
  const asked: string[] = [];
  const origin = await httpOrigin((request, response) => {
    const path = request.url ?? '';
    asked.push(path);
    const said = self.say?.(path) ?? null;
    if (said !== null) {
      response.writeHead(said.status ?? 200, { 'content-type': 'application/json' }).end(said.body ?? '{}');
      return;
    }
    const documents: Record<string, unknown> = {
      '/.well-known/openid-configuration': { issuer: self.url, jwks_uri: `${self.url}/keys` },
      '/keys': { keys: self.keys },
    };
    const found = documents[path];
    response.writeHead(found === undefined ? 404 : 200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(found ?? {}));
  }, port);
  const self: Issuer = {
    url: origin.url,
    origin,
    asked,
    keys: [],
    say: null,
    async newKey(kid, alg = 'ES256') {
      const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
      const jwk: JWK = { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' };
      self.keys.push(jwk);
      return privateKey;
    },
    close: () => origin.close(),
  };
  return self;
}

export interface TokenOptions {
  readonly alg?: string;
  readonly kid?: string | undefined;
  readonly typ?: string;
  readonly header?: object;
  /** Seconds since 1970. */
  readonly now: number;
}

/** A token of an issuer's: valid unless what is given says otherwise. `undefined` takes a claim away. */
export function token(
  key: CryptoKeyLike,
  claims: Record<string, unknown>,
  { alg = 'ES256', kid = 'k1', typ = 'at+jwt', header = {}, now }: TokenOptions,
): Promise<string> {
  const all = { sub: 'alice', iat: now, exp: now + 60, ...claims };
  return new SignJWT(all)
    .setProtectedHeader({ alg, typ, ...(kid === undefined ? {} : { kid }), ...header })
    .sign(key);
}
