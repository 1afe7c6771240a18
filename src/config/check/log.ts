import { accessSync, constants, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { logScope, readsPartOf } from '../../expression/index.ts';
import type { ConfigFiles } from '../files.ts';
import type { ConfigInput } from '../schema/index.ts';
import { CompileCheck } from './compile.ts';
import type { Findings, Path } from './findings.ts';

/** The access log: what its expressions read, where it goes, and keys that say nothing. */
export function checkLog({ log }: ConfigInput, files: ConfigFiles, findings: Findings): void {
  if (log === undefined) return;
  const check = new CompileCheck(findings);
  for (const [name, field] of Object.entries(log.fields ?? {})) {
    const path: Path = ['log', 'fields', name];
    refuseBody(check.value(field, logScope, path), path, findings);
  }
  if (log.when !== undefined)
    refuseBody(check.condition(log.when, logScope, ['log', 'when']), ['log', 'when'], findings);
  if (log.file !== undefined) checkFile(log.file, files, findings);
  if (log.access === 'combined' && log.fields !== undefined)
    findings.error(
      'TG_CONFIG_CONFLICT',
      ['log', 'fields'],
      'lines of the combined format have no place for further fields',
      'say access: json, or take the fields out',
      { atKey: true, also: { path: ['log', 'access'], atKey: false } },
    );
  if (log.access !== 'off') return;
  for (const key of ['fields', 'when', 'sample', 'file'] as const)
    if (log[key] !== undefined)
      findings.warning(
        'TG_CONFIG_UNUSED',
        ['log', key],
        `"${key}" says nothing: the access log is off`,
        'say access: json or combined, or take it out',
        { atKey: true },
      );
}

/** A body is gone when its request is logged, and none is read for a log's sake. */
function refuseBody(
  compiled: { readonly mentions: ReadonlySet<string> } | null,
  path: Path,
  findings: Findings,
): void {
  if (compiled === null) return;
  if (!readsPartOf(compiled.mentions, 'request.body')) return;
  const advice = 'log what the path, query or headers say';
  findings.error('TG_CONFIG_EXPRESSION', path, 'request.body cannot be read in a log', advice);
}

function checkFile(file: string, files: ConfigFiles, findings: Findings): void {
  const trouble = files.mayWrite(file)
    ? troubleOf(resolve(files.folder, file))
    : 'it is not one that the file of the config names';
  if (trouble === null) return;
  findings.error(
    'TG_CONFIG_FILE',
    ['log', 'file'],
    `"${file}" can not be written: ${trouble}`,
    'name a file in a folder that is there and that the gateway may write to',
  );
}

function troubleOf(path: string): string | null {
  try {
    if (statSync(path).isDirectory()) return 'it is a folder';
    accessSync(path, constants.W_OK);
    return null;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOENT') return reasonOf(code);
  }
  try {
    accessSync(dirname(path), constants.W_OK | constants.X_OK);
    return null;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT'
      ? 'its folder is not there'
      : 'its folder may not be written to';
  }
}

function reasonOf(code: string | undefined): string {
  if (code === 'EACCES' || code === 'EPERM') return 'the gateway may not write to it';
  if (code === 'ENOTDIR') return 'what stands above it is no folder';
  return code ?? 'unknown';
}
