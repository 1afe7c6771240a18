import { request as askPlain, type IncomingMessage } from 'node:http';
import { request as askTls } from 'node:https';
import { text } from 'node:stream/consumers';
import { maskUrl } from '../util/secret-looks.ts';
import { UsageError } from './usage.ts';

/** How the admin API of a running gateway was named on the command line. */
export interface AdminOptions {
  /** Where it is. */
  admin: string;
  token?: string | undefined;
}

/** It can't be asked, or answers otherwise than it should: what a person reads, without `error:`. */
export class AdminTrouble extends Error {
  /** What it answered; null: it did not. */
  readonly status: number | null;

  constructor(message: string, status: number | null) {
    super(message);
    this.status = status;
  }
}

/** What it is asked; GET where nothing is said. */
export interface AdminRequest {
  method?: string;
  headers?: Readonly<Record<string, string>>;
  body?: string;
  signal?: AbortSignal;
}

/** The admin API of a running gateway, asked from the command line. */
export class AdminApi {
  readonly origin: string;
  private readonly base: string;
  private readonly token: string | undefined;

  /**
   * @param tokenOfEnvironment Where the command line names none.
   * @throws UsageError for what is no URL of an admin API, or no token
   */
  constructor(options: AdminOptions, tokenOfEnvironment: string | undefined) {
    const { origin, pathname } = urlOf(options.admin);
    this.origin = origin;
    this.base = `${origin}${pathname.replace(/\/+$/, '')}`;
    this.token = tokenOf(options.token || tokenOfEnvironment || '');
  }

  /**
   * @param deadline Milliseconds in which its answer must be there, body included; null: it streams.
   * @throws AdminTrouble where it can't be asked
   */
  ask(path: string, init: AdminRequest, deadline: number | null): Promise<IncomingMessage> {
    const { method = 'GET', headers, body, signal } = init;
    const authorization = this.token === undefined ? {} : { authorization: `Bearer ${this.token}` };
    const signals = [signal, deadline === null ? null : AbortSignal.timeout(deadline)];
    const options = {
      method,
      headers: { ...headers, ...authorization },
      signal: AbortSignal.any(signals.filter((one) => one != null)),
    };
    // Not by fetch, which keeps from ports on which a gateway may well listen.
    const send = this.origin.startsWith('https:') ? askTls : askPlain;
    return new Promise((resolve, reject) => {
      const request = send(`${this.base}${path}`, options, resolve);
      request.on('error', (error) => reject(new AdminTrouble(this.unreachable(error, deadline), null)));
      request.end(body);
    });
  }

  /** @throws AdminTrouble */
  async get<T>(path: string, deadline: number): Promise<T> {
    const response = await this.ask(path, {}, deadline);
    const body = await this.bodyOf(response, deadline);
    if (response.statusCode === 200 && body !== null) return body as T;
    throw this.refusal(response.statusCode!, body, 'is no admin API of Tidegate');
  }

  /** What an answer holds as JSON; null: no object. */
  async bodyOf(response: IncomingMessage, deadline: number): Promise<Record<string, unknown> | null> {
    try {
      const body: unknown = JSON.parse(await text(response));
      return typeof body === 'object' && body !== null ? (body as Record<string, unknown>) : null;
    } catch (error) {
      if (error instanceof SyntaxError) return null;
      throw new AdminTrouble(this.unreachable(error, deadline), null);
    }
  }

  /** @param otherwise What is said of an answer that no admin API would give. */
  refusal(status: number, body: Record<string, unknown> | null, otherwise: string): AdminTrouble {
    if (status === 401) return new AdminTrouble(this.tokenTrouble(), status);
    const said =
      typeof body?.detail === 'string'
        ? `answers ${status}: ${body.detail}`
        : `answers ${status}, and ${otherwise}`;
    return new AdminTrouble(`${this.origin} ${said}`, status);
  }

  private tokenTrouble(): string {
    return this.token === undefined
      ? `${this.origin} asks for a token: say --token, or set TIDEGATE_ADMIN_TOKEN`
      : `${this.origin} does not accept this token: it must be that of \`admin.token\``;
  }

  private unreachable(error: unknown, deadline: number | null): string {
    const { origin } = this;
    const { code, message, cause } = error as NodeJS.ErrnoException;
    if ((cause as Error | undefined)?.name === 'TimeoutError' && deadline !== null)
      return `${origin} does not answer within ${deadline / 1000} s`;
    if (code === 'ECONNREFUSED')
      return `nobody listens at ${origin}: start the gateway, or say --admin URL as its \`admin\` does`;
    if (code !== undefined && UNTRUSTED.has(code))
      return `${origin} shows a certificate that this machine does not trust (${message}): say NODE_EXTRA_CA_CERTS=FILE with that of its authority (PEM)`;
    if (code === 'EPROTO' || code?.startsWith('ERR_SSL_'))
      return `${origin} does not speak TLS: say ${origin.replace('https:', 'http:')}, or give \`admin\` a certificate (\`tls\`)`;
    return `${origin} can not be asked: ${message.trim() || code}`;
  }
}

/** As Node names what is wrong with a chain of certificates; a name that does not fit is another matter. */
const UNTRUSTED = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]);

/** As a file or a secret of Kubernetes may have it, with a line break at its end; undefined: there is none. */
function tokenOf(text: string): string | undefined {
  const token = text.trim();
  if (/^[\x21-\x7e]*$/.test(token)) return token || undefined;
  throw new UsageError(
    'the token has a space, a line break or a letter in it that no token has: see --token',
  );
}

/** `http://HOST:PORT`; an address alone will do. */
function urlOf(admin: string): URL {
  const text = /^[a-z][a-z0-9+.-]*:\/\//i.test(admin) ? admin : `http://${admin}`;
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !/^https?:$/.test(url.protocol) || url.hostname === '')
    throw new UsageError(
      `"${maskUrl(admin)}" is not the URL of an admin API; write one such as http://127.0.0.1:9901`,
    );
  if (url.username !== '' || url.password !== '')
    throw new UsageError('the admin API takes a token, no user and password: say --token');
  return url;
}
