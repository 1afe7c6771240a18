import { type Complaint, leaf, object, oneOf, record, someOf } from './kit.ts';
import { redisUrl } from './redis.ts';
import { bearerToken, boolean, filledText, integer, size, word } from './values.ts';

/** Sources other than PostgreSQL: the log of MySQL and MariaDB, and Debezium's events by whatever carries them. */
export const FEEDS = ['mysql', 'kafka', 'redis', 'nats', 'http'] as const;

/** A URL with a scheme of its own. */
function urlOf(what: string, schemes: readonly string[], example: string) {
  return leaf<string>(
    `a URL such as ${example}`,
    ['text'],
    (value) => {
      const text = String(value);
      const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(text)?.[1]?.toLowerCase();
      const advice = `write ${example}`;
      if (scheme === undefined) return { message: `this is not the URL of ${what}`, advice };
      if (!schemes.includes(scheme)) return { message: `"${scheme}:" is not a scheme of ${what}`, advice };
      if (!URL.canParse(text) || new URL(text).hostname === '')
        return {
          message: 'this is not a valid URL',
          advice: `${advice}; what is special in a password is percent-encoded`,
        };
      return null;
    },
    { type: 'string' },
  );
}

const mysqlUrl = urlOf('MySQL or MariaDB', ['mysql', 'mariadb'], 'mysql://HOST:PORT/DATABASE');
const natsUrl = urlOf('NATS', ['nats', 'tls'], 'nats://HOST:PORT');

const broker = leaf<string>(
  'an address such as 127.0.0.1:9092',
  ['text'],
  (value) =>
    /^(?:[A-Za-z0-9._-]+|\[[0-9a-fA-F:.]+\]):\d{1,5}$/.test(String(value))
      ? null
      : { message: `"${value}" is not the address of a broker`, advice: 'write HOST:PORT, without a scheme' },
  { type: 'string', pattern: ':\\d{1,5}$' },
);

/** A name that another system gives; what it may look like is told by its pattern. */
function nameOf(what: string, pattern: RegExp, advice: string) {
  const check = (value: unknown): Complaint | null =>
    pattern.test(String(value)) ? null : { message: `"${value}" cannot be ${what}`, advice };
  return leaf<string>(what, ['text'], check, { type: 'string', pattern: pattern.source });
}

const topic = nameOf(
  'the name of a topic',
  /^[A-Za-z0-9._-]{1,249}$/,
  'letters, digits, and . _ -, 249 at most; no patterns',
);
const streamKey = nameOf(
  'the key of a stream',
  /^\S{1,512}$/,
  'Debezium names it by its topic: shop.public.orders',
);
const group = nameOf('the name of a group', /^[^\s]{1,255}$/, 'write 1 to 255 characters without spaces');
const natsName = nameOf('a name in NATS', /^[^\s.*>/\\]{1,128}$/, 'without spaces, dots, slashes, * and >');

const identity = record(
  'an object: columns by table',
  oneOf('a column, or a list of columns', [
    nameOf('the name of a column', /^[\s\S]+$/, 'write the name of a column'),
    someOf('a list of columns', nameOf('the name of a column', /^[\s\S]+$/, 'write the name of a column')),
  ]),
  () => null,
);
const IDENTITY =
  'Columns of the primary key by table, as these events come without it: what an update without its old row leaves as it was. Default id.';

const mysql = object(
  'MysqlSource',
  'mysql',
  {
    url: mysqlUrl.describe(
      'Of the server, with a user that may replicate; ?ssl=true or ?ssl=verify for TLS.',
    ),
    serverId: integer(1, 4_294_967_295).describe(
      'Of this reader among all that replicate from the server: no other may have it.',
    ),
  },
  [],
  { wrap: 'url' },
);

const kafka = object('KafkaSource', 'kafka', {
  brokers: someOf('a list of brokers', broker).describe('Where the cluster is asked first.'),
  topics: someOf('a list of topics', topic).describe("Debezium's topics, one a table."),
  group: group.optional().describe('Consumer group. Default tidegate.'),
  tls: boolean.optional().describe('TLS to the brokers. Default false.'),
  sasl: object('KafkaSasl', 'sasl', {
    mechanism: word(['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512']).describe('How the password is proven.'),
    username: filledText.describe('Of the user.'),
    password: filledText.describe('Of the user.'),
  })
    .optional()
    .describe('Who the gateway is to the brokers.'),
});

const redisStreams = object('RedisSource', 'redis', {
  url: redisUrl.describe('Of the Redis that Debezium writes to; it need not be that of the cache.'),
  streams: someOf('a list of streams', streamKey).describe("Debezium's topics, one a table."),
  group: group.optional().describe('Consumer group; made where it is missing. Default tidegate.'),
});

const nats = object('NatsSource', 'nats', {
  url: natsUrl.describe('Of the server; tls:// for TLS, USER:PASSWORD@ or TOKEN@ where it asks for them.'),
  stream: natsName.optional().describe('The stream. Default DebeziumStream.'),
  durable: natsName.optional().describe('Durable consumer; made where it is missing. Default tidegate.'),
  identity: identity.optional().describe(IDENTITY),
});

const http = object('HttpSource', 'http', {
  token: bearerToken.describe('What Debezium sends as authorization: Bearer TOKEN.'),
  maxBody: size.optional().describe('Largest request. Default 10MiB.'),
  identity: identity.optional().describe(IDENTITY),
});

export const feeds = {
  mysql: mysql.optional().describe('MySQL or MariaDB, by its binary log.'),
  kafka: kafka.optional().describe("Debezium's events in Kafka."),
  redis: redisStreams.optional().describe("Debezium's events in Redis Streams."),
  nats: nats.optional().describe("Debezium's events in NATS JetStream."),
  http: http.optional().describe("Debezium's events, posted to /v1/changes/NAME on the admin address."),
};
