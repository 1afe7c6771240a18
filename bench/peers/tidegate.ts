import { existsSync } from 'node:fs';
import { stringify } from 'yaml';
import { freePort } from '../../src/testkit/index.ts';
import { type Bench, startGateway } from '../bench.ts';
import type { Command } from '../machine.ts';
import type { Peer, PeerSetup } from './peer.ts';

const BIN = new URL('../../bin/tidegate', import.meta.url).pathname;

/** Tidegate as a user runs it: nothing set but the addresses and one route. */
export const tidegate: Peer = {
  name: 'tidegate',
  missing: () => (existsSync(BIN) ? null : 'bin/tidegate is not there'),
  start: async (bench, setup) => {
    const routes = { all: { match: '/*', to: 'origin' } };
    const command = await tidegateCommand(bench, setup, routes);
    return await startGateway(bench, command, setup.port, setup.env);
  },
};

/** Writes a config with these routes, and `more` at its top level, and gives the command that runs it. */
export async function tidegateCommand(
  bench: Bench,
  { port, originPort, tls }: PeerSetup,
  routes: Record<string, unknown>,
  service: object = {},
  others: Record<string, unknown> = {},
  more: object = {},
): Promise<Command> {
  const address = `127.0.0.1:${port}`;
  const config = {
    listen: tls === undefined ? address : [{ name: 'front', address, tls }],
    admin: `127.0.0.1:${await freePort()}`,
    services: { origin: { url: `http://127.0.0.1:${originPort}`, ...service }, ...others },
    routes,
    ...more,
  };
  return [BIN, 'run', bench.folder.write(`tidegate-${port}.yaml`, stringify(config))];
}
