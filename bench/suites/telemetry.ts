import { type Bench, startGateway } from '../bench.ts';
import { missingTool, wrk } from '../load.ts';
import { tidegateCommand } from '../peers/index.ts';
import { target } from '../report.ts';
import { type Contestant, compare, cpuRatio, printStandings } from './compare.ts';

const CACHED = { cache: { ttl: '1h', override: true } };

/** What it costs to be seen: metrics, and an access log to a file, against neither. */
export async function telemetrySuite(bench: Bench): Promise<unknown> {
  const missing = missingTool('wrk');
  if (missing !== null) {
    console.log(`  left out: ${missing}`);
    return null;
  }
  const off = { admin: false };
  const log = { access: 'json', file: '/dev/null' };
  const list = [
    contestant(bench, 'proxied, off', off, {}),
    contestant(bench, 'proxied, metrics', {}, {}),
    contestant(bench, 'proxied, all', { log }, {}),
    contestant(bench, 'hit, off', off, CACHED),
    contestant(bench, 'hit, metrics', {}, CACHED),
    contestant(bench, 'hit, all', { log }, CACHED),
  ];
  const standings = await compare(bench, list);
  printStandings(standings, 'proxied, off');
  target('all of telemetry on × off, proxied', cpuRatio(standings, 'proxied, all', 'proxied, off'), 1.12);
  target('all of telemetry on × off, a hit', cpuRatio(standings, 'hit, all', 'hit, off'), 1.2);
  return standings;
}

function contestant(bench: Bench, name: string, more: object, route: object): Contestant {
  return {
    name,
    start: async (port, originPort) => {
      const routes = { all: { match: '/*', to: 'origin', ...route } };
      const command = await tidegateCommand(bench, { port, originPort }, routes, {}, {}, more);
      return await startGateway(bench, command, port);
    },
    load: (port, seconds) =>
      wrk(bench, { url: `http://127.0.0.1:${port}/`, connections: bench.options.connections, seconds }),
  };
}
