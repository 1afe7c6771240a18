/**
 * The configuration after loading: defaults filled in, shorthands written out, durations in milliseconds,
 * sizes in bytes, `none` as Infinity. What a user may write is `schema.ts`; this is what the rest compiles from.
 */

import type { ServiceScheme } from '../util/service-scheme.ts';
import type { ClientCredentialsConfig, ProviderConfig, RouteAuthConfig } from './auth-model.ts';
import type { CacheConfig, RedisConfig, RouteCacheConfig } from './cache-model.ts';

export type * from './auth-model.ts';
export type * from './cache-model.ts';

/** CEL as text, or, from a TypeScript config, a function of the variables. */
export type Expression = string | ((variables: never) => unknown);
/** Text with `{CEL}` inside, or a function. */
export type Template = Expression;

export interface GatewayConfig {
  listen: ListenerConfig[];
  /** Null: switched off. */
  admin: AdminConfig | null;
  workers: number | 'auto';
  services: Record<string, ServiceConfig>;
  policies: Record<string, Expression>;
  /** Change sources by name; empty where the config has none. */
  changes: Record<string, ChangeSourceConfig>;
  /** By name. */
  auth: Record<string, ProviderConfig>;
  /** Header names, in lower case, in which services are told who asks. */
  identity: { subject: string; permissions: string };
  /** `key`: PEM; null: the gateway makes its own. */
  signing: { key: string | null };
  /** In the order of the file; `defaults` are already merged in. */
  routes: Record<string, RouteConfig>;
  /** What also holds where no route matched. */
  unmatched: { response: TransformConfig; answers: AnswersConfig };
  cache: CacheConfig;
  drain: { delay: number; timeout: number };
  /** Null: requests are not logged. */
  log: AccessLogConfig | null;
  /** Milliseconds that the event loop may be late; null: nothing is shed. */
  overload: { maxDelay: number } | null;
  /** Null: no traces. */
  tracing: TracingConfig | null;
}

/** How many requests a route takes. */
export interface LimitConfig {
  /** `100/s`, or a template that makes such a text. */
  rate: Template;
  /** Null: one second's rate, at least 1. */
  burst: number | null;
  /** Null: the client's address. */
  per: Expression | null;
  /** Null: its counts are of the route alone. */
  name: string | null;
  /** It only tells what it would refuse. */
  report: boolean;
}

export interface TracingConfig {
  /** With its path. */
  url: string;
  headers: Record<string, string>;
  serviceName: string;
  /** 0 to 1. */
  sample: number;
}

export interface AccessLogConfig {
  format: 'json' | 'combined';
  /** By the name of a member. */
  fields: Record<string, Expression>;
  when: Expression | null;
  /** 0 to 1. */
  sample: number;
  /** Absolute; null: standard output. */
  file: string | null;
}

export interface ChangeSourceConfig {
  name: string;
  reader: ChangeReaderConfig;
  /** By table: `schema.table`, `database.table`. */
  tables: Record<string, ChangeRuleConfig[]>;
  /** Milliseconds for which origins may still read old rows after a change; 0: they never do. */
  settle: number;
  /** Milliseconds that a request with `tidegate-after` waits. */
  maxWait: number;
  /** Tells one client from another: each is answered with nothing older than its own writes; null: they needn't be. */
  readYourWrites: Expression | null;
  /** Milliseconds that it may be behind, or cut off; null: without bound. */
  maxLag: number | null;
  /** What it feeds is answered even then, and said to be late. */
  servesLate: boolean;
}

/** How its changes are read. */
export type ChangeReaderConfig =
  | { kind: 'postgres'; url: string; slot: string; publication: string }
  | ChangeFeedConfig;

/** Sources other than PostgreSQL. */
export type ChangeFeedConfig =
  | { kind: 'mysql'; url: string; serverId: number }
  | {
      kind: 'kafka';
      brokers: string[];
      topics: string[];
      group: string;
      tls: boolean;
      sasl: KafkaSaslConfig | null;
    }
  | { kind: 'redis'; redis: RedisConfig; streams: string[]; group: string }
  | { kind: 'nats'; url: string; stream: string; durable: string; identity: Record<string, string[]> }
  | { kind: 'http'; token: string; maxBody: number; identity: Record<string, string[]> };

export interface KafkaSaslConfig {
  mechanism: 'PLAIN' | 'SCRAM-SHA-256' | 'SCRAM-SHA-512';
  username: string;
  password: string;
}

