import { Admin, Consumer, Producer } from '@platformatic/kafka';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { postgresEvent } from '../../src/changes/debezium/fixtures.ts';
import type { Source, SourceParts } from '../../src/changes/index.ts';
import { createKafkaSource } from '../../src/changes/kafka/index.ts';
import { type KafkaTestServer, kafkaLibraries, kafkaServer, until } from '../../src/testkit/index.ts';
import { systemClock } from '../../src/util/clock.ts';
import { partsFor, Recording, RecordingMemory } from './recording.ts';
import { dies, writing } from './writing.ts';

const TABLES = { 'public.orders': ['order:{row.id}'] };
const libs = kafkaLibraries();
if (libs === null)
  console.log('Kafka source: skipped: no Java 17 with Maven (or TIDEGATE_KAFKA_LIBS) on this machine');

describe.skipIf(libs === null)('Kafka', () => {
  let server: KafkaTestServer;
  let producer: Producer;
  let topic: string;
  let sources: Source[];
  let memory: RecordingMemory;
  let count = 0;

  beforeAll(async () => {
    server = await kafkaServer(libs!);
    producer = new Producer({
      clientId: 'test',
      bootstrapBrokers: [server.address],
      retries: 0,
      timeout: 2000,
    });
  }, 120_000);

  beforeEach(async () => {
    topic = `shop${++count}.public.orders`;
    sources = [];
    memory = new RecordingMemory();
    await makeTopic();
  });

  afterEach(async () => {
    await Promise.all(sources.map((source) => source.stop()));
  });

  afterAll(async () => {
    await producer?.close(true).catch(() => {});
    await server?.close();
  });

  async function administer<T>(act: (admin: Admin) => Promise<T>): Promise<T> {
    const admin = new Admin({
      clientId: 'admin',
      bootstrapBrokers: [server.address],
      retries: 20,
      retryDelay: 200,
    });
    try {
      return await act(admin);
    } finally {
      await admin.close();
    }
  }
  const makeTopic = () =>
    administer((admin) => admin.createTopics({ topics: [topic], partitions: 2, replicas: 1 }));
  const deleteTopic = () => administer((admin) => admin.deleteTopics({ topics: [topic] }));

  function follow(more: Partial<SourceParts> = {}) {
    const sink = new Recording(TABLES);
    const config = {
      brokers: [server.address],
      topics: [topic],
      group: `group-${topic}`,
      tls: false,
      sasl: null,
    };
    const source = createKafkaSource(config, partsFor(sink, more));
    source.start();
    sources.push(source);
    return { sink, source };
  }

  async function streaming(sink: Recording): Promise<void> {
    const isStreaming = until(
      () => sink.status === 'streaming' && sink.opened > 0,
      'the source to stream',
      20_000,
    );
    await isStreaming.catch((error) =>
      Promise.reject(new Error(`${error.message}: ${JSON.stringify(sink.states)}`)),
    );
  }

  const event = (id: number) => JSON.stringify(postgresEvent('c', null, { id }));
  async function send(id: number, value = event(id), partition = id % 2): Promise<bigint> {
    const message = { topic, partition, key: Buffer.from(`{"id":${id}}`), value: Buffer.from(value) };
    const { offsets } = await producer.send({ messages: [message], acks: -1 });
    return offsets![0]!.offset;
  }
  /** Once the producer knows of a change of the topic. */
  const written = (id: number, partition = id % 2) =>
    until(
      () =>
        send(id, event(id), partition).then(
          () => true,
          () => false,
        ),
      'the topic to take it',
      20_000,
    );

  test('records are applied; the position is that of each partition', async () => {
    const { sink } = follow();
    await streaming(sink);
    await send(2);
    const offset = await send(1);
    await until(() => sink.seen.has('order:1') && sink.seen.has('order:2'), 'both');
    expect(sink.positions.at(-1)).toContain(`${topic}/1@${offset}`);
    await send(4, '{"op":');
    await until(() => sink.complaints.length === 1, 'the poison');
    await send(6);
    await until(() => sink.seen.has('order:6'), 'the record after the poison');
    expect(sink.gaps).toEqual([]);
  }, 60_000);

  test('what was not applied before a stop comes again; what was applied does not', async () => {
    const first = follow();
    await streaming(first.sink);
    await send(1);
    await until(() => first.sink.seen.has('order:1'), 'the first');
    await new Promise((resolve) => setTimeout(resolve, 400));
    await first.source.stop();
    await send(2);
    const second = follow();
    await until(() => second.sink.seen.has('order:2'), 'the second', 20_000);
    expect(second.sink.seen.has('order:1')).toBe(false);
    // What the first had applied is known to be, though nothing new comes of its partition.
    expect(second.sink.positions[0]).toBe(`${topic}/1@0`);
    expect(second.sink.positions.at(-1)!.split(',').sort()).toEqual([`${topic}/0@0`, `${topic}/1@0`]);
    expect(second.sink.gaps).toEqual([]);
  }, 60_000);

  test('records that were deleted before they were read are a gap', async () => {
    const first = follow();
    await streaming(first.sink);
    await send(2);
    await until(() => first.sink.seen.has('order:2'), 'the first');
    await new Promise((resolve) => setTimeout(resolve, 400));
    await first.source.stop();
    await send(4);
    await send(6);
    await administer((admin) =>
      admin.deleteRecords({ topics: [{ name: topic, partitions: [{ partition: 0, offset: 2n }] }] }),
    );
    const dying = follow();
    let found = false;
    dying.sink.lost = () => {
      found = true;
      return Promise.reject(new Error('the node has died'));
    };
    await until(() => found, 'the gap to be found', 20_000);
    await dying.source.stop();
    const second = follow();
    await until(() => second.sink.seen.has('order:6'), 'what is left', 20_000);
    expect(second.sink.gaps).toEqual([`records of ${topic}/0 were deleted before they were read`]);
  }, 60_000);

  test('a reader that ended before it followed a group that was new leaves a gap to the next', async () => {
    const dying = follow({ memory });
    let opening = false;
    dying.sink.open = () => {
      opening = true;
      return Promise.reject(new Error('the node has died'));
    };
    await until(() => opening, 'the group to have its place', 20_000);
    await dying.source.stop();
    const next = follow({ memory });
    await streaming(next.sink);
    expect(next.sink.gaps).toHaveLength(1);
    await next.source.stop();
    const last = follow({ memory });
    await streaming(last.sink);
    expect(last.sink.gaps).toEqual([]);
  }, 60_000);

  test('partitions that a topic is given are read, too', async () => {
    const { sink } = follow();
    await streaming(sink);
    await administer((admin) =>
      admin.createPartitions({ topics: [{ name: topic, count: 3, assignments: [{ brokerIds: [1] }] }] }),
    );
    await written(5, 2);
    await until(() => sink.seen.has('order:5'), 'what stands in it', 20_000);
    expect(sink.gaps).toEqual([]);
  }, 60_000);

  describe('a topic that is made anew is a gap, and read from its beginning', () => {
    const ANEW = () => `${topic} was made anew: what it held before may not have been read`;

    test('while it is read', async () => {
      const { sink } = follow();
      await streaming(sink);
      for (const id of [1, 2, 3]) await send(id);
      await until(() => sink.seen.has('order:3'), 'the last');
      await deleteTopic();
      await makeTopic();
      await written(5);
      await until(() => sink.seen.has('order:5'), 'what stands in it', 20_000);
      expect(sink.gaps[0]).toBe(ANEW());
      expect(sink.positions.at(-1)).toBe(`${topic}/1@0`);
    }, 60_000);

    test('while nobody reads', async () => {
      const first = follow({ memory });
      await streaming(first.sink);
      await first.source.stop();
      await deleteTopic();
      await makeTopic();
      const second = follow({ memory });
      await streaming(second.sink);
      expect(second.sink.gaps).toEqual([ANEW()]);
    }, 60_000);
  });

  test('behind the mark of a transaction nothing is left to apply', async () => {
    const { sink } = follow({ bounded: true });
    await streaming(sink);
    const writer = new Producer({
      clientId: 'transactions',
      bootstrapBrokers: [server.address],
      idempotent: true,
      transactionalId: topic,
    });
    const transaction = await writer.beginTransaction();
    await transaction.send({
      messages: [{ topic, partition: 0, key: Buffer.from('{"id":1}'), value: Buffer.from(event(1)) }],
    });
    await transaction.commit();
    await until(() => sink.seen.has('order:1'), 'the record', 10_000);
    const { heard } = sink;
    await until(() => sink.heard > heard, 'it to say so', 10_000);
    await writer.close(true);
  }, 60_000);

  test('a node alone in a group that another member shares follows nothing, and says so', async () => {
    const alone = follow({ shared: false });
    await streaming(alone.sink);
    const other = follow();
    await streaming(other.sink);
    await until(() => alone.sink.closings.length > 0, 'it to be noticed', 20_000);
    expect(alone.sink.closings[0]).toContain('another member of the group');
  }, 60_000);

  test('so does one of several that share Redis, where the other member stays', async () => {
    let ahead = 0;
    const clock = { ...systemClock, now: () => systemClock.now() + ahead };
    const { sink } = follow({ clock });
    await streaming(sink);
    const other = follow();
    await streaming(other.sink);
    const writes = writing((id) => send(id), 50, 20_000);
    await until(() => other.sink.seen.size > 0, 'the other to get its share', 20_000);
    await writes.many(500);
    await writes.stop();
    // One of them has only the last partition: it reads on like the other.
    for (const { states } of [sink, other.sink]) expect(states.filter(({ error }) => error)).toEqual([]);
    await until(
      () => {
        ahead += 200;
        return sink.closings.length > 0;
      },
      'it to be noticed',
      20_000,
    );
    expect(sink.closings[0]).toContain('shares neither cache.redis nor its prefix');
    await other.source.stop();
    await until(() => sink.opened === 2, 'it to have all again', 20_000);
  }, 100_000);

  test('who is stopped while the group is shared out anew takes nothing else down', async () => {
    const { sink, source } = follow();
    await streaming(sink);
    const joins = { sessionTimeout: 30_000, rebalanceTimeout: 30_000, heartbeatInterval: 29_000 };
    const silent = new Consumer({
      clientId: 'silent',
      groupId: `group-${topic}`,
      bootstrapBrokers: [server.address],
      ...joins,
    });
    silent.topics.track(topic);
    await silent.joinGroup({});
    const other = follow();
    const state = () => administer((admin) => admin.describeGroups({ groups: [`group-${topic}`] }));
    const sharing = async () => [...(await state()).values()][0]!.state === 'PreparingRebalance';
    await until(sharing, 'the group to be shared out', 10_000);
    // Longer than a heartbeat: the first now waits for the silent one, too.
    await new Promise((resolve) => setTimeout(resolve, 2000));
    await Promise.all([source.stop(), other.source.stop()]);
    await silent.close(true);
    // What a client says once nobody follows it: an error that nobody hears fails the run.
    await new Promise((resolve) => setTimeout(resolve, 500));
  }, 60_000);

  test('with SIGKILL of the broker and of readers under load, no event is lost', async () => {
    let { sink, source } = follow();
    await streaming(sink);
    const seen = new Set<string>();
    const writes = writing((id) => send(id), 50, 40_000);
    const { sent, many } = writes;
    await many(200);
    for (const tag of await dies({ sink, source }, writes)) seen.add(tag);
    sources.pop();
    ({ sink, source } = follow());
    await many(200);
    await server.kill();
    await server.start();
    await many(200);
    await writes.stop();
    const missing = () => sent.filter((id) => !seen.has(`order:${id}`) && !sink.seen.has(`order:${id}`));
    await until(() => missing().length === 0, 'all of them', 60_000).catch(() => {});
    console.log(
      `Kafka: ${sent.length} events, ${missing().length} lost, 1 SIGKILL of the broker, 1 of a reader`,
    );
    expect(missing()).toEqual([]);
  }, 180_000);
});
