import type { LoadedConfig } from '../config/index.ts';
import type { GatewayConfig } from '../config/model.ts';
import { type ConfigReading, ConfigRefused, outlineOf } from '../workers/index.ts';
import { wantsColour } from './output.ts';

/** Reads a config file as the workers want it; throws `ConfigRefused` with everything that is wrong with it. */
export async function readConfig(file: string): Promise<ConfigReading> {
  const { loadConfig } = await import('../config/index.ts');
  return await readingOf(await loadConfig(file));
}

/** For a config that is a program: read in the process that runs it. */
export async function loadCode(file: string): Promise<{ config: GatewayConfig; reading: ConfigReading }> {
  const reading = await readConfig(file);
  if (reading.config === null) throw new ConfigRefused('the config has errors', reading.files);
  return { config: reading.config, reading };
}

async function readingOf({ config, issues, source, files, etag }: LoadedConfig): Promise<ConfigReading> {
  const { renderIssues, sortIssues } = await import('../config/index.ts');
  const options = { colour: wantsColour(process.stderr) };
  const reports = sortIssues(issues, source).map((issue) => renderIssues([issue], source, options));
  if (config === null) throw new ConfigRefused(reports.join('\n'), files);
  return { outline: outlineOf(config), config, files, etag, warnings: reports };
}
