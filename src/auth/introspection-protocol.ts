import { createPrivateKey, type KeyObject, webcrypto } from 'node:crypto';
import type * as oauth from 'oauth4webapi';
import type { ClientAuthConfig, IntrospectionConfig } from '../config/model.ts';
import { JsonError, parseJson, type Value } from '../expression/index.ts';
import { Failure } from '../http/errors.ts';
import type { StepTrace } from '../http/exchange.ts';
import { getHeader, type Headers } from '../http/headers.ts';
import type { AnswerOfCall, Endpoint } from './call/index.ts';

/** An answer that RFC 7662 §2.2 allows. */
export interface Answered {
  readonly status: number;
  readonly headers: Headers;
  readonly claims: ReadonlyMap<Value, Value>;
  /** Milliseconds since 1970; null: it says none. */
  readonly expiresAt: number | null;
  readonly weight: number;
}

/**
 * The conversation with an introspection endpoint. What goes out, and how the gateway shows who it is, is
 * oauth4webapi's; connections, bounds, and the reading of the answer are our own: its JSON is read strictly
 * (no member twice, numbers of any size), and anything out of order is a failure, never a yes.
 */
export class IntrospectionProtocol {
  private readonly config: IntrospectionConfig;
  private readonly endpoint: Endpoint;
  private ready: Promise<Ready> | null = null;

  constructor(config: IntrospectionConfig, endpoint: Endpoint) {
    this.config = config;
    this.endpoint = endpoint;
  }

  async ask(token: string, trace: StepTrace | null): Promise<Answered | Failure> {
    let received: AnswerOfCall | Failure | null = null;
    try {
      this.ready ??= prepare(this.config);
      const { library, server, client, authenticate } = await this.ready;
      const answer = await library.introspectionRequest(server, client, authenticate, token, {
        [library.allowInsecureRequests]: true,
        [library.customFetch]: async (url, init) => {
          received = await this.send(url, init as unknown as FetchInit, trace);
          if (received instanceof Failure) throw received;
          return responseOf(received);
        },
      });
      await library.processIntrospectionResponse(server, client, answer);
      return this.read(received as unknown as AnswerOfCall);
    } catch (error) {
      if ((received as unknown) instanceof Failure) return received as unknown as Failure;
      return this.endpoint.failed(messageOf(error, received));
    }
  }

  private send(url: string, init: FetchInit, trace: StepTrace | null): Promise<AnswerOfCall | Failure> {
    const { pathname, search } = new URL(url);
    const headers = Object.entries(init.headers).flat();
    const body = Buffer.from(init.body.toString(), 'latin1');
    return this.endpoint.call(
      { method: 'POST', target: pathname + search, headers, body },
      this.config.timeout,
      trace,
    );
  }

  private read({ status, headers, body }: AnswerOfCall): Answered | Failure {
    const type = getHeader(headers, 'content-type') ?? '';
    if (!/^application\/json\s*(?:;|$)/i.test(type))
      return this.endpoint.failed('its answer is not application/json (RFC 7662 §2.2)');
    try {
      const claims = parseJson(body, { duplicates: 'reject' }) as ReadonlyMap<Value, Value>;
      const exp = claims.get('exp');
      if (exp !== undefined && typeof exp !== 'bigint' && typeof exp !== 'number')
        return this.endpoint.failed('the exp in its answer is no number (RFC 7662 §2.2)');
      const sub = claims.get('sub') ?? null;
      if (
        claims.get('active') === true &&
        this.config.subject === null &&
        sub !== null &&
        typeof sub !== 'string'
      )
        return this.endpoint.failed('the sub in its answer is no string (RFC 7662 §2.2)');
      this.endpoint.worked();
      const expiresAt = exp === undefined ? null : Number(exp) * 1000;
      return { status, headers, claims, expiresAt, weight: body.length };
    } catch (error) {
      if (error instanceof JsonError) return this.endpoint.failed(`its answer: ${error.message}`);
      throw error;
    }
  }
}

interface FetchInit {
  readonly headers: Record<string, string>;
  readonly body: URLSearchParams;
}

interface Ready {
  readonly library: typeof oauth;
  readonly server: oauth.AuthorizationServer;
  readonly client: oauth.Client;
  readonly authenticate: oauth.ClientAuth;
}

/** The library is loaded only where a config asks for it. */
async function prepare({ endpoint, clientAuth }: IntrospectionConfig): Promise<Ready> {
  const library = await import('oauth4webapi');
  return {
    library,
    // RFC 7523 §3: the assertion is for whoever is asked.
    server: { issuer: endpoint, introspection_endpoint: endpoint },
    client: { client_id: clientAuth.clientId },
    authenticate: await clientAuthentication(library, clientAuth),
  };
}

async function clientAuthentication(
  library: typeof oauth,
  config: ClientAuthConfig,
): Promise<oauth.ClientAuth> {
  switch (config.kind) {
    case 'basic':
      return library.ClientSecretBasic(config.clientSecret);
    case 'post':
      return library.ClientSecretPost(config.clientSecret);
    case 'mtls':
      return library.TlsClientAuth();
    case 'privateKeyJwt': {
      const key = await signingKey(createPrivateKey(config.privateKey));
      return library.PrivateKeyJwt(config.keyId === null ? key : { key, kid: config.keyId });
    }
  }
}

/** The algorithm goes by the kind of key. */
async function signingKey(key: KeyObject): Promise<webcrypto.CryptoKey> {
  const pkcs8 = key.export({ format: 'der', type: 'pkcs8' });
  const algorithm =
    key.asymmetricKeyType === 'ec'
      ? { name: 'ECDSA', namedCurve: CURVES[key.asymmetricKeyDetails?.namedCurve ?? ''] ?? 'P-256' }
      : key.asymmetricKeyType === 'ed25519'
        ? { name: 'Ed25519' }
        : { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' };
  return (await webcrypto.subtle.importKey('pkcs8', pkcs8, algorithm, false, [
    'sign',
  ])) as webcrypto.CryptoKey;
}

const CURVES: Readonly<Record<string, string>> = {
  prime256v1: 'P-256',
  secp384r1: 'P-384',
  secp521r1: 'P-521',
};

function responseOf({ status, headers, body }: AnswerOfCall): Response {
  const type = getHeader(headers, 'content-type');
  const withoutBody = status === 204 || status === 205 || status === 304;
  const challenge = getHeader(headers, 'www-authenticate');
  return new Response(withoutBody ? null : new Uint8Array(body), {
    status,
    headers: {
      ...(type === undefined ? {} : { 'content-type': type }),
      ...(challenge === undefined ? {} : { 'www-authenticate': challenge }),
    },
  });
}

function messageOf(error: unknown, received: unknown): string {
  const status = (received as AnswerOfCall | null)?.status;
  const message = error instanceof Error ? error.message : String(error);
  if (status === undefined) return message;
  // Of what it says itself no more than the word of RFC 6749 §5.2 for it: its text might repeat what was sent.
  const code = (error as { error?: unknown }).error;
  const said = typeof code === 'string' && /^[a-z_]{1,64}$/.test(code) ? ` (${code})` : '';
  return `its answer, with status ${status}, is none: ${message}${said}`;
}
