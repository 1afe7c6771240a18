import { parseArgs } from 'node:util';

export interface Options {
  port: number;
  admin: number;
}

export const usage = `npm start -- [--port PORT] [--admin PORT]

  --port    where the gateway listens on 127.0.0.1 (or the variable PORT; 8080)
  --admin   where its admin API listens (or ADMIN_PORT; 9901)

0 picks a free port.`;

/** What the user typed is wrong; the message says how to mend it. */
export class UsageError extends Error {}

/** Null where only help was asked for. */
export function readOptions(words: string[], env: NodeJS.ProcessEnv): Options | null {
  const options = {
    port: { type: 'string' },
    admin: { type: 'string' },
    help: { type: 'boolean', short: 'h' },
  } as const;
  let values: { port?: string; admin?: string; help?: boolean };
  try {
    ({ values } = parseArgs({ args: words, options }));
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
  if (values.help) return null;
  const chosen = {
    port: portOf('--port', values.port ?? env.PORT ?? '8080'),
    admin: portOf('--admin', values.admin ?? env.ADMIN_PORT ?? '9901'),
  };
  if (chosen.port !== 0 && chosen.port === chosen.admin) {
    throw new UsageError(
      `--port and --admin are both ${chosen.port}; the gateway and its admin API need one each`,
    );
  }
  return chosen;
}

function portOf(name: string, text: string): number {
  const port = Number(text);
  if (/^\d{1,5}$/.test(text) && port <= 65_535) return port;
  throw new UsageError(`${name} is a number from 0 to 65535, not ${JSON.stringify(text)}`);
}
