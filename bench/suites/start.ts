import { setTimeout as pause } from 'node:timers/promises';
import { freePort, processTree, rawClient, residentBytes } from '../../src/testkit/index.ts';
import { type Bench, startOrigin } from '../bench.ts';
import { availablePeers, tidegateCommand } from '../peers/index.ts';
import { fixed, median, printTable, target } from '../report.ts';

const STARTS = 7;

/** Time from the command to the first answered request, and the memory of each process at rest. */
export async function startSuite(bench: Bench): Promise<unknown> {
  if (availablePeers(bench.options.peers, ['tidegate']).length === 0) return null;
  const originPort = await freePort();
  const origin = await startOrigin(bench, originPort);
  const first = await startOnce(bench, originPort);
  const later: Started[] = [];
  for (let i = 0; i < STARTS; i++) later.push(await startOnce(bench, originPort));
  await origin.kill();
  const worker = median(later.map((one) => one.worker)) / 2 ** 20;
  const ready = median(later.map((one) => one.ready));
  printTable(
    ['', 'first start ms', `median of ${STARTS} more ms`, 'supervisor MiB', 'worker MiB'],
    [
      [
        'tidegate',
        fixed(first.ready, 0),
        fixed(ready, 0),
        fixed(median(later.map((one) => one.supervisor)) / 2 ** 20, 1),
        fixed(worker, 1),
      ],
    ],
  );
  target('start to first answer', ready, 500, ' ms');
  target('an idle worker', worker, 110, ' MiB');
  return { first, later };
}

interface Started {
  /** Milliseconds. */
  ready: number;
  /** Resident bytes; the worker is the process that has no children. */
  supervisor: number;
  worker: number;
}

async function startOnce(bench: Bench, originPort: number): Promise<Started> {
  const port = await freePort();
  const routes = { all: { match: '/*', to: 'origin' } };
  // Not pinned: a start uses what cores there are.
  const [program, ...args] = await tidegateCommand(bench, { port, originPort }, routes);
  const begun = performance.now();
  const server = bench.lab.start(program, args);
  while (!(await answers(port))) {
    if (server.exited !== null) throw new Error(`tidegate ended at its start:\n${server.output}`);
    await pause(2);
  }
  const ready = performance.now() - begun;
  // What a start leaves behind settles within a second.
  await pause(1_000);
  const pids = processTree(server.pid);
  const result = {
    ready,
    supervisor: pids.length > 1 ? residentBytes([pids[0]!]) : 0,
    worker: residentBytes([pids.at(-1)!]),
  };
  await server.kill();
  return result;
}

async function answers(port: number): Promise<boolean> {
  try {
    await using client = await rawClient(port);
    await client.send('GET /small HTTP/1.1\r\nHost: localhost\r\n\r\n');
    return (await client.response()).status === 200;
  } catch {
    return false;
  }
}
