import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { freePort } from '../../src/testkit/index.ts';
import { type Bench, startGateway, startOrigin } from '../bench.ts';
import { h2load, type LoadResult, missingTool } from '../load.ts';
import { tidegateCommand } from '../peers/index.ts';
import { fixed, median, printTable, target } from '../report.ts';

/** Requests a second to the healthy service, over this many connections. */
const HEALTHY = { rate: 1000, connections: 50, apart: 1 };
/** The load beside it: a connection for each request, which ends in a 504 before the connection's next is due. */
const BESIDE = { rate: 100, connections: 100, apart: 10 };
const DEAD_TIMEOUT = '900ms';
/** Rounds it takes until the median of a tail latency stands still. */
const ROUNDS = 9;

/**
 * Latency of a healthy service alone, and beside one that accepts connections and never answers. A second
 * load generator disturbs the first where they share a core, whatever it asks for: so the same load also goes,
 * as a control, past the gateway to the origin, and to a route that answers at once.
 */
export async function isolationSuite(bench: Bench): Promise<unknown> {
  const missing = missingTool('h2load');
  if (missing !== null) {
    console.log(`  left out: ${missing}`);
    return null;
  }
  const [originPort, port] = [await freePort(), await freePort()];
  const dead = await silentService();
  await startOrigin(bench, originPort);
  const routes = {
    healthy: { match: '/*', to: 'origin' },
    dead: { match: '/dead', to: 'dead' },
    ready: { match: '/ready', respond: {} },
  };
  const services = { dead: { url: `http://127.0.0.1:${portOf(dead)}`, timeout: DEAD_TIMEOUT } };
  const command = await tidegateCommand(bench, { port, originPort }, routes, {}, services);
  await startGateway(bench, command, port);
  const load = (at: number, path: string, how: typeof HEALTHY) =>
    h2load(bench, { url: `http://127.0.0.1:${at}${path}`, seconds: bench.options.seconds, ...how });

  const newCase = (name: string, beside: Case['beside']): Case => ({ name, beside, runs: [], asked: [] });
  const alone = newCase('alone', null);
  const past = newCase('beside a load past the gateway', () => load(originPort, '/small', BESIDE));
  const ready = newCase('beside a route that answers', () => load(port, '/ready', BESIDE));
  const silent = newCase('beside the silent one', () => load(port, '/dead', BESIDE));
  const cases = [alone, past, ready, silent];
  await load(port, '/small', HEALTHY);
  for (let round = 0; round < ROUNDS; round++) {
    // Each comes first and last as often as the others: the machine may grow slower or faster meanwhile.
    for (let i = 0; i < cases.length; i++) {
      const { beside, runs, asked } = cases[(round + i) % cases.length]!;
      const other = beside?.();
      runs.push(await load(port, '/small', HEALTHY));
      asked.push((await other)?.requests ?? 0);
    }
  }
  dead.close();
  printTable(['healthy service', 'requests', 'p50 ms', 'p99 ms', 'failed', 'others'], cases.map(line));
  target('p99 beside the silent one × alone', ratio(silent, alone), 1.2);
  target('p99 beside the silent one × beside a route that answers', ratio(silent, ready), 1.2);
  console.log(`  the second load by itself, past the gateway: ${fixed(ratio(past, alone), 2)} × alone`);
  return { cases: cases.map(({ name, runs, asked }) => ({ name, runs, asked })) };
}

interface Case {
  readonly name: string;
  /** The load that runs at the same time. */
  readonly beside: (() => Promise<LoadResult>) | null;
  readonly runs: LoadResult[];
  /** Requests of that load, by run. */
  readonly asked: number[];
}

/** The median of the rounds, each compared within itself. */
function ratio(one: Case, to: Case): number {
  return median(one.runs.map((run, round) => run.p99 / to.runs[round]!.p99));
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

function line({ name, runs, asked }: Case): string[] {
  const sum = (of: (run: LoadResult) => number) => runs.reduce((all, run) => all + of(run), 0);
  return [
    name,
    String(sum((run) => run.requests)),
    fixed(median(runs.map((run) => run.p50)) / 1000, 2),
    fixed(median(runs.map((run) => run.p99)) / 1000, 2),
    String(sum((run) => run.failures)),
    String(asked.reduce((all, count) => all + count, 0)),
  ];
}
