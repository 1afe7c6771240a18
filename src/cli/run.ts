import { resolve } from 'node:path';
import { startAdmin } from '../admin/index.ts';
import { createLogger, type LogFields, type Logger, stdoutWriter } from '../telemetry/index.ts';
import { systemClock } from '../util/clock.ts';
import { version } from '../util/version.ts';
import { ConfigRefused, ListenError, listenUrl, type Serving, supervise } from '../workers/index.ts';
import { counted, written } from './output.ts';
import { readConfig, readEdit } from './read-config.ts';
import { EXIT } from './usage.ts';

/**
 * `tidegate run`: the gateway, until it is told to end. Does not return: the exit code is the process's own.
 * `onHearing` is called once it hears signals.
 */
export async function run(file: string, onHearing: () => void): Promise<never> {
  const log = createLogger();
  process.on('uncaughtException', (error) => void fail(log, error));
  process.on('unhandledRejection', (error) => void fail(log, error));
  return await end(await supervised(resolve(file), log, onHearing));
}

async function supervised(file: string, log: Logger, onHearing: () => void): Promise<number> {
  try {
    return await supervise({
      file,
      // The build names it otherwise.
      entry: new URL(import.meta.url.endsWith('.ts') ? './worker.ts' : './worker.js', import.meta.url),
      readConfig,
      readEdit,
      startAdmin,
      version,
      log,
      clock: systemClock,
      onHearing,
      onServing: (serving) => announce(file, serving, log),
    });
  } catch (error) {
    return await notStarted(error);
  }
}

/** A person reads it: not as a log entry, and on standard error. */
async function notStarted(error: unknown): Promise<number> {
  if (error instanceof ConfigRefused) process.stderr.write(`${error.report}\n`);
  else if (error instanceof ListenError) process.stderr.write(`error: ${error.message}\n`);
  else throw error;
  await written(process.stderr);
  return EXIT.input;
}

function announce(file: string, serving: Serving, log: Logger): void {
  for (const warning of serving.warnings) {
    if (process.stdout.isTTY) stdoutWriter().write(`${warning}\n`);
    else log.warn('the config has a warning', { file, warning });
  }
  if (process.stdout.isTTY) stdoutWriter().write(banner(file, serving));
  else log.info('serving', facts(file, serving));
}

function facts(file: string, serving: Serving): LogFields {
  const { listeners, admin, workers, outline } = serving;
  return {
    version,
    pid: process.pid,
    config: file,
    listeners: listeners.map((listener) => ({ name: listener.name, url: listenUrl(listener) })),
    admin: admin === null ? null : listenUrl(admin),
    workers,
    routes: outline.routes.length,
    services: outline.services.length,
  };
}

function banner(file: string, { listeners, admin, workers, outline }: Serving): string {
  const routes = `${counted(outline.routes.length, 'route')} to ${counted(outline.services.length, 'service')}`;
  const lines = [
    `Tidegate ${version}: ${routes}, ${counted(workers, 'worker')}`,
    `  config   ${file}`,
    ...listeners.map((listener) => `  ${listener.name.padEnd(8)} ${listenUrl(listener)}`),
    `  admin    ${admin === null ? 'off' : listenUrl(admin)}`,
    '  Ctrl-C drains and ends; a second one ends at once.',
  ];
  return `${lines.join('\n')}\n`;
}

async function fail(log: Logger, error: unknown): Promise<void> {
  log.error('the supervisor failed and ends', {
    error: error instanceof Error ? (error.stack ?? error.message) : String(error),
  });
  await end(EXIT.internal);
}

const LAST_WORDS = 500;

async function end(code: number): Promise<never> {
  if (await stdoutWriter().flush(LAST_WORDS)) process.exit(code);
  // The reader of the log is stuck, and Node would wait for it in its exit without end. What is to be said is said.
  process.kill(process.pid, 'SIGKILL');
  return await new Promise<never>(() => {});
}
