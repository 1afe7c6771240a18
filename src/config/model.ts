/**
 * The configuration after loading: defaults filled in, shorthands written out, durations in milliseconds,
 * sizes in bytes, `none` as Infinity. What a user may write is `schema/`; this is what the rest compiles from.
 */

import type { AggregateConfig } from './aggregate-model.ts';
import type { ProviderConfig, RouteAuthConfig } from './auth-model.ts';
import type { CacheConfig, RouteCacheConfig } from './cache-model.ts';
import type { ChangeSourceConfig } from './changes-model.ts';
import type { AdminConfig, ListenerConfig } from './listener-model.ts';
import type {
  HostConfig,
  RetriesConfig,
  ServiceConfig,
  StatusRange,
  TimeoutConfig,
} from './service-model.ts';

export type * from './aggregate-model.ts';
export type * from './auth-model.ts';
export type * from './cache-model.ts';
export type * from './changes-model.ts';
export type * from './listener-model.ts';
export type * from './service-model.ts';

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
  unmatched: { auth: RouteAuthConfig | null; response: TransformConfig; answers: AnswersConfig };
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

/** `fromService`: only in the place of what the service itself has answered. */
export type StatusActionConfig = { fromService: boolean } & (
  | { /** Its `status` 0: as it was. */ kind: 'respond'; respond: RespondConfig }
  | { kind: 'redirect'; redirect: RedirectConfig }
  | { kind: 'to'; to: DestinationConfig }
);

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
