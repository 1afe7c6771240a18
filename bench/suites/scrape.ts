import { freePort } from '../../src/testkit/index.ts';
import { type Bench, startGateway, startOrigin } from '../bench.ts';
import { missingTool, wrk } from '../load.ts';
import { availablePeers, tidegateCommand } from '../peers/index.ts';
import { fixed, median, printTable, target } from '../report.ts';
import { askInTurn, makeRoutes } from './routes.ts';

const ROUTES = 1_000;
const SCRAPES = 20;

/** What a scrape of a thousand routes takes, each of which has been asked for, and how late it makes a worker. */
export async function scrapeSuite(bench: Bench): Promise<unknown> {
  const missing = missingTool('wrk');
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
  for (let i = 0; i <= SCRAPES; i++) scrapes.push(await scrape(admin));
  await server.kill();
  await origin.kill();
  // The first one tells of the load, and compiles.
  const later = scrapes.slice(1);
  const [ms, pause] = [median(later.map((one) => one.ms)), median(later.map((one) => one.pause))];
  printTable(
    ['', 'ms', 'a worker late, ms (99 of 100)', 'MiB'],
    [[`a scrape of ${ROUTES} routes`, fixed(ms, 1), fixed(pause, 1), fixed(later[0]!.bytes / 1024 ** 2, 1)]],
  );
  target('ms for a scrape', ms, 20);
  target('ms that a worker is late', pause, 5);
  return { ms, pause, bytes: later[0]!.bytes, scrapes };
}

/** With how late the event loops of the workers were since the scrape before. */
async function scrape(admin: number): Promise<{ ms: number; pause: number; bytes: number }> {
  const began = performance.now();
  const response = await fetch(`http://127.0.0.1:${admin}/metrics`);
  const bytes = Buffer.from(await response.arrayBuffer());
  const ms = performance.now() - began;
  const delays = bytes.toString().matchAll(/^tidegate_worker_event_loop_delay_seconds\{[^}]*\} (\S+)$/gm);
  return {
    ms,
    pause: Math.max(...[...delays].map(([, delay]) => Number(delay) * 1000)),
    bytes: bytes.length,
  };
}
