import { dirname } from 'node:path';
import type { LoadedConfig } from '../config/index.ts';
import type { GatewayConfig } from '../config/model.ts';
import { maskUrls } from '../util/secret-looks.ts';
import { type ConfigReading, ConfigRefused, type Edited, outlineOf } from '../workers/index.ts';
import { wantsColour } from './output.ts';

/** Reads a config file as the workers want it; throws `ConfigRefused` with everything that is wrong with it. */
export async function readConfig(file: string): Promise<ConfigReading> {
  const { loadConfig } = await import('../config/index.ts');
  const loaded = await loadConfig(file);
  return { ...(await readingOf(loaded)), lines: await linesOf(loaded) };
}

/** For a config that is a program: read in the process that runs it. */
export async function loadCode(file: string): Promise<{ config: GatewayConfig; reading: ConfigReading }> {
  const reading = await readConfig(file);
  if (reading.config === null) throw new ConfigRefused('the config has errors', reading.files);
  return { config: reading.config, reading };
}

async function readingOf({ config, issues, source, files, etag }: LoadedConfig): Promise<ConfigReading> {
  const { maskedConfig, renderIssues, sortIssues } = await import('../config/index.ts');
  const options = { colour: wantsColour(process.stderr) };
  const reports = sortIssues(issues, source).map((issue) => renderIssues([issue], source, options));
  if (config === null) throw new ConfigRefused(reports.join('\n'), files);
  const raw = source.text === null ? null : source.value;
  const shown = maskedConfig(source.value);
  const outline = outlineOf(config);
  outline.routes = outline.routes.map((route) => ({ ...route, does: maskUrls(route.does) }));
  return { outline, config, files, etag, warnings: reports, raw, shown, lines: {} };
}

/** Where in the text of a config its routes begin. */
async function linesOf({ config, source }: LoadedConfig): Promise<ConfigReading['lines']> {
  const { lineOf } = await import('../config/index.ts');
  const lines = Object.keys(config?.routes ?? {}).map((name) => [name, lineOf(['routes', name], source)]);
  return Object.fromEntries(lines.filter(([, line]) => line !== null)) as ConfigReading['lines'];
}

/** Reads a config that came over the network as JSON, to replace the one in force. */
export async function readEdit(
  text: string,
  inForce: ConfigReading,
  own: ConfigReading,
  file: string,
): Promise<Edited> {
  const { issueData, loadEdit, sortIssues } = await import('../config/index.ts');
  const loaded = loadEdit(text, { raw: inForce.raw, own, folder: dirname(file) });
  const { issues, source } = loaded;
  const told = sortIssues(issues, source).map((issue) => {
    const { advice, file: _, ...data } = issueData(issue, source);
    return { ...data, ...(advice === undefined ? {} : { suggestion: advice }) };
  });
  return { reading: loaded.config === null ? null : await readingOf(loaded), issues: told };
}
