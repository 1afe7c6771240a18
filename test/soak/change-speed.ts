import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import pg from 'pg';
import { redisServer } from '../../src/testkit/index.ts';
import { postgresDatabase } from '../changes/chaos/databases.ts';
import { Deployment } from '../changes/chaos/deployment.ts';

/**
 * PostgreSQL → two nodes of two workers that share Redis: how long from the reply to COMMIT until each node has
 * applied it on all of its workers; and whether it keeps up with so many rows a second.
 * `node test/soak/change-speed.ts [--rows 12000]`
 */
const ROUNDS = 400;
const SECONDS = 6;
const { values } = parseArgs({ options: { rows: { type: 'string', default: '12000' } } });
const ROWS_A_SECOND = Number(values.rows);

await using redis = await redisServer();
const database = await postgresDatabase();
try {
  await using deployment = await Deployment.start({ database, redis: redis.url, source: { maxWait: '5s' } });
  const { nodes } = deployment;
  await Promise.all(nodes.map((node) => node.ready()));
  const { url } = (database.reader as { postgres: { url: string } }).postgres;
  await latency();
  await throughput(url);

  async function latency(): Promise<void> {
    const times: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const { position } = await database.bump(1 + (round % 8));
      const from = performance.now();
      const seen = await Promise.all(nodes.map((node) => node.read(1 + (round % 8), position)));
      if (seen.some(({ cache }) => cache.includes('behind'))) throw new Error('a node was behind');
      times.push(performance.now() - from);
      await pause(5);
    }
    times.sort((a, b) => a - b);
    const at = (share: number) => times[Math.floor(share * (times.length - 1))]!.toFixed(1);
    console.log(
      `commit to applied on every node: p50 ${at(0.5)} ms, p90 ${at(0.9)}, p99 ${at(0.99)}, most ${at(1)}`,
    );
  }

  async function throughput(connectionString: string): Promise<void> {
    const writers = await Promise.all(
      [1, 2, 3].map(async () => {
        const client = new pg.Client({ connectionString });
        await client.connect();
        return client;
      }),
    );
    let next = 1000;
    let rows = 0;
    const lags: number[] = [];
    const began = performance.now();
    const end = began + SECONDS * 1000;
    const write = async (client: pg.Client) => {
      while (performance.now() < end) {
        const from = next;
        next += 10;
        await client.query('insert into items select id, 0 from generate_series($1::int, $2::int) id', [
          from,
          from + 9,
        ]);
        rows += 10;
        const ahead = rows / ROWS_A_SECOND - (performance.now() - began) / 1000;
        if (ahead > 0.005) await pause(ahead * 1000);
      }
    };
    const watch = async () => {
      while (performance.now() < end) {
        const states = await Promise.all(nodes.map((node) => node.state()));
        lags.push(Math.max(...states.map(({ lagSeconds }) => lagSeconds ?? 0)));
        await pause(500);
      }
    };
    await Promise.all([...writers.map(write), watch()]);
    const wrote = (performance.now() - began) / 1000;
    const { position } = await database.bump(1);
    const from = performance.now();
    await Promise.all(nodes.map((node) => node.read(1, position)));
    const late = performance.now() - from;
    console.log(
      `${Math.round(rows / wrote)} rows/s for ${wrote.toFixed(1)} s; caught up ${late.toFixed(0)} ms after the last; lag each half second: ${lags.map((lag) => lag.toFixed(2)).join(' ')} s`,
    );
    await Promise.all(writers.map((client) => client.end()));
  }
} finally {
  await database.close();
}
