import type { Socket } from 'node:net';
import { type AcmeListener, acmeListeners } from '../acme/index.ts';
import { type Invalidation, type QueryRule, queryRules } from '../cache/index.ts';
import type { PushReply, PushRequest, SourceDescription } from '../changes/index.ts';
import type { AdminConfig, CacheConfig, GatewayConfig, ListenerConfig } from '../config/model.ts';
import {
  describeRoute,
  type Explained,
  type ExplainRequest,
  type RouteDescription,
} from '../snapshot/index.ts';
import type { Counters, Logger, RecentRequest, SeriesView, WantedRequests } from '../telemetry/index.ts';
import {
  type CheckPlans,
  checkPlans,
  type DrainedTarget,
  type ServiceDescription,
  type TargetMode,
  targetName,
} from '../upstream/index.ts';
import type { Clock } from '../util/clock.ts';
import type { Random } from '../util/random.ts';
import type { CacheControl } from './cache-view.ts';
import type { NodeEvents } from './node-events.ts';
import type { NodeMetrics } from './node-metrics.ts';
import { certificatesOfFiles, type ShownCertificate } from './shown-certificates.ts';

/**
 * What a worker process runs: one gateway, that listens on handles given to it. `src/gateway.ts` builds it;
 * the workers know no more of it than this.
 */
export interface WorkerGateway {
  /**
   * Accepts on a listener of the config: `handle` goes to `net.Server.listen(handle, BACKLOG)`. Resolves when
   * connections are accepted; rejects with the server's error (EADDRINUSE).
   */
  listen(name: string, handle: ListeningHandle): Promise<void>;
  /**
   * Only where the platform can't hand over a listening handle: the listener is there without a handle,
   * and takes connections that another process accepted.
   */
  accept(name: string, socket: Socket): void;
  /**
   * Accepts no more on it. Its idle connections close, what is under way ends with `Connection: close`,
   * tunnels and streams go on.
   */
  unlisten(name: string): void;
  /** Swaps in another config; rejects, and changes nothing, if it does not compile. */
  reload(config: GatewayConfig): Promise<void>;
  /**
   * All listeners close, what is under way has `timeoutMs` (Infinity: as long as it takes) to end. Resolves
   * when no connection is left, with how many had to be cut. May be called again with another time:
   * the newest holds for all callers.
   */
  drain(timeoutMs: number): Promise<{ cut: number }>;
  /** Open client connections. */
  connections(): number;
  /** What this worker knows of its services and their targets. */
  describe(): ServiceDescription[];
  /** What would become of a request; throws `BadRequest` for one that makes no sense. */
  explain(request: ExplainRequest): Explained;
}

/** An open socket that listens, opaque: `net.Server.listen` takes it. */
export type ListeningHandle = object;

/** The environment variable in which a worker finds its number. */
export const NUMBER_VARIABLE = 'TIDEGATE_WORKER';

/**
 * The environment variable that holds the node's key for its own cookies: made by the supervisor, the same in
 * each worker and in a successor.
 */
export const KEY_VARIABLE = 'TIDEGATE_NODE_KEY';

/** What a worker is told to begin with. */
export interface StartMessage {
  /** Null: what it loaded itself. */
  readonly config: GatewayConfig | null;
  /** Workers of the node. */
  readonly workers: number;
}

/** Environment variable of the supervisor in which it keeps how many workers its node has. */
export const COUNT_VARIABLE = 'TIDEGATE_WORKERS';

/**
 * What goes over the bus: about targets (which are drained among it), whether requests are welcome at the node, the
 * state of caches (asked of workers), invalidations (told to them), and what they ask: to number an invalidation,
 * where the sequence stands, and how long tagged answers may be given; what is known of change sources (told to
 * workers, and asked by them); certificates that the node got by itself, and what shows an authority that their hosts
 * are its own (told to workers, and asked by them); that log files are to be opened anew; what moved (told by workers,
 * for the series of the node); and connections of clients (told by workers, which hear how many the node has).
 */
export const TOPICS = {
  health: 'health',
  ejected: 'ejected',
  returned: 'returned',
  breaker: 'breaker',
  failed: 'failed',
  drained: 'drained',
  ready: 'ready',
  cache: 'cache',
  fences: 'fences',
  invalidate: 'invalidate',
  sequence: 'sequence',
  changes: 'changes',
  wrote: 'wrote',
  writes: 'writes',
  certificates: 'certificates',
  proofs: 'proofs',
  reopen: 'reopen',
  state: 'state',
  requests: 'requests',
  series: 'series',
  seen: 'seen',
  clientEntered: 'clientEntered',
  clientLeft: 'clientLeft',
} as const;

/** That a client has written, as a worker tells it. */
export interface Wrote {
  source: string;
  key: string;
}

/** An invalidation under its number, as it goes to workers; `what` null: the floor rises to it; `reset`: another sequence begins. */
export type FenceNews = { number: number; what: Invalidation | null } | { reset: true };

