import type { Socket } from 'node:net';
import type { HostCertificate, Proofs } from '../acme/index.ts';
import { AuthRoom } from '../auth/index.ts';
import {
  Cache,
  type Invalidation,
  Revocations,
  SharedRecords,
  SharedSecret,
  type Unseated,
} from '../cache/index.ts';
import { ChangeView, type SourceNews, type WriteNote, WriteRoom } from '../changes/index.ts';
import type { GatewayConfig } from '../config/model.ts';
import type { Failure } from '../http/errors.ts';
import type { Exchange } from '../http/exchange.ts';
import { LimitRoom } from '../limit/index.ts';
import { Pipeline, problem } from '../pipeline/index.ts';
import {
  compileSnapshot,
  type Explained,
  type ExplainRequest,
  explainRequest,
  requestVariables,
  type Snapshot,
  type SnapshotParts,
  variables,
} from '../snapshot/index.ts';
import {
  LogFiles,
  PhaseTimes,
  ProcessWatch,
  type RecentRequest,
  RecentRequests,
  SeriesTap,
  TraceRoom,
  UNMATCHED,
  type WantedRequests,
} from '../telemetry/index.ts';
import { Resolver, type ServiceDescription, Upstreams } from '../upstream/index.ts';
import { Unfinished } from '../util/unfinished.ts';
import { version } from '../util/version.ts';
import {
  type FenceNews,
  type ListeningHandle,
  NUMBER_VARIABLE,
  TOPICS,
  type WorkerCacheState,
  type WorkerGateway,
  type WorkerState,
} from '../workers/index.ts';
import { Doors } from './doors.ts';
import { clientsOnNode, joinNode, type NodeMember, newsOnNode, seenOnNode, tellSeries } from './node-link.ts';
import type { GatewayParts } from './parts.ts';
import { SequenceFollower } from './sequence-follower.ts';
import { SharedLevel } from './shared-level.ts';

/** Longest that an answer to a write waits until its next reads can't miss it; ms. */
const WRITE_PATIENCE = 5_000;

/** A gateway in this process: the pipeline, the doors before it, and the rooms that outlive a reload. */
export class Gateway implements WorkerGateway, NodeMember {
  private readonly parts: GatewayParts;
  /** What is known of services and their targets. */
  readonly upstreams: Upstreams;
  /** Who asks: providers, their decisions, and tunnels under way. */
  readonly auth: AuthRoom;
  readonly cache: Cache;
  /** What is known of the change sources. */
  readonly changes: ChangeView;
  /** Who has written what. */
  readonly writes: WriteRoom;
  private readonly secret: SharedSecret;
  private readonly sharedLevel: SharedLevel;
  private readonly logFiles: LogFiles;
  /** Requests that are over, for whoever asks why one ended as it did. */
  private readonly recent: RecentRequests;
  private readonly traces: TraceRoom;
  private readonly limits: LimitRoom;
  /** Null: there is no node to tell. */
  private readonly series: SeriesTap | null;
  private readonly snapshotParts: SnapshotParts;
  private readonly pipeline: Pipeline;
  private readonly doors: Doors;
  /** Null: the sequence is handed in. */
  private readonly sequence: SequenceFollower | null;
  private readonly readyState: { why: string | null } = { why: null };
  private readonly challenges = { answers: new Map<string, string>() };
  private snapshot: Snapshot;
  /** What is shared with other nodes is open. */
  private readonly sharing: Promise<void>;
  /** Of the node is known what must be, before anything may be sent anywhere. */
  private readonly joined: Promise<void>;
  /** From the first question on how this process is doing. */
  private watch: ProcessWatch | null = null;
  private drainUntil = Number.POSITIVE_INFINITY;
  private draining: Promise<{ cut: number }> | null = null;

