import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { stringify } from 'yaml';
import {
  collectable,
  freePort,
  openSockets,
  portOpens,
  processLab,
  processTree,
  seededRandom,
  settledMemory,
  tempFolder,
} from '../../src/testkit/index.ts';
import { ACTORS } from './actors.ts';
import { soakService } from './service.ts';

/**
 * Ten minutes of mixed traffic against `tidegate run`: what its worker holds after a collection must stand still
 * in the second half, and no
 * socket may be left once everyone has gone. Linux. `node test/soak/main.ts [--minutes 10] [--seed 1]`
 */

/** Each kind of client comes this often at the same time. */
const CROWD = 3;
const SAMPLE_EVERY = 15_000;
/** MiB a minute that what is under way at a sample may make look like growth. */
const FLAT = 1;
/** The pool keeps idle connections 4 s, a refused client is read for 5 s. */
const QUIET = 8_000;

interface Sample {
  minutes: number;
  mebibytes: number;
  sockets: number;
}

const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '10' }, seed: { type: 'string', default: '1' } },
});
const minutes = Number(values.minutes);

await using lab = processLab();
using folder = tempFolder();
await using service = await soakService();
const port = await freePort();
const config = {
  listen: `127.0.0.1:${port}`,
  admin: `127.0.0.1:${await freePort()}`,
  services: { origin: { url: service.url } },
  routes: { all: { match: '/*', to: 'origin' } },
};
const bin = new URL('../../bin/tidegate', import.meta.url).pathname;
const gateway = lab.start(bin, ['run', folder.write('tidegate.yaml', stringify(config))], {
  env: collectable(folder.path),
});
await portOpens(port, 15_000);
await pause(1_000);
/** The worker is the process that has no children. */
const worker = processTree(gateway.pid).at(-1)!;

const random = seededRandom(Number(values.seed));
const visits: Record<string, number> = {};
const failures: string[] = [];
const begun = performance.now();
const end = begun + minutes * 60_000;
const before = openSockets(worker);

async function crowd(name: string): Promise<void> {
  while (performance.now() < end) {
    try {
      await ACTORS[name]!(port, random);
      visits[name] = (visits[name] ?? 0) + 1;
    } catch (error) {
      failures.push(`${name}: ${(error as Error).message}`);
    }
    await pause(50 + random.below(200));
  }
}

async function sample(): Promise<Sample> {
  return {
    minutes: (performance.now() - begun) / 60_000,
    mebibytes: (await settledMemory([worker], folder.path)) / 2 ** 20,
    sockets: openSockets(worker),
  };
}

/** Growth in MiB a minute: the slope of the line nearest to all samples. */
function slope(list: readonly Sample[]): number {
  const mean = (pick: (one: Sample) => number) => list.reduce((sum, one) => sum + pick(one), 0) / list.length;
  const [x, y] = [mean((one) => one.minutes), mean((one) => one.mebibytes)];
  const over = list.reduce((sum, one) => sum + (one.minutes - x) * (one.mebibytes - y), 0);
  const under = list.reduce((sum, one) => sum + (one.minutes - x) ** 2, 0);
  return over / under;
}

const everyone = Object.keys(ACTORS).flatMap((name) => Array.from({ length: CROWD }, () => crowd(name)));
const samples: Sample[] = [];
while (performance.now() < end) {
  await pause(SAMPLE_EVERY);
  const one = await sample();
  samples.push(one);
  console.log(`${one.minutes.toFixed(2)} min  ${one.mebibytes.toFixed(1)} MiB  ${one.sockets} sockets`);
}
await Promise.all(everyone);
await pause(QUIET);

const left = openSockets(worker) - before;
const growth = slope(samples.slice(Math.floor(samples.length / 2)));
console.log(`\nvisits ${JSON.stringify(visits)}`);
for (const failure of failures.slice(0, 10)) console.log(`failed: ${failure.slice(0, 300)}`);
console.log(`growth in the second half ${growth.toFixed(2)} MiB a minute (flat up to ${FLAT})`);
console.log(`${left} sockets left, ${failures.length} visits failed`);
const good = growth <= FLAT && left <= 0 && failures.length === 0 && gateway.exited === null;
console.log(good ? 'flat: nothing leaks' : 'NOT flat');
process.exitCode = good ? 0 : 1;
