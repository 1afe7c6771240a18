import { describe, expect, test } from 'vitest';
import { partsFor, Recording } from '../../../test/changes/recording.ts';
import { Secret } from '../../util/secret.ts';
import type { PushReply } from '../contract.ts';
import { cloudEvent, heartbeat, mariadbEvent, postgresEvent } from '../debezium/fixtures.ts';
import { createHttpSource } from './source.ts';

const TABLES = {
  'public.orders': ['order:{row.id}', 'customer:{row.customer_id}'],
  'shop.items': ['item:{row.id}'],
};
const order = { id: 7, customer_id: 40 };

function stage(options: { maxBody?: number } = {}) {
  const sink = new Recording(TABLES);
  const config = { token: new Secret('let-me-in'), maxBody: 1 << 20, keys: new Map(), ...options };
  const source = createHttpSource(config, partsFor(sink));
  source.start();
  const post = (body: unknown, headers: Record<string, string> = {}): Promise<PushReply> =>
    source.push!({
      headers: { authorization: 'Bearer let-me-in', 'content-type': 'application/json', ...headers },
      body: Buffer.isBuffer(body)
        ? body
        : Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)),
    });
  return { sink, source, post };
}

const families = ['order:', 'customer:', 'item:'];

describe('posted events', () => {
  test('200 comes once the event is applied, not before', async () => {
    const { sink, post } = stage();
    let release = () => {};
    sink.hold = new Promise((resolve) => {
      release = resolve;
    });
    let answered = false;
    const reply = post(postgresEvent('u', order, { ...order, customer_id: 41 })).then((it) => {
      answered = true;
      return it;
    });
    await new Promise((resolve) => setImmediate(resolve));
    expect(answered).toBe(false);
    release();
    expect(await reply).toEqual({ status: 200, detail: null });
    expect(sink.tags.sort()).toEqual(['customer:40', 'customer:41', 'order:7']);
    expect(sink.positions).toEqual(['0/35C68778']);
  });

  test('CloudEvents, a list of events, and an empty list', async () => {
    const { sink, post } = stage();
    expect(
      await post(cloudEvent('c', { before: null, after: order }), {
        'content-type': 'application/cloudevents+json',
      }),
    ).toMatchObject({ status: 200 });
    expect(
      await post([postgresEvent('c', null, { id: 8, customer_id: 1 }), mariadbEvent('c', null, { id: 3 })]),
    ).toMatchObject({ status: 200 });
    expect(await post([])).toMatchObject({ status: 200 });
    expect(sink.tags).toEqual(['order:7', 'customer:40', 'order:8', 'customer:1', 'item:3']);
  });

  test("Debezium's offer to go on in HTTP/2 (Upgrade: h2c) changes nothing", async () => {
    const { post } = stage();
    const offer = {
      connection: 'Upgrade, HTTP2-Settings',
      upgrade: 'h2c',
      'http2-settings': 'AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA',
    };
    expect(await post(postgresEvent('c', null, order), offer)).toEqual({ status: 200, detail: null });
  });

  test('a connector that begins to read all rows has missed what it can not tell: all is fenced, once', async () => {
    const { sink, post } = stage();
    const read = (snapshot: string) => postgresEvent('r', null, order, { snapshot });
    await post(read('incremental'));
    expect(sink.batches).toBe(0);
    await post(read('first'));
    await post([heartbeat, read('true'), read('last')]);
    expect(sink.tags.map((tag) => tag.replace(/.* |\*/g, ''))).toEqual(families);
    await post(postgresEvent('c', null, order));
    await post(read('first'));
    expect(sink.batches).toBe(3);
  });

  test('a heartbeat is answered and changes nothing', async () => {
    const { sink, post } = stage();
    expect(await post(heartbeat)).toMatchObject({ status: 200 });
    expect(sink.batches).toBe(0);
  });

  test('an update without its old row touches by its id what it surely touched, and all it may have', async () => {
    const { sink, post } = stage();
    await post(postgresEvent('u', null, order));
    expect(sink.seen).toContain('order:7');
    expect(sink.tags.filter((tag) => tag.startsWith('order:'))).toEqual(['order:7']);
    const family = sink.tags.filter((tag) => !tag.startsWith('order:') && tag !== 'customer:40');
    expect(family).toHaveLength(1);
  });
});

describe('poison', () => {
  test.each([
    ['text that is no JSON', '{"op":'],
    ['an empty body', ''],
    ['a list cut short', '[{"op":"c"}'],
    ['bytes that are no UTF-8', Buffer.from([0x7b, 0xff, 0xfe])],
    ['one bad event in a list', [postgresEvent('c', null, order), 17]],
  ])(
    '%s is answered by 200 after all it may have touched is fenced, and the next goes through',
    async (_, body) => {
      const { sink, post } = stage();
      expect(await post(body)).toEqual({ status: 200, detail: null });
      expect(sink.mapping.families).toHaveLength(families.length);
      for (const family of sink.mapping.families) expect(sink.seen).toContain(family);
      expect(sink.complaints).toHaveLength(1);
      await post(postgresEvent('c', null, { id: 99, customer_id: 1 }));
      expect(sink.seen).toContain('order:99');
    },
  );

  test('of a known table only that table is fenced', async () => {
    const { sink, post } = stage();
    await post({ ...postgresEvent('c', null, order), op: 'x' });
    expect(sink.tags.sort()).toEqual([...sink.mapping.tables.get('public.orders')!.families].sort());
    expect(sink.complaints).toEqual(['public.orders: "op" is "x"']);
  });
});

describe('who may post', () => {
  test.each([undefined, '', 'let-me-in', 'Bearer', 'Bearer wrong', 'Bearer let-me-in x', 'Basic let-me-in'])(
    '%s is refused',
    async (authorization) => {
      const { sink, source } = stage();
      const body = Buffer.from(JSON.stringify(postgresEvent('c', null, order)));
      const reply = await source.push!({ headers: { authorization }, body });
      expect(reply.status).toBe(401);
      expect(reply.detail).not.toContain('let-me-in');
      expect(sink.batches).toBe(0);
    },
  );

  test('a body over the bound is refused', async () => {
    const { post } = stage({ maxBody: 100 });
    expect(await post('x'.repeat(101))).toMatchObject({ status: 413 });
  });

  test('after the source was stopped', async () => {
    const { source, post } = stage();
    await source.stop();
    expect(await post(postgresEvent('c', null, order))).toMatchObject({ status: 503 });
  });
});
