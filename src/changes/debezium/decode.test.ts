import { describe, expect, test } from 'vitest';
import { canonical, type Row, UNKNOWN } from '../contract.ts';
import { DebeziumDecoder, type Decoded, type DecoderOptions } from './decode.ts';
import {
  type Column,
  cloudEvent,
  heartbeat,
  keyWithSchema,
  mariadbEvent,
  postgresEvent,
  schemaChange,
  transactionEnd,
  withSchema,
} from './fixtures.ts';

const TOPIC = 'shop.public.orders';
const order = { id: 7, customer_id: 40, note: 'x' };

function decoder(options: Partial<DecoderOptions> = {}): DebeziumDecoder {
  return new DebeziumDecoder({ tables: new Set(['public.orders', 'shop.items']), ...options });
}

interface Sent {
  key?: unknown;
  topic?: string | null;
  by?: DebeziumDecoder;
}

function decode(value: unknown, { key, topic = TOPIC, by = decoder() }: Sent = {}): Decoded {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return by.decode({ value: text, key: key === undefined ? null : JSON.stringify(key), topic });
}

function change(value: unknown, sent: Sent = {}) {
  const decoded = decode(value, sent);
  if (decoded.kind !== 'change') throw new Error(JSON.stringify(decoded));
  return decoded.change;
}

const plain = (row: Row | null): Record<string, unknown> | null =>
  row && Object.fromEntries([...row].map(([name, cell]) => [name, cell === UNKNOWN ? '?' : canonical(cell)]));
const oldOf = (value: unknown, sent: Sent = {}) => plain(change(value, sent).before);
const newOf = (value: unknown, sent: Sent = {}) => plain(change(value, sent).after);
const why = (decoded: Decoded) => (decoded.kind === 'nothing' ? decoded.why : decoded.kind);

describe('what an event says', () => {
  test('an insert, an update and a delete give the new and the old row', () => {
    expect(change(postgresEvent('c', null, order))).toMatchObject({
      table: 'public.orders',
      op: 'insert',
      before: null,
    });
    expect(newOf(postgresEvent('c', null, order))).toEqual({ id: 7n, customer_id: 40n, note: 'x' });
    const update = postgresEvent('u', order, { ...order, customer_id: 41 });
    expect(oldOf(update)).toMatchObject({ customer_id: 40n });
    expect(newOf(update)).toMatchObject({ customer_id: 41n });
    expect(change(postgresEvent('d', order, null))).toMatchObject({ op: 'delete', after: null });
    expect(oldOf(postgresEvent('d', order, null))).toMatchObject({ customer_id: 40n });
  });

  test('an update whose last row is read', () => {
    expect(oldOf(postgresEvent('u', { ...order, customer_id: 39 }, order))).toMatchObject({
      customer_id: 39n,
    });
  });

  test.each(['mariadb', 'mysql'])('tables of %s are named by their database', (connector) => {
    expect(change(mariadbEvent('u', { id: 1 }, { id: 1 }, { connector })).table).toBe('shop.items');
  });

  test('a truncate touches the whole table', () => {
    expect(change(postgresEvent('t', null, null))).toEqual({
      table: 'public.orders',
      op: 'truncate',
      before: null,
      after: null,
    });
  });

  test('reads of a snapshot change nothing', () => {
    expect(why(decode(postgresEvent('r', null, order, { snapshot: 'last' })))).toBe('snapshot');
    expect(why(decode(postgresEvent('r', null, order)))).toBe('snapshot');
    const asked = postgresEvent('r', null, order, { snapshot: 'incremental' });
    expect(why(decode(asked))).toBe('incremental snapshot');
  });

  test('a message of pg_logical_emit_message changes nothing', () => {
    const message = {
      op: 'm',
      ts_ms: 1,
      source: postgresEvent('m', null, null).source,
      message: { prefix: 'p', content: '' },
    };
    expect(why(decode(message))).toBe('message');
  });

  test('the record that follows a delete changes nothing', () => {
    expect(why(decoder().decode({ value: null, key: '{"id":7}', topic: TOPIC }))).toBe('tombstone');
    expect(why(decoder().decode({ value: 'default', key: '{"id":7}', topic: TOPIC }))).toBe('tombstone');
  });

  test.each([
    { id: 1, status: 'paid' },
    { id: 1, status: 'END', customer_id: 7 },
    { id: 1, ddl: 'create table x' },
    { id: 1, type: 'a', aggregate_type: 'b', total: 5 },
    { id: 1, ts_ms: 5 },
  ])('a row that was taken out of its event passes for none of these: %j', (row) => {
    expect(decode(row)).toMatchObject({ kind: 'unreadable', table: 'public.orders' });
  });

  test('heartbeats, ends of transactions and notifications change nothing', () => {
    expect(why(decode(heartbeat, { topic: '__debezium-heartbeat.shop' }))).toBe('heartbeat');
    expect(why(decode('nonsense', { topic: '__debezium-heartbeat.shop' }))).toBe('heartbeat');
    expect(why(decode(heartbeat, { topic: null }))).toBe('heartbeat');
    expect(why(decode(withSchema(heartbeat, []), { topic: null }))).toBe('heartbeat');
    expect(why(decode(transactionEnd, { topic: 'shop.transaction' }))).toBe('transaction');
    expect(why(decode({ id: 'x', aggregate_type: 'Initial Snapshot', type: 'STARTED' }))).toBe(
      'notification',
    );
  });

  test('it proves the log up to the last commit before it, not up to itself', () => {
    const decoded = decode(postgresEvent('c', null, order));
    expect(decoded).toMatchObject({
      from: { position: '0/35C68778', changedAt: 1795478179481, connector: 'postgresql' },
    });
    expect(decode(postgresEvent('c', null, order, { sequence: '[null,"902203312"]' }))).toMatchObject({
      from: { position: null },
    });
    expect(decode(mariadbEvent('c', null, { id: 1 }))).toMatchObject({
      from: { position: 'binlog.000006:10903' },
    });
  });

  test('up to where the change itself stands, where it does not name the commit before it', () => {
    const at = (op: string, source: object) =>
      decode(postgresEvent(op, null, order, { sequence: null, ...source }));
    expect(at('c', {})).toMatchObject({ from: { position: '0/35C687B0' } });
    expect(at('c', { lsn: '902203312' })).toMatchObject({ from: { position: '0/35C687B0' } });
    expect(at('r', { snapshot: 'incremental' })).toMatchObject({ from: { position: null } });
    for (const lsn of [null, -1, 1.5, '0/35C687B0', '9'.repeat(400)])
      expect(at('c', { lsn })).toMatchObject({ kind: 'change', from: { position: null } });
  });
});

