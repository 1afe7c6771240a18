import type * as oauth from 'oauth4webapi';
import type { ClientCredentialsConfig } from '../../config/model.ts';
import { Failure } from '../../http/errors.ts';
import { getHeader } from '../../http/headers.ts';
import type { AnswerOfCall, Endpoint } from '../call/index.ts';

/** A token as the auth server gave it. */
export interface Granted {
  readonly token: string;
  /** Seconds; null: it doesn't say. */
  readonly expiresIn: number | null;
}

/** What may stand behind `Bearer` (RFC 6750 §2.1). */
const B64TOKEN = /^[A-Za-z0-9\-._~+/]+=*$/;

/**
 * Asks for a token as the client that the gateway is (RFC 6749 §4.4). What goes out is oauth4webapi's; connections and
 * bounds are our own.
 */
export async function requestToken(
  config: ClientCredentialsConfig,
  endpoint: Endpoint,
): Promise<Granted | Failure> {
  const library = await import('oauth4webapi');
  const server = { issuer: config.tokenEndpoint, token_endpoint: config.tokenEndpoint };
  const client = { client_id: config.clientId };
  const parameters = new URLSearchParams(config.params);
  if (config.scope !== null) parameters.set('scope', config.scope);
  let received: AnswerOfCall | Failure | null = null;
  try {
    const answer = await library.clientCredentialsGrantRequest(
      server,
      client,
      authenticationOf(library, config),
      parameters,
      {
        [library.allowInsecureRequests]: true,
        [library.customFetch]: async (url, init) => {
          received = await send(url, init as unknown as FetchInit, endpoint, config.timeout);
          if (received instanceof Failure) throw received;
          return responseOf(received);
        },
      },
    );
    const granted = await library.processClientCredentialsResponse(server, client, answer);
    if (granted.token_type !== 'bearer') return endpoint.failed('its token is not a bearer token');
    if (!B64TOKEN.test(granted.access_token)) return endpoint.failed('its token is none (RFC 6750 §2.1)');
    endpoint.worked();
    return { token: granted.access_token, expiresIn: granted.expires_in ?? null };
  } catch (error) {
    if ((received as unknown) instanceof Failure) return received as unknown as Failure;
    return endpoint.failed(reasonOf(error, received as AnswerOfCall | null));
  }
}

function authenticationOf(
  library: typeof oauth,
  { clientAuth, clientSecret }: ClientCredentialsConfig,
): oauth.ClientAuth {
  return clientAuth === 'post'
    ? library.ClientSecretPost(clientSecret)
    : library.ClientSecretBasic(clientSecret);
}

interface FetchInit {
  readonly headers: Record<string, string>;
  readonly body: URLSearchParams;
}

function send(url: string, init: FetchInit, endpoint: Endpoint, ms: number): Promise<AnswerOfCall | Failure> {
  const { pathname, search } = new URL(url);
  const headers = Object.entries(init.headers).flat();
  const body = Buffer.from(init.body.toString(), 'latin1');
  return endpoint.call({ method: 'POST', target: pathname + search, headers, body }, ms);
}

function responseOf({ status, headers, body }: AnswerOfCall): Response {
  const type = getHeader(headers, 'content-type');
  const withoutBody = status === 204 || status === 205 || status === 304;
  return new Response(withoutBody ? null : new Uint8Array(body), {
    status,
    headers: type === undefined ? {} : { 'content-type': type },
  });
}

/** Never with anything of the answer but its error code: its text might repeat the secret. */
function reasonOf(error: unknown, received: AnswerOfCall | null): string {
  const code = (error as { error?: unknown }).error;
  const said = typeof code === 'string' && /^[a-z_]{1,64}$/.test(code) ? `: ${code}` : '';
  if (received === null) return error instanceof Error ? error.message : String(error);
  return `it gives no token, but status ${received.status}${said}`;
}
