import { readFileSync } from 'node:fs';
import { freePort, type LabProcess, processTree } from '../../src/testkit/index.ts';
import { type Bench, startGateway, startOrigin } from '../bench.ts';
import { missingTool, wrk } from '../load.ts';
import { availablePeers, tidegateCommand } from '../peers/index.ts';
import { fixed, median, printTable, target } from '../report.ts';
import { askInTurn, makeRoutes } from './routes.ts';

const ROUTES = 1_000;
const SCRAPES = 30;
/** While code is still being compiled. */
const EARLY = 10;
/** As long as a gateway that nobody asks takes for itself between two scrapes is little. */
const REST = 50;

/** What a scrape of a thousand routes takes of the supervisor and of a worker, when each route has been asked for. */
export async function scrapeSuite(bench: Bench): Promise<unknown> {
  const missing =
    process.platform === 'linux' ? missingTool('wrk') : 'it reads the times of threads from /proc';
  if (missing !== null) {
    console.log(`  left out: ${missing}`);
    return null;
  }
  if (availablePeers(bench.options.peers, ['tidegate']).length === 0) return null;
  const [port, originPort, admin] = [await freePort(), await freePort(), await freePort()];
  const origin = await startOrigin(bench, originPort);
  const more = { admin: `127.0.0.1:${admin}`, workers: 2 };
  const command = await tidegateCommand(bench, { port, originPort }, makeRoutes(ROUTES), {}, {}, more);
  const server = await startGateway(bench, command, port);
  const url = `http://127.0.0.1:${port}/`;
  await wrk(bench, { url, connections: bench.options.connections, seconds: 4, script: askInTurn(ROUTES) });
  const scrapes = [];
  for (let i = 0; i < SCRAPES; i++) scrapes.push(await scrape(server, admin));
  await server.kill();
  await origin.kill();
  const later = scrapes.slice(EARLY);
  const supervisor = median(later.map((one) => one.supervisor));
  const worker = median(later.map((one) => one.worker));
  printTable(
    ['', 'the supervisor, ms', 'the slower worker, ms', 'MiB'],
    [
      [
        `a scrape of ${ROUTES} routes`,
        fixed(supervisor, 1),
        fixed(worker, 1),
        fixed(later[0]!.bytes / 1024 ** 2, 1),
      ],
    ],
  );
  target('ms of the supervisor for a scrape', supervisor, 20);
  target('ms of a worker for a scrape', worker, 5);
  return { supervisor, worker, scrapes };
}

/** With what it took of the threads that event loops run on. */
async function scrape(server: LabProcess, admin: number) {
  const [supervisor, ...workers] = processTree(server.pid);
  const before = [supervisor!, ...workers].map(threadTime);
  const response = await fetch(`http://127.0.0.1:${admin}/metrics`);
  const bytes = (await response.arrayBuffer()).byteLength;
  // The worker's own work after its answer counts too.
  await new Promise((resolve) => setTimeout(resolve, REST));
  const [ofSupervisor, ...ofWorkers] = [supervisor!, ...workers].map(
    (pid, i) => threadTime(pid) - before[i]!,
  );
  return { supervisor: ofSupervisor!, worker: Math.max(...ofWorkers), bytes };
}

/** Milliseconds for which the main thread of a process has run. */
function threadTime(pid: number): number {
  return Number(readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ')[0]) / 1e6;
}
