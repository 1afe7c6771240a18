import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { keyspaceFor, RedisSequence } from '../../../src/cache/redis/index.ts';
import type { Note, NoteHearer } from '../../../src/cache/sequence/index.ts';
import { Superseded } from '../../../src/cache/sequence/index.ts';
import type { RedisConfig } from '../../../src/redis/index.ts';
import {
  noRedis,
  type RedisCluster,
  type RedisServer,
  redisCluster,
  redisServer,
  until,
} from '../../../src/testkit/index.ts';
import { systemClock } from '../../../src/util/clock.ts';
import { systemRandom } from '../../../src/util/random.ts';
import { configFor, linkTo, PATIENT, purge } from './stage.ts';

/** A node that hears what is told beside invalidations. */
class Hearer implements NoteHearer {
  readonly sequence: RedisSequence;
  /** What it has heard, with how many invalidations it had applied by then. */
  readonly heard: { standing: string; event: string | null; after: number }[] = [];
  readonly stands: (ReadonlyMap<string, string> | null)[] = [];
  private applied = 0;

  constructor(config: RedisConfig) {
    const { link } = linkTo(config);
    this.sequence = new RedisSequence(link, {
      clock: systemClock,
      random: systemRandom,
      log: { info() {}, warn() {}, error() {} } as never,
      keys: keyspaceFor('tidegate', config.kind),
      timeout: PATIENT,
      holders: {
        apply: async () => void this.applied++,
        raiseFloor: async () => {},
        synced: () => {},
        notes: this,
      },
    });
  }

  foretold(): void {}

  noted(notes: readonly Note[]): void {
    for (const { standing, event } of notes) this.heard.push({ standing, event, after: this.applied });
  }

  standing(all: ReadonlyMap<string, string> | null): void {
    this.stands.push(all);
  }

  async ready(): Promise<void> {
    await until(() => this.sequence.state().connected === true, 'the node to be connected', 15_000);
    await until(() => this.stands.at(-1) instanceof Map, 'it to know what stands', 15_000);
  }
}

const note = (author: string, standing: string, event: string | null = null): Note => ({
  topic: 'shop',
  author,
  standing,
  event,
});

const PLACES = [
  { name: 'one server', make: () => redisServer() },
  { name: 'a cluster', make: () => redisCluster() },
] as const;

describe.skipIf(noRedis()).each(PLACES)('what is told through the log of $name', ({ make }) => {
  let server: RedisServer | RedisCluster;
  let config: RedisConfig;
  const hearers: Hearer[] = [];

  beforeAll(async () => {
    server = await make();
    config =
      'port' in server
        ? configFor(server.port, { commandTimeout: PATIENT })
        : configFor(server.servers[0]!.port, { kind: 'cluster', commandTimeout: PATIENT });
  }, 60_000);
  afterEach(async () => {
    await Promise.all(hearers.splice(0).map((hearer) => hearer.sequence.close()));
  });
  afterAll(() => server?.close());

  async function hearer(): Promise<Hearer> {
    const one = new Hearer(config);
    hearers.push(one);
    await one.ready();
    return one;
  }

  test('a note is heard by every node, behind the fences that it came with', async () => {
    const [one, other] = [await hearer(), await hearer()];
    expect((await one.sequence.seats.take('shop', 'a', { ms: 60_000, force: true })).mine).toBe('new');
    await one.sequence.invalidate(purge({ tags: ['x'] }), [note('a', 'S1', 'E1')]);
    await until(() => other.heard.length === 1, 'the note');
    expect(other.heard[0]).toMatchObject({ standing: 'S1', event: 'E1' });
    expect(other.heard[0]!.after).toBeGreaterThan(0);
    expect(one.heard).toHaveLength(1);
    const late = await hearer();
    expect(late.stands.at(-1)?.get('shop')).toBe('S1');
  });

  test('who has lost its seat tells and fences nothing; what went with it in one write is done', async () => {
    const one = await hearer();
    await one.sequence.seats.take('shop', 'b', { ms: 60_000, force: true });
    const [refused, done] = await Promise.allSettled([
      one.sequence.invalidate(purge({ tags: ['y'] }), [note('a', 'S2')]),
      one.sequence.invalidate(purge({ tags: ['z'] })),
    ]);
    expect(refused).toMatchObject({ status: 'rejected', reason: expect.any(Superseded) });
    expect(done.status).toBe('fulfilled');
    expect(one.heard).toEqual([]);
  });

  test('a seat is taken by one, renewed by it, and free once it is left or its time is over', async () => {
    const { seats } = (await hearer()).sequence;
    const take = (author: string, ms = 60_000) => seats.take('stock', author, { ms });
    expect(await take('a')).toMatchObject({ mine: 'new', standing: null });
    expect((await take('b')).mine).toBe(false);
    expect(await take('a')).toMatchObject({ wanted: true });
    await seats.leave('stock', 'b');
    expect((await take('b')).mine).toBe(false);
    await seats.leave('stock', 'a');
    expect((await take('b', 50)).mine).toBe('new');
    await until(async () => (await take('c')).mine === 'new', 'its time to be over');
  });
});