/** Which tags a changed row means. */
export interface ChangeRuleConfig {
  /** Over `row`, the old and the new one. */
  tags: Template[];
  /** Over `change`; null: always. */
  when: Expression | null;
  /** An update counts only when one of these has changed; null: always. */
  columns: string[] | null;
}

export interface ListenerConfig {
  name: string;
  host: string;
  port: number;
  tls: ListenerTls | null;
  http2: boolean;
  /** Addresses and CIDR ranges whose forwarded headers are believed. */
  trustedProxies: string[];
  limits: ListenerLimits;
}

export interface ListenerTls {
  /** PEM text, read from the files the config names. The first is used where the client names no host. */
  certificates: { cert: string; key: string }[];
  /** The gateway gets its certificates by itself; null: it does not. */
  acme: AcmeConfig | null;
  minVersion: 'TLSv1.2' | 'TLSv1.3';
  /** Whose certificates clients may show (PEM text); null: they are not asked for any. */
  client: { ca: string; required: boolean } | null;
}

/** Certificates of an authority that speaks ACME (RFC 8555). */
export interface AcmeConfig {
  email: string;
  /** In lower case; each gets a certificate of its own. */
  hosts: string[];
  /** URL at which the authority tells where it is asked for what. */
  directory: string;
  /** Folder of the account's key and the certificates, absolute. */
  storage: string;
  challenge: 'http-01' | 'tls-alpn-01';
  /** Whom to believe that it is the authority (PEM text); null: as everybody does. */
  ca: string | null;
  /** Ties the account to one that the authority keeps elsewhere; null: nothing does. */
  eab: { kid: string; key: string } | null;
}

/** Bytes and milliseconds; Infinity for none. */
export interface ListenerLimits {
  uri: number;
  head: number;
  headers: number;
  body: number;
  headTimeout: number;
  bodyTimeout: number;
  sendTimeout: number;
  /** Bytes a second, over 10 s; 0 for none. */
  minRate: number;
  idleTimeout: number;
  connectionsPerClient: number;
}

export interface AdminConfig {
  host: string;
  port: number;
  /** Needed unless the address is loopback. */
  token: string | null;
  hosts: string[];
  tls: ListenerTls | null;
  /** Where the main listeners tell whether the node is ready; null: they do not. */
  readyPath: string | null;
}

/** Targets that a name stands for, in place of listed ones. */
export type DiscoverConfig = DnsDiscoverConfig | ConsulDiscoverConfig | KubernetesDiscoverConfig;

export interface DnsDiscoverConfig {
  kind: 'dns';
  name: string;
  type: 'A' | 'SRV';
  scheme: Exclude<ServiceScheme, 'unix'>;
  /** For addresses; SRV records bring their own. */
  port: number;
}

export interface ConsulDiscoverConfig {
  kind: 'consul';
  /** Of its HTTP API, without a / at the end. */
  url: string;
  /** As Consul knows the service. */
  name: string;
  token: string | null;
  /** Toward Consul. */
  tls: UpstreamTlsConfig;
  scheme: Exclude<ServiceScheme, 'unix'>;
}

export interface KubernetesDiscoverConfig {
  kind: 'kubernetes';
  namespace: string;
  /** Of the service. */
  name: string;
  /** Where the pods listen, by number or by the name that the service has for it; null: the only one there is. */
  port: number | string | null;
  /** Null: that of the cluster which the gateway runs in, with the account of its pod. */
  api: KubernetesApiConfig | null;
  scheme: Exclude<ServiceScheme, 'unix'>;
}

export interface KubernetesApiConfig {
  /** Without a / at the end. */
  url: string;
  token: string | null;
  /** Toward the API. */
  tls: UpstreamTlsConfig;
}

export interface ServiceConfig {
  name: string;
  /** Empty where they are discovered. */
  targets: TargetConfig[];
  discover: DiscoverConfig | null;
  timeout: TimeoutConfig;
  host: HostConfig | null;
  tls: UpstreamTlsConfig;
  pool: { connections: number; idle: number };
  /** Requests in flight on one connection. */
  pipelining: number;
  balance: BalanceConfig;
  health: HealthConfig;
  retries: RetriesConfig;
  breaker: BreakerConfig;
  request: TransformConfig;
  response: TransformConfig;
  /** Null: the gateway shows it nothing of its own. */
  auth: { clientCredentials: ClientCredentialsConfig } | null;
}

export type BalanceConfig =
  | { kind: 'leastRequests' }
  | { kind: 'roundRobin' }
  | { kind: 'hash'; key: Expression }
  | { kind: 'cookie'; name: string };

