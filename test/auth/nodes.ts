import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort, type LabProcess, type ProcessLab, portOpens } from '../../src/testkit/index.ts';
import { ask } from '../workers/fixture/lab.ts';

const MAIN = join(import.meta.dirname, '../../src/cli/main.ts');

/** A whole node, as it is installed. */
export interface Node {
  readonly process: LabProcess;
  readonly port: number;
  /** Purges by tag; resolves once no worker of the node will use what it has reached. */
  purge(...tags: string[]): Promise<void>;
  /** Posts a Debezium event to a source of kind `http`; resolves once it is applied. */
  changed(source: string, token: string, event: object): Promise<void>;
}

let count = 0;

/** `config` without its addresses. */
export async function startNode(lab: ProcessLab, folder: string, config: object): Promise<Node> {
  const [port, admin] = [await freePort(), await freePort()];
  const file = join(folder, `node-${++count}.json`);
  const listens = { listen: `127.0.0.1:${port}`, admin: `127.0.0.1:${admin}`, ...config };
  writeFileSync(file, JSON.stringify(listens));
  const process = lab.node([MAIN, 'run', file], { cwd: folder });
  await portOpens(port, 30_000).catch((error: Error) => {
    throw new Error(`${error.message}\n${process.output}`);
  });
  const post = async (path: string, what: object, more: Record<string, string> = {}) => {
    const headers = { 'content-type': 'application/json', ...more };
    const { status, text } = await ask(admin, { path, method: 'POST', headers, body: JSON.stringify(what) });
    if (status !== 200) throw new Error(`${status} ${text}`);
  };
  return {
    process,
    port,
    purge: (...tags) => post('/v1/purge', { tags }),
    changed: (source, token, event) =>
      post(`/v1/changes/${source}`, event, { authorization: `Bearer ${token}` }),
  };
}
