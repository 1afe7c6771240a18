/** Events as Debezium 3.0 sends them, recorded from its server; for tests. */

const POSTGRES_SOURCE = {
  version: '3.0.0.Final',
  connector: 'postgresql',
  name: 'shop',
  ts_ms: 1795478179481,
  snapshot: 'false',
  db: 'postgres',
  sequence: '["902203256","902203312"]',
  ts_us: 1795478179481912,
  ts_ns: 1795478179481912_000,
  schema: 'public',
  table: 'orders',
  txId: 70915,
  lsn: 902203312,
  xmin: null,
};

const MARIADB_SOURCE = {
  version: '3.0.0.Final',
  connector: 'mariadb',
  name: 'stock',
  ts_ms: 1795478179000,
  snapshot: 'false',
  db: 'shop',
  sequence: null,
  ts_us: 1795478179000000,
  ts_ns: 1795478179000000000,
  table: 'items',
  server_id: 1,
  gtid: '0-1-19289',
  file: 'binlog.000006',
  pos: 10903,
  row: 0,
  thread: null,
  query: null,
};

type Fields = Record<string, unknown>;

const envelope =
  (source: Fields) =>
  (op: string, before: Fields | null, after: Fields | null, more: Fields = {}) => ({
    before,
    after,
    source: { ...source, ...more },
    transaction: null,
    op,
    ts_ms: 1795478179900,
    ts_us: 1795478179900123,
    ts_ns: 1795478179900123_000,
  });

/** The envelope of a change in PostgreSQL's `public.orders`; `more` replaces members of its source. */
export const postgresEvent = envelope(POSTGRES_SOURCE);
/** The envelope of a change in MariaDB's `shop.items`. */
export const mariadbEvent = envelope(MARIADB_SOURCE);

/** A column of a schema: its name, its type, and what else Kafka Connect says of it. */
export type Column = [name: string, type: string, more?: Fields];

const struct = (columns: readonly Column[], more: Fields) => ({
  type: 'struct',
  fields: columns.map(([field, type, rest]) => ({ type, optional: true, ...rest, field })),
  ...more,
});

/** The wrapper that is on by default. */
export function withSchema(event: Fields, columns: readonly Column[]): Fields {
  const name = 'shop.public.orders';
  return {
    schema: {
      type: 'struct',
      fields: [
        struct(columns, { optional: true, name: `${name}.Value`, field: 'before' }),
        struct(columns, { optional: true, name: `${name}.Value`, field: 'after' }),
        struct(
          [
            ['version', 'string'],
            ['connector', 'string'],
          ],
          { optional: false, field: 'source' },
        ),
        { type: 'string', optional: false, field: 'op' },
      ],
      optional: false,
      name: `${name}.Envelope`,
      version: 2,
    },
    payload: event,
  };
}

export const keyWithSchema = (key: Fields, columns: readonly Column[]) => ({
  schema: struct(columns, { optional: false, name: 'shop.public.orders.Key' }),
  payload: key,
});

/** The body of a POST of `application/cloudevents+json`: rows in `data`, the rest in attributes. */
export const cloudEvent = (op: string, data: Fields, more: Fields = {}) => ({
  id: 'name:shop;lsn:902203312;txId:70915;sequence:["902203256","902203312"]',
  source: '/debezium/postgresql/shop',
  specversion: '1.0',
  type: 'io.debezium.connector.postgresql.DataChangeEvent',
  time: '2026-11-25T13:36:19.481Z',
  datacontenttype: 'application/json',
  iodebeziumop: op,
  iodebeziumversion: '3.0.0.Final',
  iodebeziumconnector: 'postgresql',
  iodebeziumname: 'shop',
  iodebeziumtsms: '1795478179481',
  iodebeziumsnapshot: 'false',
  iodebeziumdb: 'postgres',
  iodebeziumsequence: '["902203256","902203312"]',
  iodebeziumschema: 'public',
  iodebeziumtable: 'orders',
  iodebeziumtxid: '70915',
  iodebeziumlsn: '902203312',
  iodebeziumxmin: null,
  data,
  ...more,
});

export const heartbeat = { ts_ms: 1795478179900 };

export const transactionEnd = {
  status: 'END',
  id: '70913:902202600',
  event_count: 2,
  data_collections: [{ data_collection: 'public.orders', event_count: 2 }],
  ts_ms: 1795478179900,
};

/** On the topic that is named by the prefix alone. */
export const schemaChange = (ddl: string, table: string | null, tableChanges: unknown[] = []) => ({
  source: { ...MARIADB_SOURCE, table },
  ts_ms: 1795478179900,
  databaseName: 'shop',
  schemaName: null,
  ddl,
  tableChanges,
});
