import { freePort } from '../../src/testkit/index.ts';
import { type Bench, startGateway, startOrigin } from '../bench.ts';
import { missingTool, wrk } from '../load.ts';
import { tidegateCommand } from '../peers/index.ts';
import { fixed, median, target } from '../report.ts';
import { type Contestant, compare, cpuRatio, printStandings } from './compare.ts';

const ROUTES = {
  three: {
    match: '/three',
    aggregate: {
      calls: {
        orders: { to: 'origin', path: '/part?orders' },
        offers: { to: 'origin', path: '/part?offers' },
        products: { to: 'origin', path: '/part?products' },
      },
    },
  },
  // By the hundred, as many at once as the handlers written by hand ask.
  each: {
    match: '/each',
    aggregate: {
      calls: {
        items: {
          each: `[${Array.from({ length: 100 }, (_, id) => id).join(', ')}]`,
          to: 'origin',
          path: '/items/{item}',
          concurrency: 100,
        },
      },
    },
  },
  wait: {
    match: '/wait',
    aggregate: {
      calls: {
        slow: { to: 'origin', path: '/wait' },
        one: { to: 'origin', path: '/part?one' },
        two: { to: 'origin', path: '/part?two' },
      },
    },
  },
  single: { match: '/items/*', to: 'origin' },
};

/** Three calls at once, and a hundred, against the same written by hand; and what is added to the slowest part. */
export async function aggregateSuite(bench: Bench): Promise<unknown> {
  const missing = missingTool('wrk');
  if (missing !== null) {
    console.log(`  left out: ${missing}`);
    return null;
  }
  console.log('  three calls at once, 2 kB of JSON each');
  const three = await compare(bench, all(bench, '/three', bench.options.connections));
  printStandings(three, HAND.fetch);
  target(`tidegate × ${HAND.fetch}`, cpuRatio(three, 'tidegate', HAND.fetch), 0.35);
  target(`tidegate × ${HAND.pool}`, cpuRatio(three, 'tidegate', HAND.pool), 0.7);
  console.log('\n  a hundred calls, 200 B of JSON each');
  const single: Contestant = {
    ...tidegate(bench, '/items/1', bench.options.connections),
    name: 'proxied alone',
  };
  const each = await compare(bench, [...all(bench, '/each', 4), single]);
  printStandings(each, HAND.fetch);
  target('each × 100 requests proxied alone', cpuRatio(each, 'tidegate', 'proxied alone') / 100, 1.2);
  return { three, each, latency: await latency(bench) };
}

const HAND = { fetch: 'Fastify + fetch', pool: 'Fastify + Pool.request' };

function all(bench: Bench, path: string, connections: number): Contestant[] {
  return [
    tidegate(bench, path, connections),
    byHand(bench, HAND.fetch, 'fetch', path, connections),
    byHand(bench, HAND.pool, 'pool', path, connections),
  ];
}

function tidegate(bench: Bench, path: string, connections: number): Contestant {
  return {
    name: 'tidegate',
    start: async (port, originPort) =>
      await startGateway(bench, await tidegateCommand(bench, { port, originPort }, ROUTES), port),
    load: (port, seconds) => wrk(bench, { url: `http://127.0.0.1:${port}${path}`, connections, seconds }),
  };
}

function byHand(bench: Bench, name: string, how: string, path: string, connections: number): Contestant {
  const script = new URL('../servers/hand-aggregate.ts', import.meta.url).pathname;
  return {
    name,
    start: async (port, originPort) => {
      const command = [process.execPath, script, String(port), String(originPort), how] as const;
      return await startGateway(bench, [...command], port, { NODE_ENV: 'production' });
    },
    load: (port, seconds) => wrk(bench, { url: `http://127.0.0.1:${port}${path}`, connections, seconds }),
  };
}

/** At low load: the aggregate beside its slowest part, asked at its service itself. Milliseconds. */
async function latency(bench: Bench): Promise<{ part: number; aggregate: number; added: number }> {
  const [port, originPort] = [await freePort(), await freePort()];
  const origin = await startOrigin(bench, originPort);
  const gateway = await startGateway(bench, await tidegateCommand(bench, { port, originPort }, ROUTES), port);
  const ask = async (at: number, seconds: number) =>
    (await wrk(bench, { url: `http://127.0.0.1:${at}/wait`, connections: 1, seconds })).p50 / 1000;
  await ask(port, 2);
  const parts: number[] = [];
  const aggregates: number[] = [];
  for (let round = 0; round < bench.options.rounds; round++) {
    parts.push(await ask(originPort, bench.options.seconds));
    aggregates.push(await ask(port, bench.options.seconds));
  }
  await gateway.kill();
  await origin.kill();
  const [part, aggregate] = [median(parts), median(aggregates)];
  const added = median(aggregates.map((one, round) => one - parts[round]!));
  console.log(`\n  slowest part ${fixed(part, 2)} ms, aggregate ${fixed(aggregate, 2)} ms`);
  target('latency over the slowest part', added, 1, ' ms');
  return { part, aggregate, added };
}
