/** Nodes that open epochs and purge at the same time, on the groups that a cluster has, step by step. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { keyspaceFor } from '../../../src/cache/redis/index.ts';
import type { Message } from '../../../src/cache/redis/message.ts';
import { NotOpen, Writer } from '../../../src/cache/redis/writer.ts';
import type { RedisLink } from '../../../src/redis/index.ts';
import { noRedis, type RedisServer, redisServer, until } from '../../../src/testkit/index.ts';
import { systemRandom } from '../../../src/util/random.ts';
import { configFor, linkTo, Node, PATIENT } from './stage.ts';

const ALL: Message = { tags: [], prefixes: [], all: true, soft: false, floor: null };
const keys = keyspaceFor('tidegate', 'cluster');
const [EPOCH, FLOOR] = ['#1048576', '#1048577'];

describe.skipIf(noRedis())('writers on several groups', () => {
  let redis: RedisServer;
  let links: RedisLink[] = [];
  beforeEach(async () => {
    redis = await redisServer();
  });
  afterEach(async () => {
    for (const link of links) await link.close();
    links = [];
    await redis.close();
  });

  async function link(): Promise<RedisLink> {
    const one = linkTo(configFor(redis.port, { commandTimeout: PATIENT })).link;
    links.push(one);
    await until(() => one.connected, 'the link');
    return one;
  }

  /** A writer whose calls of one function, with so many arguments, wait once it is told to, until they are let go. */
  async function slowWriter(slow: string, count?: number) {
    const one = await link();
    const gate = Promise.withResolvers<void>();
    let waiting = 0;
    let holds = false;
    const held = Object.create(one, {
      call: {
        value: async (...args: Parameters<RedisLink['call']>) => {
          if (holds && args[1] === slow && (count ?? args[3].length) === args[3].length) {
            waiting++;
            await gate.promise;
          }
          return await one.call(...args);
        },
      },
    }) as RedisLink;
    const hold = () => {
      holds = true;
    };
    return { writer: new Writer(held, keys, systemRandom), hold, waiting: () => waiting, go: gate.resolve };
  }

  async function groups(): Promise<{ epoch: number; floor: number }[]> {
    return await Promise.all(
      keys.groups.map(async ({ fences }) => {
        const [epoch, floor] = (await redis.command(
          'BITFIELD_RO',
          fences,
          'GET',
          'i64',
          EPOCH!,
          'GET',
          'i64',
          FLOOR!,
        )) as number[];
        return { epoch: Number(epoch), floor: Number(floor) };
      }),
    );
  }

  it('a purge while another node opens an epoch is fenced in every group', async () => {
    const { writer, hold, waiting, go } = await slowWriter('join');
    await writer.open(0, false);
    hold();
    const opening = writer.open(0, true);
    await until(() => waiting() > 0, 'the epoch to be open in the first group alone');
    const purging = new Writer(await link(), keys, systemRandom);
    const { number } = await purging.purge(ALL);
    go();
    await opening.catch(() => {});
    for (const { floor } of await groups()) expect(floor).toBeGreaterThanOrEqual(number);
  });

  it('of two that open epochs at once the later one stays, in every group', async () => {
    const { writer, hold, waiting, go } = await slowWriter('join');
    await writer.open(0, false);
    hold();
    const opening = writer.open(0, true);
    await until(() => waiting() > 0, 'the first epoch to be open in the first group alone');
    const later = await new Writer(await link(), keys, systemRandom).open(0, true);
    go();
    await expect(opening).rejects.toThrow(NotOpen);
    for (const group of await groups()) expect(group).toEqual({ epoch: later.epoch, floor: later.floor });
    expect((await writer.open(0, false)).epoch).toBe(later.epoch);
  });

  /** As for the groups of a server whose replica takes over; the first, which was found good before, is another's. */
  async function anotherLife(): Promise<void> {
    await redis.command('REPLICAOF', '127.0.0.1', '1');
    await redis.command('REPLICAOF', 'NO', 'ONE');
  }

  it('a purge holds in a group that is lost right behind it, also where a node was just about to join', async () => {
    const { writer, hold, waiting, go } = await slowWriter('join');
    await writer.open(0, false);
    hold();
    const opening = writer.open(0, false);
    await until(() => waiting() > 0, 'the node to join');
    const { number } = await new Writer(await link(), keys, systemRandom).purge(ALL);
    await anotherLife();
    go();
    await opening;
    for (const { floor } of await groups()) expect(floor).toBeGreaterThanOrEqual(number);
  });

  it('a group that is lost once more is not joined from a floor that was given before', async () => {
    const { writer, hold, waiting, go } = await slowWriter('join', 3);
    hold();
    const opening = writer.open(0, false);
    await until(() => waiting() === keys.groups.length - 1, 'floors for all groups');
    const { number } = await new Writer(await link(), keys, systemRandom).purge(ALL);
    await anotherLife();
    go();
    await expect(opening).rejects.toThrow(NotOpen);
    for (const { floor } of await groups()) expect(floor).toBeGreaterThanOrEqual(number);
  });

  it('a node that missed a part of the log drops all that was numbered there, whatever number comes behind it', async () => {
    const { writer, hold, waiting, go } = await slowWriter('commit');
    await writer.open(0, false);
    await using node = new Node(configFor(redis.port, { commandTimeout: PATIENT }), { keys });
    await node.ready();
    const { length } = node.floors;
    hold();
    const purging = writer.purge({ ...ALL, all: false, tags: ['t'] });
    await until(() => waiting() > 0, 'the purge to be numbered');
    // Five others that are numbered after it, told before it, and trimmed before the node has read them; with no
    // heartbeat in between, which would tell the newest number.
    const newest = await redis.command(
      'EVAL',
      `redis.call('XTRIM', KEYS[1], 'MAXLEN', 0)
       local time = redis.call('TIME')
       local now = string.format('%.0f', (time[1] - 1767225600) * 1000000 + time[2])
       redis.call('BITFIELD', KEYS[2], 'INCRBY', 'i64', '#1048581', 5, 'SET', 'i64', '#1048583', now)
       return redis.call('BITFIELD', KEYS[2], 'INCRBY', 'i64', '#1048580', 5 * 4096)[1]`,
      2,
      keys.first.log,
      keys.first.fences,
    );
    go();
    const { number } = await purging;
    await until(() => node.floors.length > length, 'the gap to be seen');
    expect(number).toBeLessThan(Number(newest));
    expect(node.floors[length]).toBeGreaterThanOrEqual(Number(newest));
  });

  it('a purge that was numbered in an epoch that is over is not done in the next one', async () => {
    const { writer, hold, waiting, go } = await slowWriter('commit');
    await writer.open(0, false);
    hold();
    const purging = writer.purge(ALL);
    await until(() => waiting() > 0, 'the purge to be numbered');
    await new Writer(await link(), keys, systemRandom).open(0, true);
    go();
    await expect(purging).rejects.toThrow(NotOpen);
  });
});
