import type { Socket } from 'node:net';
import { type HostCertificate, NO_PROOFS, type Proofs } from './acme/index.ts';
import { AuthRoom, type SharedSeen } from './auth/index.ts';
import {
  Cache,
  type Invalidation,
  openSharedStore,
  placeOf,
  SharedRecords,
  SharedSecret,
  type Unseated,
} from './cache/index.ts';
import { ChangeView, type SourceNews, type WriteNote, WriteRoom } from './changes/index.ts';
import type { CacheConfig, GatewayConfig, ListenerConfig } from './config/model.ts';
import type { Failure } from './http/errors.ts';
import type { Exchange } from './http/exchange.ts';
import { type AcceptHttp2, Listener, type ListenerSettings } from './http1/index.ts';
import { Http2ServerConnection } from './http2/index.ts';
import { LimitRoom } from './limit/index.ts';
import { Pipeline, problem } from './pipeline/index.ts';
import {
  compileSnapshot,
  type Explained,
  type ExplainRequest,
  explainRequest,
  requestVariables,
  type Snapshot,
  type SnapshotParts,
  variables,
} from './snapshot/index.ts';
import type { Counters, Logger } from './telemetry/index.ts';
import {
  LogFiles,
  type Moves,
  PhaseTimes,
  ProcessWatch,
  RecentRequests,
  SeriesTap,
  TraceRoom,
  UNMATCHED,
  type WantedRequests,
} from './telemetry/index.ts';
import {
  type Discover,
  type DrainedTarget,
  type HealthReport,
  type Lookup,
  Resolver,
  type ServiceDescription,
  Upstreams,
} from './upstream/index.ts';
import type { Clock } from './util/clock.ts';
import type { Random } from './util/random.ts';
import { version } from './util/version.ts';
import {
  BACKLOG,
  type Ejection,
  type FenceNews,
  type LeaseView,
  type ListeningHandle,
  NUMBER_VARIABLE,
  type SeenName,
  type SequenceNews,
  TOPICS,
  type WorkerBus,
  type WorkerCacheState,
  type WorkerGateway,
  type WorkerState,
} from './workers/index.ts';

export interface GatewayParts {
  config: GatewayConfig;
  clock: Clock;
  random: Random;
  log: Logger;
  counters: Counters;
  /** Signs the cookies that keep a client where it was; equal in all workers of a node. Default: random. */
  affinityKey?: string;
  /** Workers of this node, which share its limits. */
  shareOf?: number;
  /** To the supervisor and its other workers; a gateway by itself has none. */
  bus?: WorkerBus;
  /** May it answer from memory? Default: always. */
  lease?: LeaseView;
  /** Numbers an invalidation where there is no bus to a supervisor that does. */
  invalidate?: (what: Invalidation) => Promise<unknown>;
  /** Tells that a client has written, where there is no bus to a supervisor that does. */
  wrote?: (source: string, key: string) => Promise<unknown>;
  /** How names are followed that stand for targets, where not by DNS. */
  discover?: Discover;
  /** How names become addresses, where not as the system does it. */
  lookup?: Lookup;
}

const DRAIN_CHECK = 20;
/** How often it is asked how long tagged entries may be answered, and how long that is waited for; ms. */
export const SYNC_EVERY = 200;
const SYNC_PATIENCE = 1_000;
/** How long a request waits for what other workers have seen; ms. */
const SEEN_PATIENCE = 500;
/** Longest that an answer to a write waits until its next reads can't miss it; ms. */
const WRITE_PATIENCE = 5_000;

