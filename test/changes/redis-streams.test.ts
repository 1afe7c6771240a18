import { Redis } from 'ioredis';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { postgresEvent } from '../../src/changes/debezium/fixtures.ts';
import type { Source, SourceParts } from '../../src/changes/index.ts';
import { createRedisSource } from '../../src/changes/redis/index.ts';
import { type RedisServer, redisServer, until } from '../../src/testkit/index.ts';
import { partsFor, Recording, RecordingMemory } from './recording.ts';
import { dies, writing } from './writing.ts';

const STREAM = 'shop.public.orders';
const OTHER = 'shop.public.items';
const GROUP = 'tidegate';
const TABLES = { 'public.orders': ['order:{row.id}'], 'public.items': ['item:{row.id}'] };

let server: RedisServer;
let client: Redis;
let sources: Source[];

beforeEach(async () => {
  server = await redisServer({ appendonly: 'yes', appendfsync: 'always' });
  client = new Redis({ port: server.port, host: '127.0.0.1', maxRetriesPerRequest: null });
  client.on('error', () => {});
  sources = [];
});

afterEach(async () => {
  await Promise.all(sources.map((source) => source.stop()));
  client.disconnect();
  await server.close();
});

function follow(more: Partial<SourceParts> = {}) {
  const sink = new Recording(TABLES);
  const endpoint = { host: '127.0.0.1', port: server.port, username: null, password: null, database: 0 };
  const redis = {
    kind: 'single' as const,
    endpoints: [endpoint],
    name: null,
    commandTimeout: 100,
    tls: null,
  };
  const source = createRedisSource({ redis, streams: [STREAM, OTHER], group: GROUP }, partsFor(sink, more));
  source.start();
  sources.push(source);
  return { sink, source };
}

async function streaming(sink: Recording): Promise<void> {
  await until(() => sink.status === 'streaming' && sink.opened > 0, 'the source to stream');
}

const event = (id: number | bigint, table = 'orders') =>
  JSON.stringify(postgresEvent('c', null, { id: Number(id) }, { table }));
const add = (id: number, stream = STREAM) =>
  client.xadd(stream, '*', JSON.stringify({ id }), event(id, stream === STREAM ? 'orders' : 'items'));
const pending = async () => ((await client.xpending(STREAM, GROUP)) as [number])[0];

test('both formats of Debezium, and the record that follows a delete', async () => {
  const { sink } = follow();
  await streaming(sink);
  await add(1);
  await client.xadd(
    STREAM,
    '*',
    'key',
    '{"id":2}',
    'value',
    event(2),
    '__DEBEZIUM.CONTEXT.CONNECTORNAME',
    'x',
  );
  await client.xadd(STREAM, '*', '{"id":1}', 'default');
  await add(3, OTHER);
  await until(() => sink.seen.has('item:3') && sink.seen.has('order:2'), 'the changes');
  expect([...sink.seen].sort()).toEqual(['item:3', 'order:1', 'order:2']);
  await until(async () => (await pending()) === 0, 'all to be acknowledged');
  expect(sink.gaps).toEqual([]);
  expect(sink.positions.at(-1)).toBe('0/35C68778');
});

test('an entry is acknowledged only after it was applied', async () => {
  const { sink } = follow();
  await streaming(sink);
  let release = () => {};
  sink.hold = new Promise((resolve) => {
    release = resolve;
  });
  await add(1);
  await until(async () => (await pending()) === 1, 'the entry to be delivered');
  expect(sink.seen.size).toBe(0);
  release();
  await until(async () => (await pending()) === 0, 'the entry to be acknowledged');
  expect(sink.seen).toContain('order:1');
});

test('what a dead reader left unacknowledged is applied by the next', async () => {
  const { sink } = follow();
  await streaming(sink);
  await client.xadd(STREAM, '*', '{"id":0}', event(0));
  await until(() => sink.seen.has('order:0'), 'the first');
  await sources.pop()?.stop();
  await add(1);
  await client.xreadgroup('GROUP', GROUP, 'someone', 'COUNT', 10, 'STREAMS', STREAM, '>');
  const next = follow();
  await until(() => next.sink.seen.has('order:1'), 'the entry that was left');
  expect(next.sink.gaps).toEqual([]);
});

