import type { Bench } from '../bench.ts';
import { BROWSER_HEADERS, missingTool, wrk } from '../load.ts';
import { availablePeers } from '../peers/index.ts';
import { target } from '../report.ts';
import { compare, contestants, cpuRatio, printStandings, type Standing } from './compare.ts';

/** CPU time a request: 200 bytes of JSON over kept connections, with wrk's bare head. */
export async function proxySuite(bench: Bench): Promise<unknown> {
  const standings = await proxied(bench, []);
  if (standings === null) return null;
  target('tidegate × nginx', cpuRatio(standings, 'tidegate', 'nginx'), 1.35);
  target('tidegate × node:http + undici', cpuRatio(standings, 'tidegate', 'node:http + undici'), 0.6);
  target('tidegate × @fastify/http-proxy', cpuRatio(standings, 'tidegate', '@fastify/http-proxy'), 0.4);
  return standings;
}

/** The same with a browser's header fields. */
export async function browserSuite(bench: Bench): Promise<unknown> {
  return await proxied(bench, BROWSER_HEADERS);
}

async function proxied(bench: Bench, headers: readonly string[]): Promise<Standing[] | null> {
  const missing = missingTool('wrk');
  if (missing !== null) {
    console.log(`  left out: ${missing}`);
    return null;
  }
  const { connections } = bench.options;
  const load = (port: number, seconds: number) =>
    wrk(bench, { url: `http://127.0.0.1:${port}/small`, connections, seconds, headers });
  const standings = await compare(bench, contestants(bench, availablePeers(bench.options.peers), load));
  printStandings(standings, 'nginx');
  return standings;
}
