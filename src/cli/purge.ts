import { AdminApi, type AdminOptions, AdminTrouble } from './admin-api.ts';
import { EXIT, UsageError } from './usage.ts';

export interface PurgeOptions extends AdminOptions {
  tag: readonly string[];
  url: readonly string[];
  prefix: readonly string[];
  all?: true;
  soft?: true;
}

/** Until then a purge has reached every worker, or their leases have run out. */
const DEADLINE = 30_000;

/** `tidegate purge`: asks the admin API of a running gateway. Gives the exit code. */
export async function purge(options: PurgeOptions, tokenOfEnvironment: string | undefined): Promise<number> {
  const { tag: tags, url: urls, prefix: prefixes, all = false, soft = false } = options;
  if (!all && tags.length + urls.length + prefixes.length === 0)
    throw new UsageError('say what to purge: --tag, --url, --prefix or --all');
  const api = new AdminApi(options, tokenOfEnvironment);
  const init = {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ tags, urls, prefixes, all, soft }),
  };
  try {
    const response = await api.ask('/v1/purge', init, DEADLINE);
    const answer = await api.bodyOf(response, DEADLINE);
    if (response.statusCode !== 200 || !Number.isInteger(answer?.sequence))
      throw api.refusal(response.statusCode!, answer, 'is no admin API of Tidegate that can purge');
    process.stdout.write(`purged: sequence ${answer!.sequence}\n`);
    return EXIT.ok;
  } catch (error) {
    if (!(error instanceof AdminTrouble)) throw error;
    process.stderr.write(`error: ${error.message}\n`);
    return EXIT.input;
  }
}
