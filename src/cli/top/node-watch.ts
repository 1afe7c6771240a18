import type { SourceDescription } from '../../changes/index.ts';
import type { RouteDescription } from '../../snapshot/index.ts';
import type { Sample, SeriesView } from '../../telemetry/index.ts';
import type { NodeStatus } from '../../workers/index.ts';
import { type AdminApi, AdminTrouble } from '../admin-api.ts';
import { EventReader, type Heard } from './events.ts';
import { type Told, told } from './told.ts';

/** A service, as `/v1/services` tells it. */
export interface ServiceView {
  readonly name: string;
  readonly breaker: string;
  readonly active: number;
  readonly pending: number;
  readonly targets: readonly {
    readonly name: string;
    readonly health: string;
    readonly connections: { readonly inUse: number };
    readonly lastFailure: { readonly at: string; readonly message: string } | null;
  }[];
}

/** All that one look at a node gives. */
export interface NodeLook {
  readonly status: NodeStatus;
  readonly series: SeriesView;
  readonly routes: readonly RouteDescription[];
  readonly services: readonly ServiceView[];
  readonly sources: readonly SourceDescription[];
}

/** What is known of a node now. */
export interface NodePicture {
  readonly origin: string;
  /** Null: none yet. */
  readonly look: NodeLook | null;
  /** What moved in its last second; null where none was heard lately. */
  readonly sample: Sample | null;
  /** The newest first. */
  readonly told: readonly Told[];
  /** Why the last look failed; null: it did not. */
  readonly trouble: AdminTrouble | null;
  /** When the last good one was, ms since 1970. */
  readonly lookedAt: number;
}

/** Of one answer; ms. */
const DEADLINE = 5_000;
/** A second that was heard of is old by then; ms. */
const STALE = 2_500;
/** Events that are kept to be shown. */
const MOST_TOLD = 200;

/** Looks at a node when it is asked to, and hears its events all the time. */
export class NodeWatch {
  private readonly api: AdminApi;
  private readonly reader: EventReader;
  private readonly told: Told[] = [];
  private readonly hearings = new Set<() => void>();
  private routes: readonly RouteDescription[] | null = null;
  private sample: { at: number; value: Sample } | null = null;
  private lastLook: NodeLook | null = null;
  private trouble: AdminTrouble | null = null;
  private lookedAt = 0;

  constructor(api: AdminApi) {
    this.api = api;
    this.reader = new EventReader(api, (event) => this.heard(event));
  }

  /** Follows the events until `end`. */
  follow(): Promise<void> {
    return this.reader.run();
  }

  end(): void {
    this.reader.end();
  }

  /** Resolves with the next second that is told, or after `ms`. */
  nextSample(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const over = () => {
        clearTimeout(timer);
        this.hearings.delete(over);
        resolve();
      };
      const timer = setTimeout(over, ms);
      this.hearings.add(over);
    });
  }

  /** Asks the node how it is. One that is away is part of the picture. */
  async look(): Promise<NodePicture> {
    try {
      const [status, series, { services }, { sources }, routes] = await Promise.all([
        this.api.get<NodeStatus>('/v1/status', DEADLINE),
        this.api.get<SeriesView>('/v1/series', DEADLINE),
        this.api.get<{ services: ServiceView[] }>('/v1/services', DEADLINE),
        this.api.get<{ sources: SourceDescription[] }>('/v1/changes', DEADLINE),
        // They change with the config alone, and counting a thousand of them is work for the node.
        this.routes ?? this.api.get<{ routes: RouteDescription[] }>('/v1/routes', DEADLINE).then(routesOf),
      ]);
      const known = this.lastLook?.status.config.etag;
      this.routes = known === undefined || known === status.config.etag ? routes : null;
      this.lastLook = { status, series, services, sources, routes };
      this.trouble = null;
      this.lookedAt = Date.now();
    } catch (error) {
      if (!(error instanceof AdminTrouble)) throw error;
      this.trouble = error;
      this.routes = null;
    }
    return this.picture();
  }

  private picture(): NodePicture {
    const { lastLook: look, trouble, lookedAt, told, sample } = this;
    const fresh = sample !== null && trouble === null && Date.now() - sample.at < STALE;
    return { origin: this.api.origin, look, sample: fresh ? sample.value : null, told, trouble, lookedAt };
  }

  private heard({ type, data }: Heard): void {
    if (type === 'sample') {
      this.sample = { at: Date.now(), value: data as unknown as Sample };
      for (const hear of [...this.hearings]) hear();
      return;
    }
    if (type === 'reload') this.routes = null;
    const line = told(type, data, Date.now());
    if (line === null) return;
    this.told.unshift(line);
    if (this.told.length > MOST_TOLD) this.told.pop();
  }
}

function routesOf({ routes }: { routes: RouteDescription[] }): readonly RouteDescription[] {
  return routes;
}
