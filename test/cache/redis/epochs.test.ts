/** Nodes that open epochs and purge at the same time, on the groups that a cluster has, step by step. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { keyspaceFor } from '../../../src/cache/redis/index.ts';
import type { Message } from '../../../src/cache/redis/message.ts';
import { NotOpen, Writer } from '../../../src/cache/redis/writer.ts';
import type { RedisLink } from '../../../src/redis/index.ts';
import { noRedis, type RedisServer, redisServer, until } from '../../../src/testkit/index.ts';
import { systemRandom } from '../../../src/util/random.ts';
import { configFor, linkTo, PATIENT } from './stage.ts';

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

  /** A writer whose calls of one function wait, once it is told to, until they are let go. */
  async function slowWriter(slow: string) {
    const one = await link();
    const gate = Promise.withResolvers<void>();
    let waiting = 0;
    let holds = false;
    const held = Object.create(one, {
      call: {
        value: async (...args: Parameters<RedisLink['call']>) => {
          if (holds && args[1] === slow) {
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
