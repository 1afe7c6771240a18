import { parseArgs } from 'node:util';
import { chaos } from '../changes/chaos/chaos.ts';
import { mariadbDatabase, postgresDatabase, streamDatabase } from '../changes/chaos/databases.ts';

/**
 * Two nodes that follow a database under load, while nodes, workers, Redis and the database die, and mappings change:
 * no read may be older than a change that was said to be applied before it began. Linux.
 * `node test/soak/changes.ts [--source postgres|mariadb|redis] [--minutes 5] [--seed 1]`
 */

const DATABASES = { postgres: postgresDatabase, mariadb: mariadbDatabase, redis: streamDatabase };

const { values } = parseArgs({
  options: {
    source: { type: 'string', default: 'postgres' },
    minutes: { type: 'string', default: '5' },
    seed: { type: 'string', default: String(Date.now() % 100_000) },
  },
});
const make = DATABASES[values.source as keyof typeof DATABASES];
if (make === undefined) {
  console.error(`--source is one of ${Object.keys(DATABASES).join(', ')}`);
  process.exit(2);
}
console.log(`${values.source}, ${values.minutes} minutes, seed ${values.seed}`);
const database = await make();
try {
  const began = performance.now();
  const say = (line: string) =>
    console.log(`${((performance.now() - began) / 1000).toFixed(1).padStart(6)} s  ${line}`);
  const seconds = Number(values.minutes) * 60;
  const { workload, summary } = await chaos(database, { seconds, seed: Number(values.seed), say });
  for (const line of workload.stale.slice(0, 20)) console.log(`STALE: ${line}`);
  console.log(summary);
  process.exitCode = workload.stale.length === 0 ? 0 : 1;
} finally {
  await database.close();
}
