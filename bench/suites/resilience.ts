import { type Bench, startGateway } from '../bench.ts';
import { missingTool, wrk } from '../load.ts';
import { tidegateCommand } from '../peers/index.ts';
import { target } from '../report.ts';
import { type Contestant, compare, cpuRatio, printStandings } from './compare.ts';

const OFF = { retries: { attempts: 0 }, health: { passive: 'none' }, balance: 'roundRobin' };
const ON = {
  retries: { attempts: 2, on: ['connectFailure', 'reset', 503] },
  breaker: { errorRate: '50%' },
  health: { path: '/', interval: '1s' },
};

/** What a request costs with retries, breaker, passive and active health on, and with all of them off. */
export async function resilienceSuite(bench: Bench): Promise<unknown> {
  const missing = missingTool('wrk');
  if (missing !== null) {
    console.log(`  left out: ${missing}`);
    return null;
  }
  const standings = await compare(bench, [withService(bench, 'off', OFF), withService(bench, 'on', ON)]);
  printStandings(standings, 'off');
  target('on × off', cpuRatio(standings, 'on', 'off'), 1.03);
  return standings;
}

function withService(bench: Bench, name: string, service: object): Contestant {
  return {
    name,
    start: async (port, originPort) => {
      const routes = { all: { match: '/*', to: 'origin' } };
      return await startGateway(
        bench,
        await tidegateCommand(bench, { port, originPort }, routes, service),
        port,
      );
    },
    load: (port, seconds) =>
      wrk(bench, { url: `http://127.0.0.1:${port}/`, connections: bench.options.connections, seconds }),
  };
}