  constructor(parts: GatewayParts) {
    this.parts = parts;
    const { clock, random, counters, log, bus, config } = parts;
    const shareOf = parts.shareOf ?? 1;
    const news = bus === undefined ? (parts.news ?? log) : newsOnNode(bus);
    const resolver = new Resolver(clock, parts.lookup);
    const discover = parts.discover === undefined ? {} : { discover: parts.discover };
    this.upstreams = new Upstreams({ clock, random, log, resolver, shareOf, ...discover });
    this.secret = new SharedSecret(parts.affinityKey ?? random.hex(32), clock);
    const lease = parts.lease ?? { holds: () => true };
    const invalidate = (what: Invalidation) => this.invalidate(what);
    this.cache = new Cache({ clock, random, problem, log, lease, invalidate }, config.cache.memory);
    this.sharedLevel = new SharedLevel(this.cache, this.secret, { clock, random, log, news });
    this.changes = new ChangeView(clock);
    this.writes = new WriteRoom({
      clock,
      random,
      view: this.changes,
      variables: requestVariables,
      tell: (source, key) => this.wrote(source, key),
    });
    const revocations = new Revocations(this.cache);
    this.auth = new AuthRoom({
      clock,
      random,
      log,
      resolver,
      fences: revocations,
      memory: revocations,
      nodeSecret: this.secret.current,
      records: new SharedRecords(
        () => this.cache.shared,
        clock,
        (tags) => revocations.familiesOf(tags),
      ),
      seenElsewhere: [
        ...(bus === undefined ? [] : [seenOnNode(bus, clock)]),
        async (name, ms) => (await this.cache.shared?.once(name, ms)) ?? 'away',
      ],
      variables: requestVariables,
    });
    this.logFiles = new LogFiles({ clock, log });
    this.recent = new RecentRequests(clock);
    this.traces = new TraceRoom({ clock, log, version });
    this.limits = new LimitRoom({ clock, random, log, news, shareOf, variables: requestVariables });
    this.series = bus === undefined ? null : new SeriesTap(clock, (moves) => tellSeries(bus, moves));
    const unfinished = new Unfinished();
    this.snapshotParts = {
      series: this.series,
      logFiles: this.logFiles,
      recent: this.recent,
      traces: this.traces,
      limits: this.limits,
      readyState: this.readyState,
      challenges: this.challenges,
      auth: this.auth,
      cache: this.cache,
      clock,
      random,
      counters,
      upstreams: this.upstreams,
      affinityKey: this.secret.current,
      unfinished,
    };
    this.snapshot = this.compile(config);
    this.snapshot.commit();
    this.cache.refreshWith(this.snapshot.refreshes);
    this.snapshot.overload?.start();
    this.pipeline = new Pipeline(this.snapshot, {
      clock,
      random,
      unmatched: counters.route(UNMATCHED),
      variables,
      failed: (exchange, status, failure) => this.logFailure(exchange, status, failure),
    });
    this.watchPhases();
    const nodeClients = bus === undefined || shareOf === 1 ? null : clientsOnNode(bus);
    this.doors = new Doors(config.listen, { clock, log, handler: this.pipeline, nodeClients, unfinished });
    this.joined = bus === undefined ? Promise.resolve() : joinNode(bus, this);
    this.sequence = bus === undefined ? null : new SequenceFollower(bus, this.cache, clock);
    this.sequence?.follow(config.cache);
    this.sharing = this.share(config);
  }

  get config(): GatewayConfig {
    return this.snapshot.config;
  }

  // --- A config comes into force. ---

  /** What its routes store is kept right by the change sources of the same config, whichever follows. */
  private compile(config: GatewayConfig): Snapshot {
    const { fedBy, ownWrites } = this.cache;
    try {
      const lens = this.changes.lens(config.changes);
      this.cache.fedBy = lens;
      this.cache.ownWrites = this.writes.compile(config, lens);
      const snapshot = compileSnapshot(config, this.snapshotParts);
      this.cache.countUnseated(this.cache.fedBy !== null);
      return snapshot;
    } catch (error) {
      this.cache.fedBy = fedBy;
      this.cache.ownWrites = ownWrites;
      throw error;
    }
  }

  async reload(config: GatewayConfig): Promise<void> {
    const snapshot = this.compile(config);
    this.doors.update(config.listen);
    this.cache.memory.resize(config.cache.memory);
    this.sequence?.follow(config.cache);
    await Promise.all([this.share(config), snapshot.found()]);
    this.snapshot.overload?.stop();
    this.snapshot = snapshot;
    snapshot.overload?.start();
    this.pipeline.swap(snapshot);
    this.cache.refreshWith(snapshot.refreshes);
    this.watchPhases();
    snapshot.commit();
  }

  /** Opens all that is shared with other nodes. */
  private async share(config: GatewayConfig): Promise<void> {
    await Promise.all([this.sharedLevel.follow(config.cache), this.writes.follow(config)]);
  }

  /** Where nobody can ask for metrics nothing is timed. */
  private watchPhases(): void {
    const { clock } = this.parts;
    this.pipeline.observe(this.config.admin === null ? null : new PhaseTimes(clock));
  }

  // --- Connections. ---