export interface HealthConfig {
  /** Null: no active checks. */
  active: ActiveCheckConfig | null;
  /** Null: switched off. */
  passive: { errors: number; openFor: number } | null;
  /** With a smaller share of the targets in, all are used; 0 to 1. */
  panic: number;
}

/** Milliseconds. */
export interface CheckTimes {
  interval: number;
  timeout: number;
  unhealthyAfter: number;
  healthyAfter: number;
}

export type ActiveCheckConfig =
  | (CheckTimes & { kind: 'http'; path: string; method: string; status: StatusRange[] })
  | (CheckTimes & { kind: 'tcp' });

/** Both ends included. */
export type StatusRange = [from: number, to: number];

export interface RetriesConfig {
  /** Tries after the first. */
  attempts: number;
  on: { connectFailure: boolean; reset: boolean; timeout: boolean; statuses: StatusRange[] };
  /** Methods retried beside those that are idempotent. */
  methods: string[];
  /** Retries per request over 10 s; 0.2 is a fifth. */
  budget: number;
}

export interface BreakerConfig {
  maxRequests: number;
  maxPending: number;
  /** 0 to 1, of at least 20 requests in 10 s; null: off. */
  errorRate: number | null;
  /** Null: off. Milliseconds. */
  errors: { count: number; window: number } | null;
  openFor: number;
}

export interface TargetConfig {
  scheme: ServiceScheme;
  /** For `unix` the absolute path of the socket. */
  host: string;
  /** 0 for `unix`. */
  port: number;
  /** Stands before the path that the route sends; no final slash, '' for none. */
  path: string;
  weight: number;
}

/** `client`, `service`, or a template. */
export type HostConfig = { kind: 'client' } | { kind: 'service' } | { kind: 'template'; template: Template };

/** Only what was said; the route's wins over the service's, that over the defaults. Milliseconds. */
export interface TimeoutConfig {
  response?: number;
  connect?: number;
  firstByte?: number;
  idle?: number;
  total?: number;
}

export interface UpstreamTlsConfig {
  /** PEM text. */
  ca: string | null;
  cert: string | null;
  key: string | null;
  serverName: string | null;
  verify: boolean;
}

export interface RouteConfig {
  name: string;
  match: MatchConfig;
  action: ActionConfig;
  /** Null: open to everyone. */
  auth: RouteAuthConfig | null;
  timeout: TimeoutConfig;
  /** Null: the service's. */
  retries: RetriesConfig | null;
  host: HostConfig | null;
  request: TransformConfig;
  response: TransformConfig;
  maxBody: number;
  /** All hold. */
  limits: LimitConfig[];
  /** Above 0: shed last. */
  priority: number;
  /** Null, here and below: not asked for. */
  cache: RouteCacheConfig | null;
  mirror: MirrorConfig | null;
  answers: AnswersConfig;
}

/** What happens to answers on their way out, beside transforms. */
export interface AnswersConfig {
  onStatus: StatusRuleConfig[];
  errors: { body: Expression } | null;
  cors: CorsConfig | null;
  compress: CompressConfig | null;
}

export interface StatusRuleConfig {
  /** As the file spells it. */
  key: string;
  range: StatusRange;
  /** In the order in which they are tried. */
  actions: StatusActionConfig[];
}

export type StatusActionConfig =
  /** `respond.status` 0: as it was. */
  | { kind: 'respond'; respond: RespondConfig }
  | { kind: 'redirect'; redirect: RedirectConfig }
  | { kind: 'to'; to: DestinationConfig; fromService: boolean };

export interface CorsConfig {
  origins: string[];
  /** Null: what is asked for. */
  methods: string[] | null;
  headers: string[] | null;
  expose: string[];
  credentials: boolean;
  /** Seconds; null: nothing is said. */
  maxAge: number | null;
}

export interface CompressConfig {
  /** Bytes. */
  minSize: number;
  types: string[];
}

export interface MirrorConfig {
  to: DestinationConfig;
  /** 0 to 1. */
  share: number;
}

/** Empty lists and objects: no condition. */
export interface MatchConfig {
  listeners: string[];
  hosts: string[];
  paths: string[];
  methods: string[];
  headers: Record<string, ValueMatch>;
  query: Record<string, ValueMatch>;
  cookies: Record<string, ValueMatch>;
  ip: string[];
  when: Expression | null;
  ignoreCase: boolean;
}

/** Exact text, `~RE2`, present, absent. */
export type ValueMatch = string | boolean;

