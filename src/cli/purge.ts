import { EXIT, UsageError } from './usage.ts';

export interface PurgeOptions {
  tag: readonly string[];
  url: readonly string[];
  prefix: readonly string[];
  all?: true;
  soft?: true;
  /** Where the admin API is. */
  admin: string;
  token?: string;
}

/** Until then a purge has reached every worker, or their leases have run out. */
const DEADLINE = 30_000;

/** `tidegate purge`: asks the admin API of a running gateway. Gives the exit code. */
export async function purge(options: PurgeOptions, tokenOfEnvironment: string | undefined): Promise<number> {
  const { tag: tags, url: urls, prefix: prefixes, all = false, soft = false } = options;
  if (!all && tags.length + urls.length + prefixes.length === 0)
    throw new UsageError('say what to purge: --tag, --url, --prefix or --all');
  const resource = resourceAt(options.admin);
  const token = options.token ?? tokenOfEnvironment;
  try {
    const response = await fetch(resource, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(token === undefined || token === '' ? {} : { authorization: `Bearer ${token}` }),
      },
      body: JSON.stringify({ tags, urls, prefixes, all, soft }),
      redirect: 'error',
      signal: AbortSignal.timeout(DEADLINE),
    });
    return await report(response, resource, token !== undefined && token !== '');
  } catch (error) {
    return failed(unreachable(error, resource));
  }
}

/** `http://HOST:PORT/v1/purge`; an address alone will do. */
function resourceAt(admin: string): URL {
  const text = /^[a-z][a-z0-9+.-]*:\/\//i.test(admin) ? admin : `http://${admin}`;
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !/^https?:$/.test(url.protocol) || url.hostname === '')
    throw new UsageError(
      `"${admin}" is not the URL of an admin API; write one such as http://127.0.0.1:9901`,
    );
  if (url.username !== '' || url.password !== '')
    throw new UsageError('the admin API takes a token, no user and password: say --token');
  return new URL(`${url.pathname.replace(/\/+$/, '')}/v1/purge`, url.origin);
}

async function report(response: Response, resource: URL, hasToken: boolean): Promise<number> {
  const answer = await bodyOf(response);
  if (response.status === 200 && Number.isInteger(answer.sequence)) {
    process.stdout.write(`purged: sequence ${answer.sequence}\n`);
    return EXIT.ok;
  }
  if (response.status === 401) return failed(tokenTrouble(resource, hasToken));
  if (typeof answer.detail !== 'string')
    return failed(
      `${resource.origin} answers ${response.status}, and is no admin API of Tidegate that can purge`,
    );
  return failed(`${resource.origin} answers ${response.status}: ${answer.detail}`);
}

async function bodyOf(response: Response): Promise<Record<string, unknown>> {
  const body: unknown = await response.json().catch(() => null);
  return typeof body === 'object' && body !== null ? (body as Record<string, unknown>) : {};
}

function tokenTrouble({ origin }: URL, hasToken: boolean): string {
  return hasToken
    ? `${origin} does not accept this token: it must be that of \`admin.token\``
    : `${origin} asks for a token: say --token, or set TIDEGATE_ADMIN_TOKEN`;
}

function unreachable(error: unknown, { origin }: URL): string {
  if ((error as Error).name === 'TimeoutError')
    return `${origin} does not answer within ${DEADLINE / 1000} s`;
  const cause = (error as { cause?: NodeJS.ErrnoException }).cause;
  if (cause?.code === 'ECONNREFUSED')
    return `nobody listens at ${origin}: start the gateway, or say --admin URL as its \`admin\` does`;
  if (isTrust(cause?.code))
    return `${origin} shows a certificate that this machine does not trust (${cause!.message}): say NODE_EXTRA_CA_CERTS=FILE with that of its authority (PEM)`;
  return `${origin} can not be asked: ${cause?.message || (error as Error).message}`;
}

/** As Node names what is wrong with a chain of certificates; a name that does not fit is another matter. */
const UNTRUSTED = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]);

function isTrust(code: string | undefined): boolean {
  return code !== undefined && UNTRUSTED.has(code);
}

function failed(message: string): number {
  process.stderr.write(`error: ${message}\n`);
  return EXIT.input;
}