  /** `where`: a handle that listens, or an address to listen on. */
  async listen(name: string, where: ListeningHandle | { host: string; port: number }): Promise<void> {
    await Promise.all([this.upstreams.ready(), this.sharing, this.joined]);
    await this.sharedLevel.ready();
    return this.doors.listen(name, where);
  }

  port(name: string): number {
    return this.doors.port(name);
  }

  accept(name: string, socket: Socket): void {
    this.doors.take(name, socket);
  }

  unlisten(name: string): void {
    this.doors.close(name);
  }

  connections(): number {
    return this.doors.connections();
  }

  showCertificates(all: readonly HostCertificate[]): void {
    this.doors.showCertificates(all);
  }

  prove(proofs: Proofs): void {
    this.challenges.answers = new Map(Object.entries(proofs.http));
    this.doors.prove(proofs);
  }

  drain(timeoutMs: number): Promise<{ cut: number }> {
    this.drainUntil = this.parts.clock.now() + timeoutMs;
    // Others fill what is asked for from now on.
    this.cache.refreshWith(null);
    this.draining ??= this.end();
    return this.draining;
  }

  private async end(): Promise<{ cut: number }> {
    const ended = await this.doors.drain(() => this.drainUntil);
    this.sharedLevel.stop();
    this.sequence?.stop();
    this.upstreams.destroy();
    this.auth.close();
    this.secret.close();
    this.watch?.stop();
    this.snapshot.overload?.stop();
    this.series?.stop();
    await this.cache.close();
    await this.writes.close();
    await this.limits.close();
    await this.traces.close();
    await this.logFiles.close();
    return ended;
  }

  // --- What the node says, and is told. ---

  /** What the sequence of this node numbers; at once. How many entries it has unseated, where that is counted. */
  hearFence(news: FenceNews): Unseated {
    const { cache } = this;
    let unseated: Unseated = [];
    if ('reset' in news) cache.restart();
    else {
      // From the first number on that it hears, what it fills has a number of this sequence.
      cache.startAt(news.number);
      if (news.what === null) cache.raiseFloor(news.number);
      else unseated = cache.unseat(news.number, news.what);
    }
    this.auth.live.sweep();
    return unseated;
  }

  hearChanges(news: readonly SourceNews[]): void {
    this.changes.hear(news);
    this.cache.storableAgain();
  }

  hearWrite(note: WriteNote): void {
    this.writes.hear(note);
  }

  hearUnready(why: string | null): void {
    this.readyState.why = why;
  }

  /** Files of the access log that were moved away are opened anew. */
  reopenLogs(): void {
    this.logFiles.reopen();
  }

  private async invalidate(what: Invalidation): Promise<unknown> {
    const { bus, invalidate } = this.parts;
    return bus === undefined ? invalidate?.(what) : bus.ask(TOPICS.invalidate, what);
  }

  private async wrote(source: string, key: string): Promise<unknown> {
    const { bus, wrote } = this.parts;
    return bus === undefined ? wrote?.(source, key) : bus.ask(TOPICS.wrote, { source, key }, WRITE_PATIENCE);
  }

  // --- What it tells of itself. ---

  describe(): ServiceDescription[] {
    return this.upstreams.describe();
  }

  explain(request: ExplainRequest): Explained {
    return explainRequest(this.config, request);
  }

  state(): WorkerState {
    this.watch ??= new ProcessWatch();
    return {
      ...this.watch.state(),
      worker: Number(process.env[NUMBER_VARIABLE] ?? 1),
      connections: this.connections(),
      auth: this.auth.outcomes(),
    };
  }

  cacheState(): WorkerCacheState {
    const { fills: _, ...counts } = this.cache.counts();
    return { ...counts, limit: this.config.cache.memory, redis: this.cache.sharedState() };
  }

  recentRequests(wanted: WantedRequests): RecentRequest[] {
    return this.recent.find(wanted);
  }

  /** A 5xx, or an answer that its service broke off, is logged; what a client did is counted only. */
  private logFailure(exchange: Exchange, status: number, failure: Failure | null): void {
    if (failure?.entry.blame === 'client') return;
    const title = failure?.entry.detail ?? 'The service answered with an error.';
    this.parts.log.error(title, {
      code: failure?.code,
      status,
      route: exchange.route?.name,
      method: exchange.method,
      path: exchange.path,
      id: exchange.id,
      cause: failure?.cause,
    });
  }
}

export function createGateway(parts: GatewayParts): Gateway {
  return new Gateway(parts);
}
