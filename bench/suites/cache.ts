import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { freePort, type LabProcess } from '../../src/testkit/index.ts';
import { type Bench, startBeside } from '../bench.ts';
import { BROWSER_HEADERS, h2load, missingTool, type WrkRun, wrk } from '../load.ts';
import { findProgram } from '../machine.ts';
import { cachingNginx, cachingTidegate, cachingVarnish, type Peer } from '../peers/index.ts';
import { target } from '../report.ts';
import { type Contestant, compare, contestants, cpuRatio, printStandings, type Standing } from './compare.ts';

const NGINX = cachingNginx.name;
const VARNISH = cachingVarnish.name;
const DISTINCT = 100_000;
/** So many that requests for one key rarely meet, and share one look at Redis. */
const IN_REDIS = 10_000;
/** Long enough for each distinct entry to be filled. */
const FILLING = 12;
/** Runs that may go by until all that is asked for is there. */
const MOST_FILLING = 10;
/** What is only looked for is not filled by that. */
const IF_CACHED = 'Cache-Control: only-if-cached';
/** Connections for bodies of 1 MiB. */
const LARGE_CONNECTIONS = 16;
/** Rounds it takes until the median of a tail latency stands still. */
const RATE_ROUNDS = 9;

/** What a hit costs: CPU time a request, against other caches, many entries against one, Redis against memory. */
export async function cacheSuite(bench: Bench): Promise<unknown> {
  const missing = missingTool('wrk');
  if (missing !== null) {
    console.log(`  left out: ${missing}`);
    return null;
  }
  return {
    bare: await againstOthers(bench, "wrk's bare head", [], 0.75),
    browser: await againstOthers(bench, "a browser's 14 fields", BROWSER_HEADERS, 0.9),
    large: await large(bench),
    distinct: await distinct(bench),
    redis: await fromRedis(bench),
    rate: await atEqualRate(bench),
  };
}

async function againstOthers(
  bench: Bench,
  title: string,
  headers: readonly string[],
  most: number,
): Promise<Standing[]> {
  console.log(`  hits in memory, ${title}`);
  const standings = await compare(bench, contestants(bench, present(), loading(bench, { headers })));
  printStandings(standings, NGINX);
  target('tidegate × nginx proxy_cache', cpuRatio(standings, 'tidegate', NGINX), most);
  target('tidegate × varnish', cpuRatio(standings, 'tidegate', VARNISH), most);
  return standings;
}

async function large(bench: Bench): Promise<Standing[]> {
  console.log('  hits of 1 MiB');
  const load = loading(bench, { connections: LARGE_CONNECTIONS }, '/large');
  const standings = await compare(bench, contestants(bench, present(), load));
  printStandings(standings, NGINX);
  target('1 MiB, tidegate × nginx proxy_cache', cpuRatio(standings, 'tidegate', NGINX), 1.2);
  return standings;
}

async function distinct(bench: Bench): Promise<Standing[]> {
  console.log(`  hits of ${DISTINCT} distinct entries`);
  const many = { script: asksFor(DISTINCT) };
  const one = { script: asksFor(1) };
  const standings = await compare(
    bench,
    [
      ...contestants(bench, [cachingTidegate('one entry')], loading(bench, one)),
      ...contestants(bench, [cachingTidegate('distinct')], loading(bench, many)),
    ],
    { warmUp: FILLING },
  );
  printStandings(standings, 'one entry');
  target('distinct × one entry', cpuRatio(standings, 'distinct', 'one entry'), 1.15);
  return standings;
}

async function fromRedis(bench: Bench): Promise<Standing[] | null> {
  if (findProgram('redis-server') === null) {
    console.log('  hits in Redis are left out: apt-get install redis-server');
    return null;
  }
  console.log(`  hits of ${IN_REDIS} entries in Redis, no level in memory`);
  const port = await freePort();
  const redis = await startRedis(bench, port);
  // No entry fits into one byte.
  const levels = { memory: '1B', redis: `redis://127.0.0.1:${port}` };
  const load = loading(bench, { script: asksFor(IN_REDIS) });
  const peers = [cachingTidegate('memory'), cachingTidegate('redis', levels)];
  const standings = await compare(bench, contestants(bench, peers, load), { warmUp: FILLING });
  await redis.kill();
  printStandings(standings, 'memory');
  target('redis × memory', cpuRatio(standings, 'redis', 'memory'), 2.5);
  return standings;
}

function startRedis(bench: Bench, port: number): Promise<LabProcess> {
  const settings = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
  return startBeside(bench, ['redis-server', ...settings], port);
}

async function atEqualRate(bench: Bench): Promise<Standing[] | null> {
  const missing = missingTool('h2load');
  if (missing !== null) {
    console.log(`  latency at an equal rate is left out: ${missing}`);
    return null;
  }
  const { connections, rate } = bench.options;
  console.log(`  latency of hits at ${rate} requests/s`);
  const load: Contestant['load'] = (port, seconds) =>
    h2load(bench, { url: `http://127.0.0.1:${port}/small`, connections, seconds, rate });
  const standings = await compare(bench, contestants(bench, present(), load), { rounds: RATE_ROUNDS });
  printStandings(standings, VARNISH);
  const p99 = (name: string) => standings.find((one) => one.name === name)?.p99 ?? Number.NaN;
  target('p99 of tidegate above that of varnish', (p99('tidegate') - p99(VARNISH)) / 1000, 1, ' ms');
  return standings;
}

function present(): Peer[] {
  return [cachingTidegate(), cachingNginx, cachingVarnish].filter((peer) => {
    const missing = peer.missing();
    if (missing !== null) console.log(`  ${peer.name} is left out: ${missing}`);
    return missing === null;
  });
}

function loading(bench: Bench, run: Partial<WrkRun>, path = '/small'): Contestant['load'] {
  const { connections } = bench.options;
  return async (port, seconds) => {
    const url = `http://127.0.0.1:${port}${path}`;
    const headers = run.headers ?? [];
    for (let runs = 0; runs < MOST_FILLING; runs++) {
      const result = await wrk(bench, { connections, ...run, url, seconds });
      const held = run.script === undefined ? isHit(url, headers) : isHit(`${url}/1`, [IF_CACHED]);
      if (await held) return result;
    }
    throw new Error(`no hit at ${url}: there is nothing to compare`);
  };
}

/** A cache that keeps nothing would be compared as if it did. */
async function isHit(url: string, headers: readonly string[]): Promise<boolean> {
  const fields = Object.fromEntries(headers.map((line) => line.split(/: (.*)/s)));
  const asked = request(url, { headers: fields }).end();
  const [answer] = (await once(asked, 'response')) as [IncomingMessage];
  answer.resume();
  return /hit/i.test(String(answer.headers['cache-status'] ?? answer.headers['x-cache-status']));
}

/** Asks for so many paths in a round, in strides: neighbours in time are no neighbours in memory. The first comes last. */
function asksFor(paths: number): string {
  return `local asked = {}
local at = 0
function init()
  for i = 1, ${paths} do asked[i] = wrk.format("GET", "/small/" .. i) end
end
function request()
  at = (at + 7919) % ${paths}
  return asked[at + 1]
end
`;
}
