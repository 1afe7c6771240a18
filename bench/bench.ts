import {
  type LabProcess,
  type ProcessLab,
  portOpens,
  processLab,
  type TempFolder,
  tempFolder,
} from '../src/testkit/index.ts';
import { type Command, onGatewayCore, onLoadCore } from './machine.ts';
import type { BenchOptions } from './options.ts';

/** What every suite works with. */
export interface Bench {
  options: BenchOptions;
  lab: ProcessLab;
  folder: TempFolder;
}

export async function withBench<T>(options: BenchOptions, run: (bench: Bench) => Promise<T>): Promise<T> {
  const lab = processLab();
  const folder = tempFolder();
  try {
    return await run({ options, lab, folder });
  } finally {
    await lab.close();
    folder.close();
  }
}

/** Starts a server on the gateway's core and waits until it listens. */
export async function startGateway(
  bench: Bench,
  command: Command,
  port: number,
  env: Record<string, string> = {},
): Promise<LabProcess> {
  return await startServer(bench, onGatewayCore(command), port, env);
}

/** Starts the origin beside the load. */
export async function startOrigin(bench: Bench, port: number): Promise<LabProcess> {
  const script = new URL('./servers/origin.ts', import.meta.url).pathname;
  return await startServer(bench, onLoadCore([process.execPath, script, String(port)]), port, {});
}

/** Starts another server beside the load. */
export async function startBeside(bench: Bench, command: Command, port: number): Promise<LabProcess> {
  return await startServer(bench, onLoadCore(command), port, {});
}

async function startServer(
  bench: Bench,
  [program, ...args]: Command,
  port: number,
  env: Record<string, string>,
): Promise<LabProcess> {
  const server = bench.lab.start(program, args, { env });
  const ended = server.exit(2 ** 30).then(() => {
    throw new Error(`${program} ended at its start:\n${server.output}`);
  });
  await Promise.race([portOpens(port, 15_000), ended]);
  ended.catch(() => {});
  return server;
}
