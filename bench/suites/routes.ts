import { type Bench, startGateway } from '../bench.ts';
import { missingTool, wrk } from '../load.ts';
import { availablePeers, tidegateCommand } from '../peers/index.ts';
import { target } from '../report.ts';
import { type Contestant, compare, cpuRatio, printStandings } from './compare.ts';

const FEW = 10;
const MANY = 10_000;

/** What a request costs with ten routes and with ten thousand, all of which are asked for in turn. */
export async function routesSuite(bench: Bench): Promise<unknown> {
  const missing = missingTool('wrk');
  if (missing !== null) {
    console.log(`  left out: ${missing}`);
    return null;
  }
  if (availablePeers(bench.options.peers, ['tidegate']).length === 0) return null;
  const standings = await compare(bench, [withRoutes(bench, FEW), withRoutes(bench, MANY)]);
  printStandings(standings, `${FEW} routes`);
  target(`${MANY} routes × ${FEW}`, cpuRatio(standings, `${MANY} routes`, `${FEW} routes`), 1.1);
  return standings;
}

function withRoutes(bench: Bench, count: number): Contestant {
  return {
    name: `${count} routes`,
    start: async (port, originPort) => {
      const command = await tidegateCommand(bench, { port, originPort }, makeRoutes(count));
      return await startGateway(bench, command, port);
    },
    load: (port, seconds) =>
      wrk(bench, {
        url: `http://127.0.0.1:${port}/`,
        connections: bench.options.connections,
        seconds,
        script: askInTurn(count),
      }),
  };
}

/** Routes that are told apart by their paths. */
export function makeRoutes(count: number): Record<string, unknown> {
  const routes: Record<string, unknown> = {};
  for (let i = 0; i < count; i++) {
    routes[`route${i}`] = { match: `/area${digits(i % 100)}/service${digits(i)}/items/{id}`, to: 'origin' };
  }
  return routes;
}

/** All paths have the same length, whatever the number of routes. */
function digits(number: number): string {
  return String(number).padStart(5, '0');
}

/** Asks for each of them, one after another. */
export function askInTurn(count: number): string {
  return `local turn = 0
local requests = {}
function init()
  for i = 0, ${count - 1} do
    requests[i] = wrk.format("GET", string.format("/area%05d/service%05d/items/42", i % 100, i))
  end
end
function request()
  turn = (turn + 7919) % ${count}
  return requests[turn]
end
`;
}
