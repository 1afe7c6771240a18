import {
  AckPolicy,
  DeliverPolicy,
  type JetStreamManager,
  jetstream,
  jetstreamManager,
} from '@nats-io/jetstream';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { postgresEvent } from '../../src/changes/debezium/fixtures.ts';
import type { Source, SourceParts } from '../../src/changes/index.ts';
import { createNatsSource } from '../../src/changes/nats/index.ts';
import { type NatsTestServer, natsServer, skippedWithout, until } from '../../src/testkit/index.ts';
import { partsFor, Recording, RecordingMemory } from './recording.ts';
import { dies, writing } from './writing.ts';

const STREAM = 'DebeziumStream';
const DURABLE = 'tidegate';
const SUBJECT = 'shop.public.orders';
const TABLES = { 'public.orders': ['order:{row.id}'], 'public.items': ['item:{row.id}'] };
const DROPPED = 'the stream dropped messages by its limits before they were delivered';
const NOT_APPLIED =
  'messages were delivered to a reader that has ended, and dropped by a limit of the stream before they came again';
const skip = skippedWithout('NATS', 'nats-server');
if (skip !== '') console.log(`NATS source: ${skip}`);

describe.skipIf(skip !== '')('a NATS JetStream', () => {
  let server: NatsTestServer;
  let connection: NatsConnection;
  let manager: JetStreamManager;
  let sources: Source[];
  let memory: RecordingMemory;

  beforeEach(async () => {
    server = await natsServer();
    connection = await connect({ servers: server.address, maxReconnectAttempts: -1, reconnectTimeWait: 50 });
    manager = await jetstreamManager(connection);
    await makeStream();
    sources = [];
    memory = new RecordingMemory();
  });

  afterEach(async () => {
    await Promise.all(sources.map((source) => source.stop()));
    await connection.close();
    await server.close();
  });

  const makeStream = (more: object = {}) =>
    manager.streams.add({ name: STREAM, subjects: ['shop.>'], ...more });

  function follow(more: Partial<SourceParts> = {}) {
    const sink = new Recording(TABLES);
    const at = { servers: [server.address], user: null, password: null, token: null, tls: false };
    const source = createNatsSource(
      { server: at, stream: STREAM, durable: DURABLE, keys: new Map() },
      partsFor(sink, { memory, ...more }),
    );
    source.start();
    sources.push(source);
    return { sink, source };
  }

  async function streaming(sink: Recording): Promise<void> {
    await until(() => sink.status === 'streaming' && sink.opened > 0, 'the source to stream');
  }

  const event = (id: number, table = 'orders') => JSON.stringify(postgresEvent('c', null, { id }, { table }));
  const publish = (id: number, subject = SUBJECT) =>
    jetstream(connection).publish(subject, event(id, subject === SUBJECT ? 'orders' : 'items'), {
      timeout: 1000,
    });
  /** No reader waits for messages any more: none is delivered to one that has ended. */
  const unattended = () =>
    until(
      async () => (await manager.consumers.info(STREAM, DURABLE)).num_waiting === 0,
      'the reader to be gone',
    );
  /** Of each subject. */
  const oneIsKept = () => manager.streams.update(STREAM, { max_msgs_per_subject: 1 });
  /** An item and an order, by a reader that then ends. */
  async function twoAreRead(): Promise<void> {
    const { sink, source } = follow();
    await streaming(sink);
    await publish(1, 'shop.public.items');
    await publish(2);
    await until(() => sink.seen.has('order:2'), 'both');
    await source.stop();
    await unattended();
  }
  /** Two orders, of which the second is delivered to a reader that dies before it is applied. */
  async function oneIsLeft(): Promise<void> {
    const { sink, source } = follow();
    await streaming(sink);
    await publish(1);
    await until(() => sink.seen.has('order:1'), 'the first');
    const release = sink.freeze();
    await publish(2);
    await until(async () => (await unacknowledged()) === 1, 'the second to be delivered');
    const stopped = source.stop();
    release();
    await stopped;
    await unattended();
  }
  const unacknowledged = async () => (await manager.consumers.info(STREAM, DURABLE)).num_ack_pending;

  test('events of all subjects are applied, then acknowledged', async () => {
    const { sink } = follow();
    await streaming(sink);
    let release = () => {};
    sink.hold = new Promise((resolve) => {
      release = resolve;
    });
    await publish(1);
    await publish(2, 'shop.public.items');
    await until(async () => (await unacknowledged()) === 2, 'both to be delivered');
    expect(sink.seen.size).toBe(0);
    release();
    await until(async () => (await unacknowledged()) === 0, 'both to be acknowledged');
    expect([...sink.seen].sort()).toEqual(['item:2', 'order:1']);
    expect(sink.positions.at(-1)).toBe('0/35C68778');
    expect(sink.gaps).toEqual([]);
  });

  test('poison fences its table and is acknowledged: the stream goes on', async () => {
    const { sink } = follow();
    await streaming(sink);
    await jetstream(connection).publish(SUBJECT, '{"op":');
    await until(() => sink.complaints.length === 1, 'the poison');
    await publish(2);
    await until(() => sink.seen.has('order:2'), 'the event after it');
    expect(sink.seen).toContain(sink.mapping.tables.get('public.orders')!.families[0]);
    await until(async () => (await unacknowledged()) === 0, 'all to be acknowledged');
  });

  test('messages that a limit of the stream dropped before they were delivered are a gap', async () => {
    const first = follow();
    await streaming(first.sink);
    await publish(1);
    await until(() => first.sink.seen.has('order:1'), 'the first');
    await first.source.stop();
    await unattended();
    await manager.streams.update(STREAM, { max_msgs: 1 });
    for (const id of [2, 3, 4]) await publish(id);
    const second = follow();
    await until(() => second.sink.seen.has('order:4'), 'what is left');
    expect(second.sink.gaps).toEqual([DROPPED]);
    await publish(5);
    await until(() => second.sink.seen.has('order:5'), 'what comes after');
    expect(second.sink.gaps).toHaveLength(1);
  });

  test('messages that a limit for each subject dropped from between are a gap', async () => {
    await oneIsKept();
    await twoAreRead();
    await publish(3, 'shop.public.items');
    for (const id of [4, 5]) await publish(id);
    const second = follow();
    await until(() => second.sink.seen.has('order:5'), 'the last');
    await until(() => second.sink.gaps.includes(DROPPED), 'the gap');
  });

  test('messages that such a limit dropped while nobody read are one, though older ones are still there', async () => {
    await oneIsKept();
    await twoAreRead();
    for (const id of [3, 4]) await publish(id);
    const second = follow();
    await until(() => second.sink.gaps.includes(DROPPED), 'the gap');
  });

  test('until what a reader that died had got has come again, no later position is said to be applied', async () => {
    await oneIsLeft();
    const { sink } = follow();
    await streaming(sink);
    await publish(3);
    await until(() => sink.seen.has('order:3'), 'what comes after');
    expect(sink.positions).toEqual(['']);
    await until(() => sink.seen.has('order:2'), 'it to come again', 15_000);
    await until(async () => {
      await publish(4);
      return sink.positions.at(-1) !== '';
    }, 'a position');
    expect(sink.gaps).toEqual([]);
  }, 30_000);

  describe.each(['max_msgs_per_subject', 'max_msgs'])('where %s drops messages', (limit) => {
    beforeEach(() => manager.streams.update(STREAM, { [limit]: 1 }));

    test('what was delivered to a reader that died, and dropped before it came again, is a gap', async () => {
      await oneIsLeft();
      await publish(3);
      const second = follow();
      await until(() => second.sink.seen.has('order:3'), 'what comes after');
      expect(second.sink.gaps).toEqual([NOT_APPLIED]);
    });

    test('what was applied by a reader that ended, and dropped since, is none', async () => {
      const first = follow();
      await streaming(first.sink);
      for (const id of [1, 2, 3]) await publish(id);
      await until(() => first.sink.seen.has('order:3'), 'the last');
      await first.source.stop();
      await unattended();
      const second = follow();
      await streaming(second.sink);
      await publish(4);
      await until(() => second.sink.seen.has('order:4'), 'what comes after');
      expect(second.sink.gaps).toEqual([]);
    });
  });

  test('a stream that is made anew, or whose durable is deleted, is a gap, and is followed on', async () => {
    const { sink } = follow();
    await streaming(sink);
    await publish(1);
    await until(() => sink.seen.has('order:1'), 'the first');
    await manager.consumers.delete(STREAM, DURABLE);
    await until(() => sink.gaps.length === 1 && sink.status === 'streaming', 'the gap', 8000);
    await publish(2);
    await until(() => sink.seen.has('order:2'), 'what comes after');
    await manager.streams.delete(STREAM);
    await until(
      () => sink.states.some(({ error }) => error?.includes('create-stream=true')),
      'the advice',
      8000,
    );
    await makeStream();
    await until(() => sink.gaps.length >= 2 && sink.status === 'streaming', 'the second gap', 8000);
    await publish(3);
    await until(() => sink.seen.has('order:3'), 'what comes after');
  }, 40_000);

  test('a durable that was made anew while nobody read is a gap', async () => {
    await twoAreRead();
    await publish(3);
    await manager.consumers.delete(STREAM, DURABLE);
    await manager.consumers.add(STREAM, {
      durable_name: DURABLE,
      ack_policy: AckPolicy.Explicit,
      deliver_policy: DeliverPolicy.New,
    });
    const { sink } = follow();
    await streaming(sink);
    expect(sink.gaps).toEqual([`the stream "${STREAM}", or its durable "${DURABLE}", was made anew`]);
  });

  test.each([
    [{ ack_policy: AckPolicy.None }, 'acknowledges by "none"'],
    [{ deliver_subject: 'elsewhere' }, 'is pushed to a subject'],
    [{ max_deliver: 1 }, 'gives a message up after 1 deliveries (max_deliver)'],
    [{ filter_subject: SUBJECT }, `takes only a part of the stream (${SUBJECT})`],
  ])('a durable that loses or leaves out messages is not read by: %o', async (config, fault) => {
    await manager.consumers.add(STREAM, { durable_name: DURABLE, ack_policy: AckPolicy.Explicit, ...config });
    const { sink } = follow();
    const told = `the durable "${DURABLE}" ${fault}: delete it`;
    await until(() => sink.states.some(({ error }) => error?.startsWith(told)), 'it to be told');
    expect(sink.opened).toBe(0);
    await manager.consumers.delete(STREAM, DURABLE);
    await streaming(sink);
  });

  test.each([
    [false, 'went elsewhere'],
    [true, 'to another gateway'],
  ])(
    'a node whose durable is read by another gateway fences all that it misses (Redis: %s)',
    async (shared, told) => {
      const { sink } = follow({ shared });
      await streaming(sink);
      const other = follow();
      await streaming(other.sink);
      for (let id = 1; id <= 200; id++) await publish(id);
      await until(() => sink.gaps.length > 0, 'it to be noticed');
      expect(sink.gaps[0]).toContain(told);
    },
  );

  test('with SIGKILL of NATS and of readers under load, no event is lost', async () => {
    let { sink, source } = follow();
    await streaming(sink);
    const seen = new Set<string>();
    const writes = writing(publish, 5, 20_000);
    const { sent, many } = writes;
    for (let round = 0; round < 2; round++) {
      await many(300);
      for (const tag of await dies({ sink, source }, writes)) seen.add(tag);
      sources.pop();
      ({ sink, source } = follow());
      await many(200);
      await server.kill();
      await server.start();
      await many(200);
      await server.shutdown();
      await server.start();
      await many(100);
    }
    await writes.stop();
    const missing = () => sent.filter((id) => !seen.has(`order:${id}`) && !sink.seen.has(`order:${id}`));
    await until(() => missing().length === 0, 'all of them', 25_000).catch(() => {});
    console.log(
      `NATS: ${sent.length} events, ${missing().length} lost, 2 SIGKILLs and 2 stops of NATS, 2 of readers`,
    );
    expect(missing()).toEqual([]);
    expect(sink.gaps.filter((why) => !why.includes('a reader that is gone'))).toEqual([]);
  }, 90_000);
});
