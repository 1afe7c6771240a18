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

/** The admin API of a running gateway, asked from the command line. */
export class AdminApi {
  readonly origin: string;
  private readonly base: string;
  private readonly token: string | undefined;

  /**
   * @param tokenOfEnvironment Where the command line names none.
   * @throws UsageError for what is no URL of an admin API
   */
  constructor(options: AdminOptions, tokenOfEnvironment: string | undefined) {
    const { origin, pathname } = urlOf(options.admin);
    this.origin = origin;
    this.base = `${origin}${pathname.replace(/\/+$/, '')}`;
    this.token = options.token || tokenOfEnvironment || undefined;
  }

  /**
   * @param deadline Milliseconds in which its answer must be there, body included; null: it streams.
   * @throws AdminTrouble where it can't be asked
   */
  async ask(path: string, init: RequestInit, deadline: number | null): Promise<Response> {
    const signals = [init.signal, deadline === null ? null : AbortSignal.timeout(deadline)];
    const authorization = this.token === undefined ? {} : { authorization: `Bearer ${this.token}` };
    try {
      return await fetch(`${this.base}${path}`, {
        ...init,
        headers: { ...(init.headers as Record<string, string> | undefined), ...authorization },
        redirect: 'error',
        signal: AbortSignal.any(signals.filter((signal) => signal != null)),
      });
    } catch (error) {
      throw new AdminTrouble(this.unreachable(error, deadline), null);
    }
  }

  /** @throws AdminTrouble */
  async get<T>(path: string, deadline: number): Promise<T> {
    const response = await this.ask(path, {}, deadline);
    const body = await this.bodyOf(response, deadline);
    if (response.status === 200 && body !== null) return body as T;
    throw this.refusal(response.status, body, 'is no admin API of Tidegate');
  }

  /** What an answer holds as JSON; null: no object. */
  async bodyOf(response: Response, deadline: number): Promise<Record<string, unknown> | null> {
    try {
      const body: unknown = JSON.parse(await response.text());
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
    if ((error as Error).name === 'TimeoutError' && deadline !== null)
      return `${origin} does not answer within ${deadline / 1000} s`;
    const cause = (error as { cause?: NodeJS.ErrnoException }).cause;
    if (cause?.code === 'ECONNREFUSED')
      return `nobody listens at ${origin}: start the gateway, or say --admin URL as its \`admin\` does`;
    if (cause?.code !== undefined && UNTRUSTED.has(cause.code))
      return `${origin} shows a certificate that this machine does not trust (${cause.message}): say NODE_EXTRA_CA_CERTS=FILE with that of its authority (PEM)`;
    // The blocked ports of the Fetch standard, which browsers keep from, too.
    if (cause?.message === 'bad port')
      return `${origin} can not be asked: browsers and this command keep from its port; give \`admin\` another one`;
    return `${origin} can not be asked: ${cause?.message || (error as Error).message}`;
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

/** `http://HOST:PORT`; an address alone will do. */
function urlOf(admin: string): URL {
  const text = /^[a-z][a-z0-9+.-]*:\/\//i.test(admin) ? admin : `http://${admin}`;
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !/^https?:$/.test(url.protocol) || url.hostname === '')
    throw new UsageError(
      `"${admin}" is not the URL of an admin API; write one such as http://127.0.0.1:9901`,
    );
  if (url.username !== '' || url.password !== '')
    throw new UsageError('the admin API takes a token, no user and password: say --token');
  return url;
}
