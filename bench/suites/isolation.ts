import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { freePort } from '../../src/testkit/index.ts';
import { type Bench, startGateway, startOrigin } from '../bench.ts';
import { h2load, type LoadResult, missingTool } from '../load.ts';
import { tidegateCommand } from '../peers/index.ts';
import { fixed, median, printTable, target } from '../report.ts';

/** Requests a second to the healthy service, over this many connections. */
const HEALTHY = { rate: 1000, connections: 50, apart: 1 };
/** To the other one: a connection for each request, which ends in a 504 before the connection's next is due. */
const DEAD = { rate: 100, connections: 100, apart: 10 };
const DEAD_TIMEOUT = '900ms';
/** Rounds it takes until the median of a tail latency stands still. */
const ROUNDS = 9;

/** Latency of a healthy service alone, and beside one that accepts connections and never answers. */
export async function isolationSuite(bench: Bench): Promise<unknown> {
  const missing = missingTool('h2load');
  if (missing !== null) {
    console.log(`  left out: ${missing}`);
    return null;
  }
  const [originPort, port] = [await freePort(), await freePort()];
  const dead = await silentService();
  await startOrigin(bench, originPort);
  const routes = { healthy: { match: '/*', to: 'origin' }, dead: { match: '/dead', to: 'dead' } };
  const services = { dead: { url: `http://127.0.0.1:${portOf(dead)}`, timeout: DEAD_TIMEOUT } };
  const command = await tidegateCommand(bench, { port, originPort }, routes, {}, services);
  await startGateway(bench, command, port);
  const load = (path: string, how: typeof HEALTHY, seconds: number) =>
    h2load(bench, { url: `http://127.0.0.1:${port}${path}`, seconds, ...how });

  const alone: LoadResult[] = [];
  const beside: LoadResult[] = [];
  const asked: number[] = [];
  const { seconds } = bench.options;
  await load('/small', HEALTHY, 4);
  for (let round = 0; round < ROUNDS; round++) {
    alone.push(await load('/small', HEALTHY, seconds));
    const silent = load('/dead', DEAD, seconds);
    beside.push(await load('/small', HEALTHY, seconds));
    asked.push((await silent).requests);
  }
  dead.close();
  const rows = [line('alone', alone), line('beside', beside)];
  printTable(['healthy service', 'requests', 'p50 ms', 'p99 ms', 'failed'], rows);
  console.log(`  asked of the silent one beside it: ${median(asked) / seconds} requests/s`);
  const ratio = median(beside.map((run, round) => run.p99 / alone[round]!.p99));
  target('p99 beside × alone', ratio, 1.2);
  return { alone, beside, asked, ratio };
}

async function silentService(): Promise<Server> {
  const server = createServer((socket) => {
    socket.on('error', () => socket.destroy());
    socket.resume();
  });
  server.listen(0, '127.0.0.1', 1024);
  server.unref();
  await once(server, 'listening');
  return server;
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}

function line(name: string, runs: readonly LoadResult[]): string[] {
  const sum = (of: (run: LoadResult) => number) => runs.reduce((all, run) => all + of(run), 0);
  return [
    name,
    String(sum((run) => run.requests)),
    fixed(median(runs.map((run) => run.p50)) / 1000, 2),
    fixed(median(runs.map((run) => run.p99)) / 1000, 2),
    String(sum((run) => run.failures)),
  ];
}