test('poison fences its table and is acknowledged: the stream goes on', async () => {
  const { sink } = follow();
  await streaming(sink);
  await client.xadd(STREAM, '*', '{"id":1}', '{"op":');
  await client.xadd(STREAM, '*', 'only', 'two', 'odd', 'fields');
  await until(() => sink.complaints.length === 2, 'the poison to be read');
  await until(async () => (await pending()) === 0, 'it to be acknowledged');
  await add(2);
  await until(() => sink.seen.has('order:2'), 'the entry after the poison');
  expect(sink.complaints).toHaveLength(2);
  for (const family of sink.mapping.tables.get('public.orders')!.families)
    expect(sink.seen).toContain(family);
  for (const family of sink.mapping.tables.get('public.items')!.families)
    expect(sink.seen).not.toContain(family);
  await until(async () => (await pending()) === 0, 'all to be acknowledged');
});

test('a group or stream that was deleted is a gap, and what its successor holds is read from its beginning', async () => {
  const { sink } = follow();
  await streaming(sink);
  await client.multi().del(STREAM).xadd(STREAM, '*', '{"id":5}', event(5)).exec();
  await until(() => sink.seen.has('order:5'), 'the entry of the new stream');
  expect(sink.gaps.length).toBeGreaterThan(0);
  expect(sink.gaps[0]).toContain('consumer group');
});

test('entries that were trimmed before they were acknowledged are a gap', async () => {
  await client.xgroup('CREATE', STREAM, GROUP, '$', 'MKSTREAM');
  await add(1);
  await client.xreadgroup('GROUP', GROUP, 'someone', 'COUNT', 10, 'STREAMS', STREAM, '>');
  await client.xtrim(STREAM, 'MAXLEN', 0);
  const { sink } = follow();
  await streaming(sink);
  await until(() => sink.gaps.length > 0, 'the gap');
  expect(sink.gaps).toEqual(['entries were trimmed before they were acknowledged']);
  await until(async () => (await pending()) === 0, 'it to be acknowledged');
});

test('they are one for the next reader, too, where the one that found them died over it', async () => {
  await client.xgroup('CREATE', STREAM, GROUP, '$', 'MKSTREAM');
  await add(1);
  await client.xreadgroup('GROUP', GROUP, 'someone', 'COUNT', 10, 'STREAMS', STREAM, '>');
  await client.xtrim(STREAM, 'MAXLEN', 0);
  const memory = new RecordingMemory();
  const dying = follow({ memory });
  let found = false;
  dying.sink.lost = () => {
    found = true;
    return Promise.reject(new Error('the node has died'));
  };
  await until(() => found, 'them to be found');
  await dying.source.stop();
  const { sink } = follow({ memory });
  await streaming(sink);
  expect(sink.gaps.length).toBeGreaterThan(0);
  await sources.pop()?.stop();
  const next = follow({ memory });
  await streaming(next.sink);
  expect(next.sink.gaps).toEqual([]);
});

test('entries that were trimmed before they were delivered are a gap, told before what follows is applied', async () => {
  const { sink } = follow();
  await streaming(sink);
  await add(1);
  await until(() => sink.seen.has('order:1'), 'the first');
  let gapsAtApply = -1;
  const apply = sink.apply.bind(sink);
  sink.apply = (batch) => {
    gapsAtApply = sink.gaps.length;
    return apply(batch);
  };
  await client
    .multi()
    .xadd(STREAM, '*', 'k', event(2))
    .xadd(STREAM, '*', 'k', event(3))
    .xtrim(STREAM, 'MAXLEN', 1)
    .exec();
  await until(() => sink.seen.has('order:3'), 'the entry after the gap');
  expect(gapsAtApply).toBe(1);
  await client.multi().xadd(STREAM, '*', 'k', event(4)).xtrim(STREAM, 'MAXLEN', 0).exec();
  await until(() => sink.gaps.length === 2, 'a gap at the end of the stream', 3000);
  await add(9);
  await until(() => sink.seen.has('order:9'), 'what comes after');
  expect(sink.gaps).toHaveLength(2);
});