export type ActionConfig =
  | { kind: 'proxy'; to: DestinationConfig[]; sticky: StickyConfig | null }
  | { kind: 'respond'; respond: RespondConfig }
  | { kind: 'redirect'; redirect: RedirectConfig }
  | { kind: 'aggregate'; aggregate: AggregateConfig };

/** Several calls, and one answer made of theirs. */
export interface AggregateConfig {
  /** In the order of the file. */
  calls: CallConfig[];
  /** Milliseconds for all of it. */
  deadline: number;
  /** Null: 200. */
  status: Expression | null;
  headers: Record<string, Template | Template[]>;
  /** Null: an object with each call's body under its name. */
  body: Expression | null;
  /** Shows each call in Server-Timing. */
  timing: boolean;
}

export interface CallConfig {
  name: string;
  /** A service, one of several by weight, or another route of the gateway. */
  to: { kind: 'service'; services: { service: string; weight: number }[] } | { kind: 'route'; route: string };
  /** Null: the client's path, without its query. */
  path: Template | null;
  method: string;
  headers: Record<string, Template | Template[]>;
  /** Sent as JSON; null: none. */
  body: Expression | null;
  when: Expression | null;
  /** Null: asked once. */
  each: EachConfig | null;
  /** Only what was said; it replaces the service's and the route's. */
  timeout: TimeoutConfig;
  /** Null: the route's or the service's. */
  retries: RetriesConfig | null;
  /** Bytes, after decoding. */
  maxBody: number;
  read: 'json' | 'text' | 'base64';
  optional: boolean;
  fallback: FallbackConfig | null;
  /** A word, or CEL over `error` that yields one. */
  onError: { kind: 'word'; word: OnErrorWord } | { kind: 'expression'; expression: Expression };
  compensate: CompensateConfig | null;
  /** Null: its answers are not kept. */
  cache: RouteCacheConfig | null;
}

export type OnErrorWord = 'fail' | 'null' | 'fallback' | 'pass';

export type FallbackConfig =
  | { kind: 'expression'; expression: Expression }
  | { kind: 'value'; value: unknown };

export interface EachConfig {
  list: Expression;
  /** The variable that holds an item. */
  as: string;
  concurrency: number;
  maxItems: number;
  batch: BatchConfig | null;
}

export interface BatchConfig {
  /** Of an item. */
  key: Expression;
  /** Of the answer; null: `response.body`. */
  parts: Expression | null;
  /** Of a part; null: the parts are members of an object. */
  partKey: Expression | null;
  size: number;
  /** Milliseconds in which items of other requests are gathered too; 0: not. */
  window: number;
}

export interface CompensateConfig {
  to: CallConfig['to'];
  path: Template | null;
  method: string;
  headers: Record<string, Template | Template[]>;
  body: Expression | null;
  timeout: TimeoutConfig;
}

/** Keeps a client on its side of a weighted list. */
export interface StickyConfig {
  cookie: string;
  /** Seconds; null: until the browser ends. */
  maxAge: number | null;
}

export interface DestinationConfig {
  service: string;
  path: Template | null;
  method: string | null;
  weight: number;
}

export interface RespondConfig {
  status: number;
  /** Values are templates; a list makes several lines. */
  headers: Record<string, Template | Template[]>;
  content:
    | { kind: 'none' }
    | { kind: 'body'; text: string }
    | { kind: 'json'; value: unknown }
    | { kind: 'template'; template: Template }
    | { kind: 'file'; bytes: Buffer; type: string };
}

export interface RedirectConfig {
  status: number;
  to: Template | null;
  scheme: Template | null;
  host: Template | null;
  path: Template | null;
}

export interface TransformConfig {
  headers: {
    set: Record<string, Template | Template[]>;
    add: Record<string, Template | Template[]>;
    default: Record<string, Template | Template[]>;
    remove: string[];
    /** Null: all of them. */
    only: string[] | null;
  };
  query: { only: string[] | null };
}

/** One thing wrong with a config: where (a path of keys into the file), what, and how to mend it. */
export interface ConfigIssue {
  /** `TG_CONFIG_UNKNOWN_KEY` and the like; each is explained in docs/errors.md. */
  code: string;
  severity: 'error' | 'warning';
  path: (string | number)[];
  /** Points at the key itself rather than its value. */
  atKey?: boolean;
  /** The part of a text value that is meant: offsets into the value. */
  span?: [start: number, end: number];
  /** The other of two things that clash. */
  also?: { path: (string | number)[]; atKey?: boolean };
  /** Offsets into the text of the file, where there is no path yet: errors of its syntax. */
  at?: [start: number, end: number];
  message: string;
  /** The nearest right word, or what to do. */
  advice?: string;
}
