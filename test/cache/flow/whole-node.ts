import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort, type LabProcess, type ProcessLab, portOpens } from '../../../src/testkit/index.ts';
import { ask } from '../../workers/fixture/lab.ts';

const MAIN = join(import.meta.dirname, '../../../src/cli/main.ts');

/** A whole node, as it is installed: a supervisor and its workers. */
export interface WholeNode {
  readonly process: LabProcess;
  readonly port: number;
  readonly admin: number;
}

/** Starts one with this config, on ports of its own. */
export async function startWholeNode(lab: ProcessLab, folder: string, config: object): Promise<WholeNode> {
  const [port, admin] = [await freePort(), await freePort()];
  const file = join(folder, `node-${port}.json`);
  writeFileSync(
    file,
    JSON.stringify({ listen: `127.0.0.1:${port}`, admin: `127.0.0.1:${admin}`, ...config }),
  );
  const process = lab.node([MAIN, 'run', file], { cwd: folder });
  const open = Promise.all([portOpens(port, 30_000), portOpens(admin, 30_000)]);
  await open.catch((error: Error) => {
    throw new Error(`${error.message}\n${process.output}`);
  });
  return { process, port, admin };
}

/** Purges at a node. The status: 503 where the other nodes could not be told. */
export async function purgeAt({ admin }: WholeNode, what: object): Promise<number> {
  const { status } = await ask(admin, {
    path: '/v1/purge',
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(what),
  });
  return status;
}