test('one reads a group at a time, and the next takes over within seconds of a death', async () => {
  const first = follow();
  await streaming(first.sink);
  const second = follow();
  await until(
    () => second.sink.states.some(({ error }) => error?.includes('another reader has')),
    'the second to wait',
  );
  await add(1);
  await until(() => first.sink.seen.has('order:1'), 'the first to read');
  expect(second.sink.seen.size).toBe(0);
  const key = (await client.keys('tidegate:reader:*'))[0]!;
  const began = performance.now();
  await first.source.stop();
  await add(2);
  await until(() => second.sink.seen.has('order:2'), 'the second to take over');
  expect(performance.now() - began).toBeLessThan(4000);
  expect(await client.pttl(key)).toBeGreaterThan(0);
});

test('a node alone that finds its group read by another follows nothing, and says so', async () => {
  const first = follow({ shared: false });
  await streaming(first.sink);
  const second = follow({ shared: false });
  await until(() => second.sink.closings.length > 0, 'the second to give up');
  expect(second.sink.closings[0]).toContain('another gateway reads the group "tidegate"');
  expect(second.sink.opened).toBe(0);
});

test('entries that another consumer of the group takes are a gap', async () => {
  const { sink } = follow();
  await streaming(sink);
  await add(1);
  await until(() => sink.seen.has('order:1'), 'the first');
  expect(sink.gaps).toEqual([]);
  // Added and taken in one step: no reader that waits is served in between.
  const taken = await client
    .multi()
    .xadd(STREAM, '*', JSON.stringify({ id: 2 }), event(2, 'orders'))
    .xreadgroup('GROUP', GROUP, 'someone', 'COUNT', 1, 'STREAMS', STREAM, '>')
    .exec();
  expect(taken?.[1]?.[1]).not.toBeNull();
  await until(() => sink.gaps.length > 0, 'the gap', 5000);
  expect(sink.gaps[0]).toContain('another consumer of the group');
});

test('a Redis that was replaced while nobody read is noticed by the next reader, on whichever node', async () => {
  const memory = new RecordingMemory();
  const first = follow({ memory });
  await streaming(first.sink);
  await first.source.stop();
  const second = follow({ memory });
  await streaming(second.sink);
  expect(second.sink.gaps).toEqual([]);
  await second.source.stop();
  await server.restart({ data: 'saved' });
  const third = follow({ memory });
  await streaming(third.sink);
  expect(third.sink.gaps).toEqual(['Redis was restarted or replaced, and may have lost its newest entries']);
});

test('with SIGKILL of Redis and of readers under load, no event is lost', async () => {
  let { sink, source } = follow();
  await streaming(sink);
  const seen = new Set<string>();
  const writes = writing(add, 5, 15_000);
  const { sent, many } = writes;
  for (let round = 0; round < 3; round++) {
    await many(300);
    // A reader that dies in the middle: what it was applying is not acknowledged.
    for (const tag of await dies({ sink, source }, writes)) seen.add(tag);
    sources.pop();
    ({ sink, source } = follow());
    await many(200);
    await server.restart({ data: 'saved' });
    await many(200);
  }
  await writes.stop();
  await until(() => sink.seen.has(`order:${sent.at(-1)}`), 'the last', 15_000);
  await until(async () => (await pending()) === 0, 'all to be acknowledged');
  for (const tag of sink.seen) seen.add(tag);
  const missing = sent.filter((id) => !seen.has(`order:${id}`));
  console.log(
    `Redis Streams: ${sent.length} events, ${missing.length} lost, 3 SIGKILLs of Redis, 3 of readers`,
  );
  expect(missing).toEqual([]);
}, 60_000);
