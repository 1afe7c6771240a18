import { isIP } from 'node:net';
import { bracketsAdvice } from './address.ts';
import { type Complaint, leaf, object, oneOf, onlyOne, type Rule, someOf } from './kit.ts';
import { serviceTls } from './service-tls.ts';
import { boolean, filledText, positiveDuration } from './values.ts';

/** One server, as a URL names it. */
export interface ParsedRedisUrl {
  host: string;
  port: number;
  username: string | null;
  password: string | null;
  /** Number of the database. */
  database: number;
  tls: boolean;
}

const EXAMPLE = 'write one such as redis://127.0.0.1:6379, or rediss:// for TLS';

export const redisUrl = leaf<string>(
  'a URL such as redis://127.0.0.1:6379',
  ['text', 'number'],
  (value) => redisUrlComplaint(String(value)),
  { type: 'string' },
);

const redisUrlOrNone = leaf<string>(
  'a URL such as redis://127.0.0.1:6379, or none',
  ['text', 'number'],
  (value) => (value === 'none' ? null : redisUrlComplaint(String(value))),
  { type: 'string' },
);

function redisUrlComplaint(text: string): Complaint | null {
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(text)?.[1]?.toLowerCase();
  if (scheme === undefined) return { message: 'this URL has no scheme', advice: EXAMPLE };
  if (scheme === 'unix' || scheme === 'redis+unix')
    return { message: 'Redis is reached over TCP only', advice: EXAMPLE };
  if (scheme !== 'redis' && scheme !== 'rediss')
    return { message: `"${scheme}:" is not a scheme of Redis`, advice: EXAMPLE };
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || url.hostname === '')
    return { message: 'this is not a valid URL', advice: badUrl(text) };
  if (url.port === '0')
    return { message: '0 is not a port that can be connected to', advice: 'write a port from 1 to 65535' };
  if (decoded(url.username) === null || decoded(url.password) === null)
    return { message: 'the user or password is not percent-encoded', advice: 'write % as %25' };
  if (!/^\/?$|^\/\d{1,5}\/?$/.test(url.pathname))
    return { message: 'the path of the URL is the number of a database', advice: 'write /0, or nothing' };
  if (url.search !== '' || url.hash !== '' || /[?#]/.test(text))
    return { message: 'options in the URL are not read', advice: 'leave out what begins with ? or #' };
  return null;
}

function badUrl(text: string): string {
  const port = /^rediss?:\/\/[^/]*:(\d+)/i.exec(text)?.[1];
  if (port !== undefined && Number(port) > 65_535) return 'a port is a number from 1 to 65535';
  const host = /^rediss?:\/\/(?:[^/]*@)?([^/]*)/i.exec(text)?.[1] ?? '';
  if (isIP(host) === 6) return bracketsAdvice('redis', host);
  return 'percent-encode what is not a letter or digit in user and password: # is %23, / is %2F, @ is %40';
}

/** The parts of a URL that `redisUrl` finds nothing wrong with. */
export function parseRedisUrl(text: string): ParsedRedisUrl {
  const url = new URL(text);
  return {
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port === '' ? 6379 : Number(url.port),
    username: decoded(url.username) || null,
    password: decoded(url.password) || null,
    database: Number(url.pathname.replaceAll('/', '') || '0'),
    tls: url.protocol === 'rediss:',
  };
}

function decoded(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}

/** 256 bits in hex or base64. */
const encryptionKey = leaf<string>(
  'a key of 32 bytes, in base64 or hex',
  ['text'],
  (value) => {
    if (parseEncryptionKey(String(value)) !== null) return null;
    return {
      message: 'this is not a key of 32 bytes in base64 or hex',
      advice: 'make one with "openssl rand -base64 32"',
    };
  },
  { type: 'string' },
);

/** Null where it is none. */
export function parseEncryptionKey(text: string): Buffer | null {
  const trimmed = text.trim();
  if (/^[0-9a-f]{64}$/i.test(trimmed)) return Buffer.from(trimmed, 'hex');
  if (!/^[A-Za-z0-9+/_-]{43}=?$/.test(trimmed)) return null;
  return Buffer.from(trimmed, 'base64');
}

const WAYS = ['url', 'cluster', 'sentinels'];

const oneWay: Rule = (redis, report) => {
  const given = onlyOne(redis, WAYS, report);
  if (given.length === 0) {
    const advice = 'say url: redis://127.0.0.1:6379, or cluster or sentinels: a list of URLs';
    report({
      code: 'TG_CONFIG_MISSING',
      path: [],
      atKey: true,
      message: 'this does not say where Redis is',
      advice,
    });
  }
};

const nameOfPrimary: Rule = (redis, report) => {
  if ('sentinels' in redis && !('name' in redis)) {
    report({
      code: 'TG_CONFIG_MISSING',
      path: ['sentinels'],
      atKey: true,
      message: 'sentinels watch primaries by name, and none is said',
      advice: 'say name: mymaster, as in sentinel.conf',
    });
  }
  if ('name' in redis && !('sentinels' in redis)) {
    report({
      code: 'TG_CONFIG_CONFLICT',
      path: ['name'],
      atKey: true,
      message: '"name" is what sentinels call a primary, and there are no sentinels',
      advice: 'remove it; to keep two gateways apart say cache: { prefix }',
    });
  }
};

/** All speak TLS or none does; a cluster has one database. */
const alike: Rule = (redis, report) => {
  const urls = WAYS.slice(1).flatMap((key) =>
    Array.isArray(redis[key])
      ? redis[key].map((url: unknown, index) => ({
          url: typeof url === 'string' ? url : '',
          key,
          path: [key, index],
        }))
      : [],
  );
  const [first] = urls;
  const differing = urls.find(({ url }) => /^rediss:/i.test(url) !== /^rediss:/i.test(first!.url));
  if (differing !== undefined) {
    report({
      code: 'TG_CONFIG_CONFLICT',
      path: differing.path,
      also: first!.path,
      message: 'of these URLs some ask for TLS and some do not',
      advice: 'write rediss:// for all of them, or for none',
    });
  }
  const numbered = urls.find(({ url, key }) => key === 'cluster' && /^[^?#]*\/\/[^/]*\/0*[1-9]/.test(url));
  if (numbered !== undefined) {
    const message = 'a cluster has no other database than 0';
    report({ path: numbered.path, message, advice: 'leave the path out; cache.prefix keeps gateways apart' });
  }
};

export const redis = oneOf('a URL, { url, cluster, sentinels, … }, or none', [
  redisUrlOrNone,
  object(
    'Redis',
    'redis',
    {
      url: redisUrl
        .optional()
        .describe('One server: redis://USER:PASSWORD@HOST:PORT/DATABASE; rediss:// for TLS.'),
      cluster: someOf('a list of URLs', redisUrl)
        .optional()
        .describe('Nodes of a Redis Cluster to begin with; the others are learnt from them.'),
      sentinels: someOf('a list of URLs', redisUrl)
        .optional()
        .describe(
          'Sentinels, asked for the primary called name. A user and password in them are also those of Redis.',
        ),
      name: filledText.optional().describe('What the sentinels call the primary.'),
      commandTimeout: positiveDuration
        .optional()
        .describe('Longest wait for one command; then requests go on without Redis. Default 100ms.'),
      tls: oneOf('true, or { ca, cert, key, serverName, verify }', [boolean, serviceTls])
        .optional()
        .describe('TLS toward Redis. Default: where the URL is rediss://.'),
      encrypt: object(
        'RedisEncrypt',
        'encrypt',
        { key: encryptionKey.describe('32 bytes, in base64 or hex; the same on all nodes.') },
        [],
      )
        .optional()
        .describe('Encrypts entries in Redis (AES-256-GCM). Default off.'),
    },
    [oneWay, nameOfPrimary, alike],
    { wrap: 'url' },
  ),
]);