describe('values', () => {
  test('numbers keep all their digits', () => {
    const text = JSON.stringify(postgresEvent('c', null, { id: 1 })).replace(
      '"id":1',
      '"id":9007199254740993,"neg":-9223372036854775808',
    );
    expect(newOf(text)).toEqual({ id: 9007199254740993n, neg: -9223372036854775808n });
    expect(
      newOf(JSON.stringify(withSchema(JSON.parse(text), [])).replace('9007199254740992', '9007199254740993'))
        ?.id,
    ).toBe(9007199254740993n);
  });

  test('null, booleans, lists and objects', () => {
    const row = { a: null, b: true, c: [1, 'x'], d: { e: 1 } };
    expect(newOf(postgresEvent('c', null, row))).toEqual({
      a: null,
      b: true,
      c: [1n, 'x'],
      d: new Map([['e', 1n]]),
    });
  });

  const unavailable = '__debezium_unavailable_value';
  test.each([
    ['text', unavailable],
    ['bytes', Buffer.from(unavailable).toString('base64')],
    ['bytes in hex', Buffer.from(unavailable).toString('hex')],
    ['a list of texts', [unavailable]],
    ['a list of integers', [...Buffer.from(unavailable)]],
    ['a map', { [unavailable]: unavailable }],
  ])('a large value that the change did not touch is unknown, not its placeholder: %s', (_, value) => {
    expect(newOf(postgresEvent('u', order, { id: 1, big: value }))).toEqual({ id: 1n, big: '?' });
  });

  const typed = (type: string, name: string, parameters?: object): Column[] => [
    ['v', type, { name, ...(parameters && { parameters }) }],
  ];
  test.each([
    ['AJY=', typed('bytes', 'org.apache.kafka.connect.data.Decimal', { scale: '2' }), 1.5],
    ['/w==', typed('bytes', 'org.apache.kafka.connect.data.Decimal', { scale: '3' }), -0.001],
    ['Bw==', typed('bytes', 'org.apache.kafka.connect.data.Decimal', { scale: '0' }), 7n],
    [{ scale: 1, value: 'Dw==' }, typed('struct', 'io.debezium.data.VariableScaleDecimal'), 1.5],
    [20782, typed('int32', 'io.debezium.time.Date'), '2026-11-25'],
    [-1, typed('int32', 'io.debezium.time.Date'), '1969-12-31'],
    [1795478179481, typed('int64', 'io.debezium.time.Timestamp'), '2026-11-23 23:56:19.481'],
    [1795478179250000, typed('int64', 'io.debezium.time.MicroTimestamp'), '2026-11-23 23:56:19.25'],
    [-500000, typed('int64', 'io.debezium.time.MicroTimestamp'), '1969-12-31 23:59:59.5'],
    ['2026-11-25T13:00:00Z', typed('string', 'io.debezium.time.ZonedTimestamp'), '2026-11-25T13:00:00Z'],
  ])('with a schema %j is read as its type says', (value, columns, expected) => {
    expect(newOf(withSchema(postgresEvent('c', null, { v: value }), columns))).toEqual({ v: expected });
  });

  test('a schema is read once, and another one of the same topic is noticed', () => {
    const by = decoder();
    const event = (value: unknown, columns: Column[]) =>
      newOf(withSchema(postgresEvent('c', null, { v: value }), columns), { by });
    expect(event('AJY=', typed('bytes', 'org.apache.kafka.connect.data.Decimal', { scale: '2' }))).toEqual({
      v: 1.5,
    });
    expect(event('AJc=', typed('bytes', 'org.apache.kafka.connect.data.Decimal', { scale: '2' }))).toEqual({
      v: 1.51,
    });
    expect(event('AJY=', typed('bytes', 'org.apache.kafka.connect.data.Decimal', { scale: '1' }))).toEqual({
      v: 15n,
    });
  });
});

