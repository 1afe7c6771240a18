import { setTimeout as pause } from 'node:timers/promises';
import {
  type RedisServer,
  redisServer,
  type SeededRandom,
  seededRandom,
} from '../../../src/testkit/index.ts';
import type { FollowedDatabase } from './databases.ts';
import { type DeployedNode, Deployment } from './deployment.ts';
import { Workload } from './workload.ts';

export interface ChaosResult {
  readonly workload: Workload;
  /** What was broken, in its order. */
  readonly done: string[];
  readonly summary: string;
}

type Breakage = (parts: Broken) => Promise<void>;

interface Broken {
  readonly nodes: readonly DeployedNode[];
  readonly redis: RedisServer;
  readonly database: FollowedDatabase;
  readonly random: SeededRandom;
}

const BREAKAGES: Readonly<Record<string, Breakage>> = {
  'SIGKILL of a node': async ({ nodes, random }) => {
    const node = random.pick(nodes);
    await node.kill();
    await pause(200 + random.below(2500));
    await node.start();
  },
  'SIGSTOP of a worker': async ({ nodes, random }) => {
    const workers = random.pick(nodes).workers();
    if (workers.length === 0) return;
    const pid = random.pick(workers);
    process.kill(pid, 'SIGSTOP');
    await pause(300 + random.below(4000));
    process.kill(pid, 'SIGCONT');
  },
  'SIGSTOP of a supervisor': async ({ nodes, random }) => {
    const node = random.pick(nodes);
    node.signal('SIGSTOP');
    await pause(300 + random.below(4000));
    node.signal('SIGCONT');
  },
  "the reader's connection is cut": async ({ database }) => await database.cut(),
  'Redis dies, and has lost all': async ({ redis, random }) => {
    await redis.kill();
    await pause(random.below(2000));
    await redis.restart({ data: 'none' });
  },
  'Redis dies, and comes back as it was some time ago': async ({ redis, random }) => {
    await redis.save();
    await pause(500);
    await redis.kill();
    await pause(random.below(1000));
    await redis.start();
  },
  'the database dies': async ({ database }) => await database.restart('crash'),
  'the database restarts': async ({ database }) => await database.restart('stop'),
  'the mapping changes on one node, then on the others': async ({ nodes, random }) => {
    const mapping = nodes[0]!.mapping === 'item' ? 'thing' : 'item';
    for (const node of random.below(2) === 0 ? nodes : nodes.toReversed()) {
      node.configure(mapping);
      await pause(1000 + random.below(2000));
    }
  },
};

/** Nodes that follow a database, under load, while one thing after the other breaks. */
export async function chaos(
  database: FollowedDatabase,
  { seconds, seed, say = () => {} }: { seconds: number; seed: number; say?: (line: string) => void },
): Promise<ChaosResult> {
  await using redis = await redisServer();
  await using deployment = await Deployment.start({ database, redis: redis.url });
  const { nodes } = deployment;
  const random = seededRandom(seed);
  await Promise.all(nodes.map((node) => node.ready()));
  const workload = new Workload(database, nodes, seed);
  const until = performance.now() + seconds * 1000;
  workload.start();
  const done: string[] = [];
  const names = Object.keys(BREAKAGES);
  // Each once in an order of chance, then again.
  let bag: string[] = [];
  while (performance.now() < until) {
    if (bag.length === 0) bag = random.shuffle(names);
    const name = bag.pop()!;
    done.push(name);
    say(name);
    await BREAKAGES[name]!({ nodes, redis, database, random });
    await pause(300 + random.below(1500));
    say(workload.summary());
  }
  await Promise.all(nodes.map((node) => node.ready()));
  await workload.stop();
  await workload.settle();
  return { workload, done, summary: workload.summary() };
}