/** What a worker is told of the sequence. */
export interface SequenceNews {
  number: number;
  /** Not all that was invalidated is known to Redis: who comes new trusts nothing that is older. */
  distrust: boolean;
  /** Milliseconds, from when it asked, for which tagged entries may be answered; null: without bound. */
  syncedFor: number | null;
  /** Where that sequence stands (`placeOf`): it may be another than the one of the worker's config for a moment. */
  place: string;
}

/** A name that counts once on this node, until then (ms since 1970). Answered with whether it was new. */
export interface SeenName {
  name: string;
  until: number;
}

/** A target that one worker has taken out, for its siblings. */
export interface Ejection {
  service: string;
  target: string;
  forMs: number;
  why: string;
}

/** Connections that wait to be accepted; the system may allow fewer (somaxconn). */
export const BACKLOG = 4096;

export interface GatewayParts {
  config: GatewayConfig;
  clock: Clock;
  random: Random;
  log: Logger;
  counters: Counters;
  lease: LeaseView;
  /** Workers of this node, which share its limits. */
  shareOf?: number;
  /** Signs the cookies that keep a client where it was. */
  affinityKey?: string;
  bus: WorkerBus;
}

export type CreateGateway = (parts: GatewayParts) => WorkerGateway | Promise<WorkerGateway>;

/** May this worker answer from what it remembers? Only while it is sure to have heard of every change. */
export interface LeaseView {
  /** Reads the clock at each call. */
  holds(): boolean;
}

/** A worker's end of the bus. Values are anything that structured cloning can carry. */
export interface WorkerBus {
  /** What the supervisor broadcasts on a topic; it counts as acknowledged once `handle` is through. */
  on(topic: string, handle: (value: unknown) => unknown): void;
  /** Asks the supervisor; rejects when it does not answer within `deadlineMs`. */
  ask(topic: string, value: unknown, deadlineMs?: number): Promise<unknown>;
}

/** What the supervisor needs to know of a config, functions or not. */
export interface ConfigOutline {
  listen: Pick<ListenerConfig, 'name' | 'host' | 'port'>[];
  tls: string[];
  /** Certificates that stand in files. */
  certificates: ShownCertificate[];
  /** Listeners whose certificates the node gets by itself. */
  acme: AcmeListener[];
  admin: AdminConfig | null;
  workers: number | 'auto';
  drain: { delay: number; timeout: number };
  routes: RouteDescription[];
  services: string[];
  /** Names of the targets by service; null: they are discovered. */
  targets: Record<string, string[] | null>;
  cache: CacheConfig;
  /** How its routes bring queries into the keys of their caches. */
  queryRules: QueryRule[];
  /** What a config that is a program says of sources is data too. */
  changes: GatewayConfig['changes'];
  /** Targets that are checked, once for the node. */
  checks: CheckPlans;
}

export interface ConfigReading {
  outline: ConfigOutline;
  /** Null where it has functions and can't be sent: then each worker reads the file itself. */
  config: GatewayConfig | null;
  /** Every file that it stands in or names, absolute: what is watched. */
  files: string[];
  /** Hash of all that was read. */
  etag: string;
  /** Ready to print. */
  warnings: string[];
  /** The line of its file, from 1, at which each route stands; empty where it stands in no text. */
  lines: Readonly<Record<string, number>>;
  /** As it was read, nothing filled in: what an edit over the network is held against. Null for a program. */
  raw: unknown;
  /** The same, as it may be shown: secrets are masked. */
  shown: unknown;
}

/** One thing that is wrong or odd in a config, as data. */
export interface IssueReport {
  readonly code: string;
  readonly severity: 'error' | 'warning';
  readonly message: string;
  readonly path: string;
  readonly line?: number;
  readonly column?: number;
  /** How to mend it. */
  readonly suggestion?: string;
}

/** What comes of a config that came over the network; `reading` null: it has errors. */
export interface Edited {
  readonly reading: ConfigReading | null;
  readonly issues: readonly IssueReport[];
}

/** Reads a config that came over the network. `own`: what the file itself says. */
export type ReadEdit = (
  text: string,
  inForce: ConfigReading,
  own: ConfigReading,
  file: string,
) => Promise<Edited>;

/** How the routes of one config differ from those of another, by name. */
export interface RouteChanges {
  readonly added: readonly string[];
  readonly removed: readonly string[];
  readonly changed: readonly string[];
}

export type ReplaceResult =
  | { readonly kind: 'replaced'; readonly etag: string; readonly routes: RouteChanges }
  /** Its file is a program. */
  | { readonly kind: 'code' }
  /** Another one is in force than the one that is to be replaced. */
  | { readonly kind: 'stale' }
  | { readonly kind: 'invalid'; readonly issues: readonly IssueReport[] }
  | { readonly kind: 'failed'; readonly why: string }
  /** There is no such config among those that were in force. */
  | { readonly kind: 'unknown' };

