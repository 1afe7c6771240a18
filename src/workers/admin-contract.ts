import type { PushReply, PushRequest, SourceDescription } from '../changes/index.ts';
import type { AdminConfig } from '../config/model.ts';
import type { Explained, ExplainRequest, RouteDescription } from '../snapshot/index.ts';
import type { Logger, RecentRequest, SeriesView, WantedRequests } from '../telemetry/index.ts';
import type { DrainedTarget, ServiceDescription, TargetMode } from '../upstream/index.ts';
import type { CacheControl } from './cache-view.ts';
import type { IssueReport } from './config-reading.ts';
import type { ListeningHandle } from './contract.ts';
import type { NodeEvents } from './node-events.ts';
import type { NodeMetrics } from './node-metrics.ts';

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
  /** An address of it can't be listened on. */
  | { readonly kind: 'taken'; readonly why: string }
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
