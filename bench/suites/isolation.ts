import { freePort, type LabProcess } from '../../src/testkit/index.ts';
import { type Bench, startBeside, startGateway, startOrigin } from '../bench.ts';
import { h2load, type LoadResult, missingTool } from '../load.ts';
import { tidegateCommand } from '../peers/index.ts';
import { fixed, printTable, target } from '../report.ts';
import { CASE_COLUMNS, caseLine, caseOf, p99Ratio, runBeside } from './beside.ts';

/** Requests a second to the healthy service, over this many connections. */
const HEALTHY = { rate: 1000, connections: 50, apart: 1 };
/** The load beside it: a connection for each request, which ends in a 504 before the connection's next is due. */
const BESIDE = { rate: 100, connections: 100, apart: 10 };
/** Half way between two requests of that load: on a round number, each 504 would fall on the very tick of a request. */
const DEAD_TIMEOUT = '895ms';
/** Some thousands of failures before it counts: what a failure takes its way through is compiled by then. */
const WARM_UP = { rate: 800, connections: 800, apart: 1 };
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
  const [originPort, deadPort, port] = [await freePort(), await freePort(), await freePort()];
  const dead = await startServing(bench, deadPort);
  await startOrigin(bench, originPort);
  const routes = {
    healthy: { match: '/*', to: 'origin' },
    dead: { match: '/dead', to: 'dead' },
    ready: { match: '/ready', respond: {} },
  };
  const services = { dead: { url: `http://127.0.0.1:${deadPort}`, timeout: DEAD_TIMEOUT } };
  const command = await tidegateCommand(bench, { port, originPort }, routes, {}, services);
  await startGateway(bench, command, port);
  const load = (at: number, path: string, how: typeof HEALTHY, seconds = bench.options.seconds) =>
    h2load(bench, { url: `http://127.0.0.1:${at}${path}`, seconds, ...how });

  const alone = caseOf('alone', null);
  const past = caseOf('beside a load past the gateway', () => load(originPort, '/small', BESIDE));
  const ready = caseOf('beside a route that answers', () => load(port, '/ready', BESIDE));
  const silent = caseOf('beside the silent one', () => whileStopped(dead, () => load(port, '/dead', BESIDE)));
  const cases = [alone, past, ready, silent];
  for (let i = 0; i < 2; i++) await whileStopped(dead, () => load(port, '/dead', WARM_UP, 8));
  await runBeside(cases, () => load(port, '/small', HEALTHY), ROUNDS);
  printTable(['healthy service', ...CASE_COLUMNS], cases.map(caseLine));
  target('p99 beside the silent one × alone', p99Ratio(silent, alone), 1.2);
  target('p99 beside the silent one × beside a route that answers', p99Ratio(silent, ready), 1.2);
  console.log(`  the second load by itself, past the gateway: ${fixed(p99Ratio(past, alone), 2)} × alone`);
  return { cases: cases.map(({ name, runs, asked }) => ({ name, runs, asked })) };
}

function startServing(bench: Bench, port: number): Promise<LabProcess> {
  const script = new URL('../servers/bare-sockets.ts', import.meta.url).pathname;
  return startBeside(bench, [process.execPath, script, String(port)], port);
}

/**
 * Nothing is more silent than a process that is stopped: the system still accepts connections for it, and it takes
 * nothing of the core that it shares with the load.
 */
async function whileStopped(service: LabProcess, load: () => Promise<LoadResult>): Promise<LoadResult> {
  service.signal('SIGSTOP');
  try {
    return await load();
  } finally {
    service.signal('SIGCONT');
  }
}