/** The config of a node, as the admin API steers it. */
export interface ConfigControl {
  /** Secrets masked. */
  config(): { etag: string; value: unknown };
  /** @param ifMatch The etag of the one that is to be replaced; `*`: whichever is in force. */
  replaceConfig(text: string, ifMatch: string): Promise<ReplaceResult>;
  validateConfig(
    text: string,
  ): Promise<{ issues: readonly IssueReport[]; routes: RouteChanges | null } | 'code'>;
  /** Those that were in force, the newest first, at most ten. */
  configHistory(): readonly { etag: string; loadedAt: string; source: string }[];
  /** Brings one of them back; the newest where none is named. */
  rollbackConfig(etag: string | null): Promise<ReplaceResult>;
}

/** Why a config can't be used: `report` is ready to print. `files` are still worth watching. */
export class ConfigRefused extends Error {
  readonly report: string;
  readonly files: string[];

  constructor(report: string, files: string[]) {
    super(firstLine(report));
    this.report = report;
    this.files = files;
  }
}

function firstLine(text: string): string {
  return text.trimStart().split('\n', 1)[0] ?? '';
}

/** Reads and checks a config file; throws `ConfigRefused`. */
export type ReadConfig = (file: string) => Promise<ConfigReading>;

export function outlineOf(config: GatewayConfig): ConfigOutline {
  return {
    listen: config.listen.map(({ name, host, port }) => ({ name, host, port })),
    tls: config.listen.filter((listener) => listener.tls !== null).map((listener) => listener.name),
    certificates: certificatesOfFiles(config),
    acme: acmeListeners(config),
    admin: config.admin,
    workers: config.workers,
    drain: config.drain,
    routes: Object.values(config.routes).map(describeRoute),
    services: Object.keys(config.services),
    targets: targetsOf(config),
    cache: config.cache,
    queryRules: queryRules(config),
    changes: config.changes,
    checks: checkPlans(config),
  };
}

function targetsOf({ services }: GatewayConfig): ConfigOutline['targets'] {
  return Object.fromEntries(
    Object.values(services).map(({ name, discover, targets }) => [
      name,
      discover === null ? targets.map(targetName) : null,
    ]),
  );
}

/** A config that is a program: only a fresh process may load it. */
export function isCode(file: string): boolean {
  return /\.[cm]?[jt]s$/.test(file);
}

/** What the node tells of itself: what the admin listener serves. */
export interface NodeView extends CacheControl, ConfigControl {
  readonly events: NodeEvents;
  status(): NodeStatus;
  /** Null when requests are welcome, else why not. */
  unready(): string | null;
  /**
   * Every route of the config in force, in its order, with its row of counters and its line in the file (null: none); and
   * the row of what no route took.
   */
  routes(): Promise<{
    routes: { route: RouteDescription; line: number | null; row: Float64Array | undefined }[];
    unmatched: Float64Array | undefined;
  }>;
  /** Every service as all workers together know it. */
  services(): Promise<ServiceDescription[]>;
  /** Drains a target, or takes it in again, on all workers. Null: no service has such a target. */
  steerTarget(
    service: string,
    target: string,
    mode: TargetMode,
  ): Promise<DrainedTarget | null | 'handing over'>;
  /** The last ten minutes, second by second. */
  series(): SeriesView;
  /** All that `/metrics` tells. */
  metrics(): Promise<NodeMetrics>;
  /** Requests that are over and still remembered, the newest first. */
  recent(wanted: WantedRequests): Promise<RecentRequest[]>;
  /** What would become of a request, by the config in force. Rejects with code BAD_REQUEST for one that makes no sense. */
  explain(request: ExplainRequest): Promise<Explained>;
  /** The change sources, in the order of the config. */
  changes(): SourceDescription[];
  /** What a source that events are posted to asks of whoever does; null: there is none of that name. */
  posted(source: string): { readonly token: string; readonly maxBody: number } | null;
  /** Events for a source that they are posted to; null: there is no such source. */
  push(source: string, request: PushRequest): Promise<PushReply> | null;
}

export interface NodeStatus {
  version: string;
  /** Seconds. */
  uptime: number;
  /** Those that serve now. */
  workers: number;
  config: {
    etag: string;
    loadedAt: string;
    source: string;
    /** What is wrong with the file as it stands now; null: nothing. */
    refused: { at: string; error: string } | null;
  };
  listeners: readonly { name: string; address: string }[];
}

export interface AdminParts {
  config: AdminConfig;
  /** The bound socket; null: bind `config.host` and `config.port`. */
  handle: ListeningHandle | null;
  view: NodeView;
  log: Logger;
}

export interface AdminServer {
  /** What it shows, and whose certificates it takes, from the next connection on. */
  renew(config: AdminConfig): void;
  /** Another process has the address now: what is under way is answered, streams end. */
  leave(): void;
  close(): void;
}

export type StartAdmin = (parts: AdminParts) => Promise<AdminServer>;
