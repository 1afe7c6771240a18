import { type Bench, startGateway } from '../bench.ts';
import { missingTool, wrk } from '../load.ts';
import { findProgram } from '../machine.ts';
import { nginxCommand, tidegateCommand } from '../peers/index.ts';
import { target } from '../report.ts';
import { type Contestant, compare, cpuRatio, printStandings } from './compare.ts';

/** As `src/pipeline/answer/compressed-body.ts` has it. */
const LEVEL = 5;

/** 20 kB of JSON, compressed with gzip at the same level. */
export async function compressSuite(bench: Bench): Promise<unknown> {
  const missing = missingTool('wrk');
  if (missing !== null || findProgram('nginx') === null) {
    console.log(`  left out: ${missing ?? 'apt-get install nginx'}`);
    return null;
  }
  const load: Contestant['load'] = (port, seconds) =>
    wrk(bench, {
      url: `http://127.0.0.1:${port}/json`,
      connections: bench.options.connections,
      seconds,
      headers: ['Accept-Encoding: gzip'],
    });
  const standings = await compare(bench, [
    {
      name: 'tidegate',
      start: async (port, originPort) => {
        const routes = { all: { match: '/*', to: 'origin', compress: true } };
        return await startGateway(bench, await tidegateCommand(bench, { port, originPort }, routes), port);
      },
      load,
    },
    {
      name: 'nginx',
      start: async (port, originPort) => {
        const gzip = `gzip on; gzip_comp_level ${LEVEL}; gzip_types application/json; gzip_proxied any;`;
        return await startGateway(bench, nginxCommand(bench, { port, originPort }, gzip), port);
      },
      load,
    },
  ]);
  printStandings(standings, 'nginx');
  target('tidegate × nginx gzip', cpuRatio(standings, 'tidegate', 'nginx'), 1.3);
  return standings;
}