describe('CloudEvents', () => {
  test('the op and the source are read from the attributes', () => {
    const event = cloudEvent('u', { before: order, after: { ...order, note: 'y' } });
    expect(change(event, { topic: null })).toMatchObject({ table: 'public.orders', op: 'update' });
    expect(decode(event)).toMatchObject({ from: { changedAt: 1795478179481, position: '0/35C68778' } });
  });

  test('with a schema in their data', () => {
    const event = cloudEvent(
      'c',
      withSchema({ before: null, after: { v: 'AJY=' } }, [
        ['v', 'bytes', { name: 'org.apache.kafka.connect.data.Decimal', parameters: { scale: '2' } }],
      ]),
    );
    expect(newOf(event, { topic: null })).toEqual({ v: 1.5 });
  });

  test('a read of a snapshot', () => {
    expect(why(decode(cloudEvent('r', { before: null, after: order })))).toBe('snapshot');
  });
});

describe('old rows that cannot be believed', () => {
  test('PostgreSQL sends none of an update that leaves the key: the key is known, all else is not', () => {
    const update = postgresEvent('u', null, order);
    expect(oldOf(update, { key: { id: 7 } })).toEqual({ id: 7n, customer_id: '?', note: '?' });
    expect(oldOf(update, { key: keyWithSchema({ id: 7 }, [['id', 'int32']]) })).toEqual({
      id: 7n,
      customer_id: '?',
      note: '?',
    });
    expect(oldOf(update)).toEqual({ id: '?', customer_id: '?', note: '?' });
  });

  test('where no key comes, its columns are those that the config names', () => {
    const by = decoder({ keys: new Map([['public.orders', ['customer_id']]]), defaultKey: ['id'] });
    expect(oldOf(postgresEvent('u', null, order), { by })).toEqual({
      id: '?',
      customer_id: 40n,
      note: '?',
    });
    const other = postgresEvent('u', null, order, { table: 'others' });
    expect(oldOf(other, { by })).toEqual({ id: 7n, customer_id: '?', note: '?' });
  });

  test('a delete with a null in its old row may hold nothing but the key', () => {
    expect(oldOf(postgresEvent('d', { ...order, note: null }, null), { key: { id: 7 } })).toEqual({
      id: 7n,
      customer_id: '?',
      note: '?',
    });
  });

  test('a delete is believed once an update has shown whole old rows, and no more once one has not', () => {
    const by = decoder();
    const sent = { by, key: { id: 7 } };
    const remove = postgresEvent('d', { ...order, note: null }, null);
    decode(postgresEvent('u', order, order), sent);
    expect(oldOf(remove, sent)).toEqual({ id: 7n, customer_id: 40n, note: null });
    decode(postgresEvent('u', null, order), sent);
    expect(oldOf(remove, sent)).toEqual({ id: 7n, customer_id: '?', note: '?' });
    expect(oldOf(postgresEvent('d', order, null), sent)).toEqual({ id: 7n, customer_id: '?', note: '?' });
  });

  test('a value that is only the DEFAULT of its column is told by the schema', () => {
    const columns: Column[] = [
      ['id', 'int32'],
      ['customer_id', 'int32', { default: 40 }],
    ];
    const remove = withSchema(postgresEvent('d', { id: 7, customer_id: 40 }, null), columns);
    expect(oldOf(remove, { key: { id: 7 } })).toEqual({ id: 7n, customer_id: '?' });
    const real = withSchema(postgresEvent('d', { id: 7, customer_id: 41 }, null), columns);
    expect(oldOf(real, { key: { id: 7 } })).toEqual({ id: 7n, customer_id: 41n });
  });

  test('the columns of an index alone (REPLICA IDENTITY USING INDEX) are told by a key that is null', () => {
    const update = postgresEvent('u', { id: null, customer_id: 40, note: null }, order);
    expect(oldOf(update, { key: { id: 7 } })).toEqual({ id: 7n, customer_id: '?', note: '?' });
  });

  test('MariaDB and MySQL send whole rows', () => {
    expect(oldOf(mariadbEvent('d', { id: 1, sku: null }, null), { key: { id: 1 } })).toEqual({
      id: 1n,
      sku: null,
    });
  });
});

