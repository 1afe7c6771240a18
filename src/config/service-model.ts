/** What `services` compiles from: targets, and how they are found, asked and judged; part of the model, and imported through it. */
import type { ServiceScheme } from '../util/service-scheme.ts';
import type { ClientCredentialsConfig } from './auth-model.ts';
import type { Expression, Template, TransformConfig } from './model.ts';

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
  /** Null: off. Milliseconds. `inARow`: a success in between starts the count anew. */
  errors: { count: number; window: number; inARow?: boolean } | null;
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
