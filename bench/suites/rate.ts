import type { Bench } from '../bench.ts';
import { h2load, missingTool } from '../load.ts';
import { availablePeers } from '../peers/index.ts';
import { target } from '../report.ts';
import { compare, contestants, printStandings } from './compare.ts';

/** Rounds it takes until the median of a tail latency stands still. */
const ROUNDS = 9;

/** Latency at a fixed rate that leaves every peer room. */
export async function rateSuite(bench: Bench): Promise<unknown> {
  const missing = missingTool('h2load');
  if (missing !== null) {
    console.log(`  left out: ${missing}`);
    return null;
  }
  const { connections, rate } = bench.options;
  const load = (port: number, seconds: number) =>
    h2load(bench, { url: `http://127.0.0.1:${port}/small`, connections, seconds, rate });
  const peers = availablePeers(bench.options.peers, ['tidegate', 'nginx', 'haproxy', 'node:http + undici']);
  const standings = await compare(bench, contestants(bench, peers, load), { rounds: ROUNDS, warmUp: 10 });
  printStandings(standings, 'nginx');
  const p99 = (name: string) => standings.find((one) => one.name === name)?.p99 ?? Number.NaN;
  target('p99 of tidegate above that of nginx', (p99('tidegate') - p99('nginx')) / 1000, 1, ' ms');
  return standings;
}