/** A gateway in this process: listeners, the pipeline behind them, and what outlives a reload. */
export class Gateway implements WorkerGateway {
  private readonly parts: GatewayParts;
  /** What is known of services and their targets. */
  readonly upstreams: Upstreams;
  /** Who asks: providers, their decisions, and tunnels under way. */
  readonly auth: AuthRoom;
  readonly cache: Cache;
  private readonly secret: SharedSecret;
  /** What is known of the change sources. */
  readonly changes: ChangeView;
  /** Who has written what. */
  readonly writes: WriteRoom;
  private readonly logFiles: LogFiles;
  /** Requests that are over, for whoever asks why one ended as it did. */
  private readonly recent: RecentRequests;
  private readonly traces: TraceRoom;
  private readonly limits: LimitRoom;
  /** Null: there is no node to tell. */
  private readonly series: SeriesTap | null;
  private readonly snapshotParts: SnapshotParts;
  private readonly pipeline: Pipeline;
  private readonly listeners = new Map<string, Listener>();
  /** Closed for new connections, with some still open. */
  private readonly leaving = new Set<Listener>();
  private snapshot: Snapshot;
  private drainUntil = Number.POSITIVE_INFINITY;
  /** Of the config in force: the number of reloads. */
  private life = 0;
  private sharedPlace = '';
  private followedPlace = '';
  /** What the config that is coming into force says of caches. */
  private wanted: CacheConfig;
  private sharing: Promise<void>;
  private secretAsked: Promise<void> = Promise.resolve();
  /** What the node has drained is known: before that nothing may be sent anywhere. */
  private joined: Promise<unknown> = Promise.resolve();
  private readonly readyState: { why: string | null } = { why: null };
  /** By host, those that the node got by itself. */
  private certificates: ReadonlyMap<string, HostCertificate> = new Map();
  private proofs = NO_PROOFS;
  private readonly challenges = { answers: new Map<string, string>() };
  private ended = false;
  /** From the first question on how this process is doing. */
  private watch: ProcessWatch | null = null;
  private draining: Promise<{ cut: number }> | null = null;

