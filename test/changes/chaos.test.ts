import { afterEach, describe, expect, test } from 'vitest';
import { noRedis, skippedWithout } from '../../src/testkit/index.ts';
import { chaos } from './chaos/chaos.ts';
import {
  type FollowedDatabase,
  mariadbDatabase,
  postgresDatabase,
  streamDatabase,
} from './chaos/databases.ts';

/** For longer: `node test/soak/changes.ts`. */
const KINDS = [
  { name: 'PostgreSQL', make: () => postgresDatabase(), seconds: 30, without: '' },
  {
    name: 'MariaDB',
    make: mariadbDatabase,
    seconds: 10,
    without: skippedWithout('MariaDB', 'mariadbd', 'mysqld'),
  },
  { name: 'Redis Streams', make: streamDatabase, seconds: 10, without: '' },
];

describe.skipIf(noRedis())('two nodes of two workers that follow a database', () => {
  let database: FollowedDatabase | null = null;
  afterEach(async () => {
    await database?.close();
    database = null;
  });

  for (const { name, make, seconds, without } of KINDS) {
    test.skipIf(without !== '')(
      `${name}: answer nothing that is older than an applied change, whatever dies`,
      async () => {
        const seed = Date.now() % 100_000;
        database = await make();
        const { workload, done, summary } = await chaos(database, { seconds, seed });
        console.log(`${name}, seed ${seed}: ${summary}`);
        expect(workload.stale, `seed ${seed}, after ${done.join('; ')}`).toEqual([]);
        expect(workload.writes).toBeGreaterThan(20);
        expect(workload.hits).toBeGreaterThan(100);
        expect(workload.after.reached).toBeGreaterThan(0);
      },
      180_000,
    );
  }
});
