import { freePort, type LabProcess } from '../../src/testkit/index.ts';
import { type Bench, startOrigin } from '../bench.ts';
import type { LoadResult } from '../load.ts';
import type { Peer } from '../peers/index.ts';
import { fixed, median, printTable } from '../report.ts';

/** One peer's figures in one run. */
export interface Run extends LoadResult {
  /** Microseconds of CPU that the gateway's processes used for a request. */
  cpu: number;
}

/** Something that is measured against others in the same rounds. */
export interface Contestant {
  name: string;
  /** Starts it; `originPort` is that of the origin all share. */
  start(port: number, originPort: number): Promise<LabProcess>;
  load(port: number, seconds: number): Promise<LoadResult>;
}

export interface Standing {
  name: string;
  runs: Run[];
  cpu: number;
  p50: number;
  p99: number;
  failures: number;
}

export function contestants(
  bench: Bench,
  peers: readonly Peer[],
  load: (port: number, seconds: number) => Promise<LoadResult>,
): Contestant[] {
  return peers.map((peer) => ({
    name: peer.name,
    start: (port, originPort) => peer.start(bench, { port, originPort }),
    load,
  }));
}

/**
 * Runs all of them in turn, A B C A B C, so that whatever else the machine does meets each alike. Before that
 * each has `warmUp` seconds in which code is compiled and pools are filled.
 */
export async function compare(
  bench: Bench,
  list: readonly Contestant[],
  { rounds = bench.options.rounds, warmUp = 4 }: { rounds?: number; warmUp?: number } = {},
): Promise<Standing[]> {
  const originPort = await freePort();
  const origin = await startOrigin(bench, originPort);
  const started: { one: Contestant; port: number; server: LabProcess; runs: Run[] }[] = [];
  for (const one of list) {
    const port = await freePort();
    const server = await one.start(port, originPort);
    started.push({ one, port, server, runs: [] });
    await one.load(port, warmUp);
  }
  for (let round = 0; round < rounds; round++) {
    for (const { one, port, server, runs } of started) {
      const before = server.cpu();
      const result = await one.load(port, bench.options.seconds);
      runs.push({ ...result, cpu: (server.cpu() - before) / result.requests });
    }
  }
  for (const { server } of started) await server.kill();
  await origin.kill();
  return started.map(({ one, runs }) => standing(one.name, runs));
}

function standing(name: string, runs: Run[]): Standing {
  return {
    name,
    runs,
    cpu: median(runs.map((run) => run.cpu)),
    p50: median(runs.map((run) => run.p50)),
    p99: median(runs.map((run) => run.p99)),
    failures: runs.reduce((sum, run) => sum + run.failures, 0),
  };
}

/** The ratio of two contestants' CPU, taken within each round, then the median: NaN where one is not there. */
export function cpuRatio(standings: readonly Standing[], name: string, against: string): number {
  const one = standings.find((standing) => standing.name === name);
  const other = standings.find((standing) => standing.name === against);
  if (one === undefined || other === undefined) return Number.NaN;
  return median(one.runs.map((run, round) => run.cpu / other.runs[round]!.cpu));
}

export function printStandings(standings: readonly Standing[], against: string): void {
  printTable(
    ['', 'CPU µs/request', `× ${against}`, 'requests/s', 'p50 ms', 'p99 ms', 'failed'],
    standings.map((one) => [
      one.name,
      fixed(one.cpu, 1),
      fixed(cpuRatio(standings, one.name, against), 2),
      fixed(median(one.runs.map((run) => run.requests / run.seconds)), 0),
      fixed(one.p50 / 1000, 2),
      fixed(one.p99 / 1000, 2),
      String(one.failures),
    ]),
  );
}