  constructor(parts: GatewayParts) {
    this.parts = parts;
    const { clock, random, counters, log } = parts;
    const resolver = new Resolver(clock, parts.lookup);
    const discover = parts.discover === undefined ? {} : { discover: parts.discover };
    this.upstreams = new Upstreams({
      clock,
      random,
      log,
      resolver,
      shareOf: parts.shareOf ?? 1,
      ...discover,
    });
    this.secret = new SharedSecret(parts.affinityKey ?? random.hex(32), clock);
    const lease = parts.lease ?? { holds: () => true };
    this.cache = new Cache(
      {
        clock,
        random,
        problem,
        log: parts.log,
        lease,
        invalidate: (what) => this.invalidate(what),
      },
      parts.config.cache.memory,
    );
    this.changes = new ChangeView(clock);
    this.writes = new WriteRoom({
      clock,
      random,
      view: this.changes,
      variables: requestVariables,
      tell: (source, key) => this.wrote(source, key),
    });
    this.auth = new AuthRoom({
      clock,
      random,
      log,
      resolver,
      fences: this.cache.fences,
      memory: { mayAnswer: (tags) => this.cache.mayAnswer(tags), life: () => this.cache.life },
      nodeSecret: this.secret.current,
      records: new SharedRecords(() => this.cache.shared, clock),
      seenElsewhere: [
        ...(parts.bus === undefined ? [] : [seenOnNode(parts.bus, clock)]),
        async (name, ms) => (await this.cache.shared?.once(name, ms)) ?? 'away',
      ],
      variables: requestVariables,
    });
    this.logFiles = new LogFiles({ clock, log });
    this.recent = new RecentRequests(clock);
    this.traces = new TraceRoom({ clock, log, version });
    this.limits = new LimitRoom({
      clock,
      random,
      log,
      shareOf: parts.shareOf ?? 1,
      variables: requestVariables,
    });
    const { bus } = parts;
    this.series = bus === undefined ? null : new SeriesTap(clock, (moves) => tellSeries(bus, moves));
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
    };
    this.snapshot = this.compile(parts.config);
    this.snapshot.commit();
    this.cache.refreshWith(this.snapshot.refreshes);
    this.snapshot.overload?.start();
    this.pipeline = new Pipeline(this.snapshot, {
      clock,
      random,
      unmatched: counters.route(UNMATCHED),
      variables,
      failed: (exchange, status, failure) => this.tell(exchange, status, failure),
    });
    this.watchPhases();
    this.wanted = parts.config.cache;
    if (parts.bus !== undefined) this.joinNode(parts.bus);
    this.sharing = this.share(parts.config);
  }

  /** Follows what the supervisor's checks and the other workers find out about targets. */
  private joinNode(bus: WorkerBus): void {
    const { upstreams } = this;
    const hear = (reports: unknown) => {
      for (const { service, target, up, why } of reports as HealthReport[])
        upstreams.reportHealth(service, target, up, why);
    };
    bus.on(TOPICS.health, hear);
    bus.on(TOPICS.ejected, (ejection) => {
      const { service, target, forMs, why } = ejection as Ejection;
      upstreams.reportEjected(service, target, forMs, why);
    });
    const tell = (topic: string, value: unknown) => void bus.ask(topic, value).catch(() => {});
    upstreams.news = {
      ejected: (service, target, forMs, why) =>
        tell(TOPICS.ejected, { service, target, forMs, why } satisfies Ejection),
      returned: (service, target) => tell(TOPICS.returned, { service, target } satisfies DrainedTarget),
      breaker: (service) => tell(TOPICS.breaker, service),
    };
    this.joined = Promise.all([
      follow(bus, TOPICS.drained, (targets) => upstreams.drain(targets as DrainedTarget[])),
      follow(bus, TOPICS.ready, (why) => {
        this.readyState.why = why as string | null;
      }),
      follow(bus, TOPICS.certificates, (all) => this.showCertificates(all as HostCertificate[])),
      follow(bus, TOPICS.proofs, (proofs) => this.prove(proofs as Proofs)),
    ]);
    bus.ask(TOPICS.health, null).then(hear, () => {});
    bus.on(TOPICS.state, () => this.state());
    bus.on(TOPICS.requests, (asked) => {
      return this.recent.find(asked as WantedRequests);
    });
    bus.on(TOPICS.reopen, () => this.reopenLogs());
    bus.on(TOPICS.cache, () => this.cacheState());
    bus.on(TOPICS.fences, (news) => this.hearFence(news as FenceNews));
    this.followSequence(bus);
    const hearChanges = (news: unknown) => this.hearChanges(news as SourceNews[]);
    bus.on(TOPICS.changes, hearChanges);
    bus.ask(TOPICS.changes, null).then(hearChanges, () => {});
    bus.on(TOPICS.writes, (note) => this.writes.hear(note as WriteNote));
  }

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

  /** What is told of the change sources of this node. */
  hearChanges(news: readonly SourceNews[]): void {
    this.changes.hear(news);
    this.cache.storableAgain();
  }

  /**
   * Learns where the sequence stands, and how long tagged entries may be answered: the supervisor's answer comes
   * behind every fence it has sent, so who has it has heard of all of them.
   */
  private followSequence(bus: WorkerBus): void {
    const { clock } = this.parts;
    const { life, cache } = this;
    const { redis } = this.wanted;
    const place = placeOf(this.wanted);
    // Until it has heard of the sequence that nodes share it can't know what has changed.
    if (redis !== null && place !== this.followedPlace) cache.syncedTo(Number.NEGATIVE_INFINITY);
    this.followedPlace = place;
    const ask = async (): Promise<boolean> => {
      const askedAt = clock.now();
      const news = (await bus.ask(TOPICS.sequence, null, SYNC_PATIENCE)) as SequenceNews;
      if (news.place !== place || this.life !== life) return true;
      const { number, distrust, syncedFor } = news;
      if (distrust && cache.fences.sequence === 0) cache.fences.raiseFloor(number);
      cache.startAt(number);
      cache.syncedTo(syncedFor === null ? Number.POSITIVE_INFINITY : askedAt + syncedFor);
      // Without a log that nodes share there is nothing to fall behind of.
      return redis !== null;
    };
    const again = async () => {
      const goOn = await ask().catch(() => true);
      if (goOn && !this.ended && life === this.life) clock.after(SYNC_EVERY, again);
    };
    void again();
  }

  /** Opens all that is shared with other nodes. */
  private async share(config: GatewayConfig): Promise<void> {
    await Promise.all([this.shareCache(config), this.writes.follow(config)]);
  }

  /** Opens the level that nodes share, where the config names one; another than before takes its place. */
  private async shareCache(config: GatewayConfig): Promise<void> {
    const place = placeOf(config.cache);
    if (place === this.sharedPlace) return;
    this.sharedPlace = place;
    const old = this.cache.shared;
    this.cache.shared = null;
    await old?.close();
    const shared = await openSharedStore(config.cache, () => this.cache.fences.sequence, this.parts);
    if (this.ended || place !== this.sharedPlace) return void (await shared?.close());
    this.cache.shared = shared;
    this.secretAsked = this.secret.follow(shared);
  }

  private state(): WorkerState {
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

  private async invalidate(what: Invalidation): Promise<unknown> {
    const { bus, invalidate } = this.parts;
    return bus === undefined ? invalidate?.(what) : bus.ask(TOPICS.invalidate, what);
  }

  private async wrote(source: string, key: string): Promise<unknown> {
    const { bus, wrote } = this.parts;
    return bus === undefined ? wrote?.(source, key) : bus.ask(TOPICS.wrote, { source, key }, WRITE_PATIENCE);
  }

  get config(): GatewayConfig {
    return this.snapshot.config;
  }

  /** `where`: a handle that listens, or an address to listen on. Resolves with the port. */
  async listen(name: string, where: ListeningHandle | { host: string; port: number }): Promise<void> {
    await Promise.all([this.upstreams.ready(), this.sharing, this.joined]);
    await this.secretAsked;
    const listener = this.listener(name);
    const { server } = listener;
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      const options = 'host' in where ? { ...where, backlog: BACKLOG } : where;
      // A handle brings its own backlog along only on some systems.
      const done = () => {
        server.off('error', reject);
        server.on('error', (error) =>
          this.parts.log.error('a listener failed', { listener: name, error: error.message }),
        );
        resolve();
      };
      if ('host' in where) server.listen(options, done);
      else server.listen(where, BACKLOG, done);
    });
  }

  /** The port a listener is on. */
  port(name: string): number {
    const address = this.listeners.get(name)?.server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  accept(name: string, socket: Socket): void {
    this.listener(name).server.emit('connection', socket);
    socket.resume();
  }

  unlisten(name: string): void {
    const listener = this.listeners.get(name);
    if (listener === undefined) return;
    this.listeners.delete(name);
    this.leaving.add(listener);
    listener.drain();
  }

  async reload(config: GatewayConfig): Promise<void> {
    const snapshot = this.compile(config);
    for (const listener of config.listen)
      this.listeners.get(listener.name)?.update(this.settingsOf(listener));
    this.cache.memory.resize(config.cache.memory);
    this.life++;
    this.wanted = config.cache;
    if (this.parts.bus !== undefined) this.followSequence(this.parts.bus);
    await this.share(config);
    this.snapshot.overload?.stop();
    this.snapshot = snapshot;
    snapshot.overload?.start();
    this.pipeline.swap(snapshot);
    this.cache.refreshWith(snapshot.refreshes);
    this.watchPhases();
    snapshot.commit();
  }

  /** All certificates that the node got by itself: listeners show them from the next handshake on. */
  showCertificates(all: readonly HostCertificate[]): void {
    this.certificates = new Map(all.map((certificate) => [certificate.host, certificate]));
    for (const listener of this.config.listen)
      if (listener.tls?.acme != null) this.listeners.get(listener.name)?.update(this.settingsOf(listener));
  }

  /** What an authority looks for now, to make sure that a host is ours. */
  prove(proofs: Proofs): void {
    this.proofs = proofs;
    this.challenges.answers = new Map(Object.entries(proofs.http));
    for (const listener of this.listeners.values()) listener.prove(proofs.tls);
  }

  /** Where nobody can ask for metrics nothing is timed. */
  private watchPhases(): void {
    const { clock } = this.parts;
    this.pipeline.observe(this.config.admin === null ? null : new PhaseTimes(clock));
  }

  /** Files of the access log that were moved away are opened anew. */
  reopenLogs(): void {
    this.logFiles.reopen();
  }

  connections(): number {
    return this.open().reduce((sum, listener) => sum + listener.connections.size, 0);
  }

  describe(): ServiceDescription[] {
    return this.upstreams.describe();
  }

  explain(request: ExplainRequest): Explained {
    return explainRequest(this.snapshot.config, request);
  }

  drain(timeoutMs: number): Promise<{ cut: number }> {
    this.drainUntil = this.parts.clock.now() + timeoutMs;
    for (const name of [...this.listeners.keys()]) this.unlisten(name);
    // Others fill what is asked for from now on.
    this.cache.refreshWith(null);
    this.draining ??= this.drained();
    return this.draining;
  }

  private async drained(): Promise<{ cut: number }> {
    const { clock } = this.parts;
    while (this.busy() > 0 && clock.now() < this.drainUntil) {
      await new Promise<void>((resolve) => setTimeout(resolve, DRAIN_CHECK));
    }
    let cut = 0;
    for (const listener of this.open()) {
      for (const connection of [...listener.connections]) {
        if (!connection.ending && !connection.idle) cut++;
        connection.destroy();
      }
    }
    this.ended = true;
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
    return { cut };
  }

  /** Connections on which something is under way. */
  private busy(): number {
    let busy = 0;
    for (const listener of this.open())
      for (const connection of listener.connections) if (!connection.ending) busy++;
    return busy;
  }

  private open(): Listener[] {
    for (const listener of this.leaving) if (listener.connections.size === 0) this.leaving.delete(listener);
    return [...this.listeners.values(), ...this.leaving];
  }

  private listener(name: string): Listener {
    const existing = this.listeners.get(name);
    if (existing !== undefined) return existing;
    const settings = this.settingsOf(this.configOf(name));
    const listener = new Listener(name, settings, this.parts.clock, this.pipeline, speakHttp2);
    listener.prove(this.proofs.tls);
    this.listeners.set(name, listener);
    return listener;
  }

  private configOf(name: string): ListenerConfig {
    const config = this.snapshot.config.listen.find((listener) => listener.name === name);
    if (config === undefined) throw new RangeError(`the config has no listener "${name}"`);
    return config;
  }

  /** What a listener is and shows, certificates among it that no file holds. */
  private settingsOf(listener: ListenerConfig): ListenerSettings {
    const { tls } = listener;
    if (tls?.acme == null) return listener;
    const { hosts } = tls.acme;
    const certificates = hosts.map((host) => this.certificates.get(host)).filter((one) => one !== undefined);
    const awaited = hosts.filter((host) => !this.certificates.has(host));
    return { ...listener, tls: { ...tls, certificates, awaited } };
  }

  /** A 5xx, or an answer that its service broke off, is logged; what a client did is counted only. */
  private tell(exchange: Exchange, status: number, failure: Failure | null): void {
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

/** Hears of a topic from now on, and first where it stands; resolves then, and rejects where nobody tells. */
async function follow(bus: WorkerBus, topic: string, hear: (value: unknown) => void): Promise<void> {
  let told = false;
  bus.on(topic, (value) => {
    told = true;
    hear(value);
  });
  const answer = await bus.ask(topic, null);
  // News that came together with the answer is newer than it.
  if (!told) hear(answer);
}

/** Its connection belongs to the listener. */
const speakHttp2: AcceptHttp2 = (socket, origin, context) => {
  new Http2ServerConnection(socket, origin, context);
};

/** A supervisor that can't be told is gone, and its series with it. */
function tellSeries(bus: WorkerBus, moves: Moves): void {
  bus.ask(TOPICS.series, moves).catch(() => {});
}

/** What any worker of this node has seen: its supervisor knows. */
function seenOnNode(bus: WorkerBus, clock: Clock): SharedSeen {
  return async (name, ms) => {
    try {
      const asked: SeenName = { name, until: clock.wall() + ms };
      return (await bus.ask(TOPICS.seen, asked, SEEN_PATIENCE)) === true ? 'first' : 'again';
    } catch {
      return 'away';
    }
  };
}

export function createGateway(parts: GatewayParts): Gateway {
  return new Gateway(parts);
}
