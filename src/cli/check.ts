import { type GatewayConfig, issueData, type LoadedConfig, loadConfig, sortIssues } from '../config/index.ts';
import { type Connection, tryConnections } from './connect.ts';
import { counted, printIssues, printJson } from './output.ts';
import { EXIT } from './usage.ts';

export interface CheckOptions {
  /** Warnings fail too. */
  strict?: boolean;
  json?: boolean;
  /** Also tries to connect to every target. */
  connect?: boolean;
}

/** `tidegate check`: everything that is wrong with a config, at once. Gives the exit code. */
export async function check(file: string, options: CheckOptions): Promise<number> {
  const loaded = await loadConfig(file);
  const connections = options.connect && loaded.config !== null ? await tryConnections(loaded.config) : null;
  const errors = loaded.issues.filter((issue) => issue.severity === 'error').length;
  const warnings = loaded.issues.length - errors;
  const failed =
    errors > 0 ||
    (options.strict === true && warnings > 0) ||
    connections?.some((one) => one.error !== null) === true;
  if (options.json) printData(loaded, connections, failed);
  else await printText(loaded, connections, errors, warnings);
  return failed ? EXIT.input : EXIT.ok;
}

function printData(loaded: LoadedConfig, connections: Connection[] | null, failed: boolean): void {
  const issues = sortIssues(loaded.issues, loaded.source).map((issue) => issueData(issue, loaded.source));
  printJson({
    file: loaded.source.file,
    ok: !failed,
    errors: issues.filter((issue) => issue.severity === 'error'),
    warnings: issues.filter((issue) => issue.severity === 'warning'),
    ...(connections === null ? {} : { connections }),
  });
}

async function printText(
  loaded: LoadedConfig,
  connections: Connection[] | null,
  errors: number,
  warnings: number,
): Promise<void> {
  await printIssues(loaded);
  for (const connection of connections ?? []) printConnection(connection);
  const found = warnings === 0 ? '' : `, ${counted(warnings, 'warning')}`;
  const { file } = loaded.source;
  if (loaded.config === null) process.stderr.write(`${file}: ${counted(errors, 'error')}${found}\n`);
  else process.stdout.write(`${file} is in order: ${outline(loaded.config)}${found}\n`);
}

function outline(config: GatewayConfig): string {
  const services = Object.keys(config.services).length;
  return `${counted(services, 'service')}, ${counted(Object.keys(config.routes).length, 'route')}`;
}

function printConnection({ service, target, milliseconds, error }: Connection): void {
  if (error === null)
    process.stdout.write(`${service}: ${target} accepts connections (${milliseconds} ms)\n`);
  else process.stderr.write(`${service}: ${target} ${error}\n`);
}