describe('changes of the schema', () => {
  test('what a statement names is touched as a whole', () => {
    const changed = [{ type: 'ALTER', id: '"shop"."items"', table: {} }];
    expect(
      decode(schemaChange('ALTER TABLE items DROP sku', 'items', changed), { topic: 'stock' }),
    ).toMatchObject({
      kind: 'tables',
      tables: ['shop.items'],
    });
    expect(decode(schemaChange('DROP TABLE items, old', 'items,old'))).toMatchObject({
      tables: ['shop.items', 'shop.old'],
    });
    expect(decode(schemaChange('TRUNCATE items', 'items'))).toMatchObject({ tables: ['shop.items'] });
    expect(decode(schemaChange('CREATE OR REPLACE TABLE items (id int)', 'items'))).toMatchObject({
      tables: ['shop.items'],
    });
  });

  test('one that names no table, or renames one, may have touched any', () => {
    expect(decode(schemaChange('DROP DATABASE shop', null))).toMatchObject({ kind: 'tables', tables: null });
    expect(decode(schemaChange('RENAME TABLE a TO items', 'a'))).toMatchObject({
      kind: 'tables',
      tables: null,
    });
  });

  test('what leaves every row as it is touches nothing', () => {
    expect(why(decode(schemaChange('CREATE TABLE more (id int)', 'more')))).toBe('schema');
    expect(why(decode(schemaChange('create index i on items (sku)', 'items')))).toBe('schema');
  });
});

describe('what cannot be read', () => {
  const wrong = (op: unknown, more: object = {}) => ({ ...postgresEvent('c', null, order), op, ...more });
  test.each([
    ['text that is no JSON', '{"before":', 'public.orders'],
    ['bytes of another format (Avro)', '\u0000\u0000\u0000\u0000\u0001x', 'public.orders'],
    ['nothing at all', '', 'public.orders'],
    ['a list', '[]', 'public.orders'],
    ['an unknown op', JSON.stringify(wrong('x')), 'public.orders'],
    ['an insert without its row', JSON.stringify(postgresEvent('c', null, null)), 'public.orders'],
    ['a row that is text', JSON.stringify(wrong('c', { after: '{}' })), 'public.orders'],
    ['an event without source', JSON.stringify(wrong('c', { source: null })), 'public.orders'],
    ['a row by itself, flattened on the way', JSON.stringify(order), 'public.orders'],
    ['JSON nested without end', '['.repeat(5000), 'public.orders'],
  ])('%s is poison of the table that its topic names', (_, value, table) => {
    expect(decode(value)).toMatchObject({ kind: 'unreadable', table });
  });

  test('of no topic that the mapping knows it may have touched anything', () => {
    expect(decode('x', { topic: 'orders' })).toMatchObject({ kind: 'unreadable', table: null });
    expect(decode('x', { topic: 'rerouted.all.tables' })).toMatchObject({ kind: 'unreadable', table: null });
    expect(decode('x', { topic: null })).toMatchObject({ kind: 'unreadable', table: null });
  });

  test('the table that the event itself names counts more than its topic', () => {
    expect(decode(wrong('x', {}), { topic: 'shop.shop.items' })).toMatchObject({ table: 'public.orders' });
  });

  test('why is told in words', () => {
    expect(decode('{"before":')).toMatchObject({
      why: 'the text ends where a value should stand at offset 10',
    });
    expect(decode(order)).toMatchObject({
      why: 'it is no event of Debezium: "op" is missing (ExtractNewRecordState takes it out)',
    });
    expect(decode(wrong('x'))).toMatchObject({ why: '"op" is "x"' });
  });
});
