/** What `cache` compiles from, at the top level and on routes; part of the model, and imported through it. */
import type { Expression, Template, UpstreamTlsConfig } from './model.ts';

/** What the caches of all routes share. */
export interface CacheConfig {
  /** Bytes of the first level, in each worker. */
  memory: number;
  /** The second level; null: there is none. */
  redis: RedisConfig | null;
  /** Begins every key in Redis. */
  prefix: string;
  /** Milliseconds that a node cut off from the invalidations answers tagged entries from memory; Infinity for `off`. */
  maxUnsynced: number;
}

export interface RedisConfig {
  kind: 'single' | 'cluster' | 'sentinels';
  /** The one server, nodes of the cluster to begin with, or the sentinels. */
  endpoints: RedisEndpoint[];
  /** What the sentinels call the primary; null without sentinels. */
  name: string | null;
  /** Milliseconds. */
  commandTimeout: number;
  /** Null: without TLS. */
  tls: UpstreamTlsConfig | null;
  /** 32 bytes in hex, for AES-256-GCM over entries; null: they are stored as they are. */
  encryptionKey: string | null;
}

export interface RedisEndpoint {
  host: string;
  port: number;
  /** Decoded; null where the URL names none. */
  username: string | null;
  password: string | null;
  database: number;
}

/** What a route keeps, under which key, and for how long. */
export interface RouteCacheConfig {
  policy: RoutePolicyConfig;
  key: CacheKeyConfig;
  /** Adds a value to the key; null: none. */
  vary: Expression | null;
  /** The answer is the same for all who pass the guard. */
  shared: boolean;
  /** Adds `auth.subject` to the key. */
  private: boolean;
  ignoreCookies: boolean;
  /** Stored only where true; null: always. */
  store: Expression | null;
  tags: Template[];
  maxTags: number;
  /** What is asked for often is filled again in the background once a change has unseated it. */
  refresh: boolean;
  /** Null: hits are not compared with the origin. */
  audit: CacheAuditConfig | null;
}

/** Which hits are compared with what the origin says, and what of their JSON counts for nothing. */
export interface CacheAuditConfig {
  /** Above 0, to 1. */
  share: number;
  /** Members, as paths with dots: at any depth, where their last names are these. */
  ignore: string[];
}

/** What stored answers are judged by (`RoutePolicy` of the cache). Times in seconds, null where nothing is said. */
export interface RoutePolicyConfig {
  ttl: { byStatus: Record<number, number>; bare: number | null; default: number | null };
  override: boolean;
  ignore: ReadonlySet<'no-store' | 'no-cache' | 'private' | 'vary'>;
  setCookie: 'refuse' | 'drop' | 'store';
  staleWhileRevalidate: number | null;
  staleIfError: number | null;
  methods: string[];
  private: boolean;
  /** Named: the key says whose the answer is. Shared: it is the same for all. None: neither is said. */
  owner: 'named' | 'shared' | 'none';
  /** It says so without a word of a client's Authorization: by cookies, or by a `vary` of something else. */
  silentOnAuthorization: boolean;
  /** Bytes. */
  maxSize: number;
  ignoreClientDirectives: boolean;
  heuristic: boolean;
}

/** What tells entries apart, beside route, scheme, host, path and class of method. */
export interface CacheKeyConfig {
  query:
    | { kind: 'all' }
    | { kind: 'only'; names: string[] }
    /** Names may hold `*` for any text. */
    | { kind: 'ignore'; names: string[]; sort: boolean };
  /** In lower case, each once. */
  headers: string[];
  cookies: string[];
  /** A hash of the body counts. */
  body: boolean;
}
