import { NodeCertificates } from '../acme/index.ts';
import { type Invalidation, NodeSequence } from '../cache/index.ts';
import { NodeChanges } from '../changes/index.ts';
import { type Logger, type Moves, Series, sumOfPhases, UNMATCHED } from '../telemetry/index.ts';
import { ActiveChecks, type TargetMode } from '../upstream/index.ts';
import type { Clock } from '../util/clock.ts';
import { systemRandom } from '../util/random.ts';
import { SeenNames } from '../util/seen-names.ts';
import { type CacheControl, cacheControl } from './cache-view.ts';
import type { Channel } from './channel.ts';
import { configControl } from './config-control.ts';
import { readWith } from './config-source.ts';
import {
  type AdminServer,
  COUNT_VARIABLE,
  type ConfigOutline,
  isCode,
  KEY_VARIABLE,
  type NodeView,
  type ReadConfig,
  type ReadEdit,
  type SeenName,
  type SequenceNews,
  type StartAdmin,
  TOPICS,
  type Wrote,
} from './contract.ts';
import { usableCores } from './cores.ts';
import { holdersOf } from './fence-holders.ts';
import { Fleet } from './fleet.ts';
import { Listeners } from './listeners.ts';
import { authority, inheritedListener, type OpenListener, openListener } from './listening.ts';
import { NodeClients } from './node-clients.ts';
import { NodeEvents } from './node-events.ts';
import { type NodeMetrics, sumOutcomes } from './node-metrics.ts';
import { NodeTargets } from './node-targets.ts';
import { purgeShown } from './purge-shown.ts';
import { Readiness } from './readiness.ts';
import { Reloading } from './reload.ts';
import { onSignals } from './signals.ts';
import { type Estate, type Inheritance, inherit, startSuccessor } from './succession.ts';
import { fingerprint } from './watch.ts';

export interface SuperviseOptions {
  /** The config file, absolute. */
  file: string;
  /** The module that a worker process runs; it calls `runWorker`. */
  entry: URL;
  /** For configs that are data. */
  readConfig: ReadConfig;
  /** For those that come over the network. */
  readEdit: ReadEdit;
  startAdmin: StartAdmin;
  version: string;
  log: Logger;
  clock: Clock;
  /** Called once, when requests are served. */
  onServing: (serving: Serving) => void;
}

export interface Serving {
  outline: ConfigOutline;
  workers: number;
  /** With the real port where 0 was asked for. */
  listeners: { name: string; host: string; port: number; tls: boolean }[];
  admin: { host: string; port: number; tls: boolean } | null;
  warnings: string[];
}

/**
 * Runs the gateway in worker processes until it is told to end. Resolves with the exit code: 0 when all that was
 * under way ended, 1 when some of it was cut. Throws `ConfigRefused`, `ListenError` and what else keeps it from
 * starting; nothing is left running then.
 */
export function supervise(options: SuperviseOptions): Promise<number> {
  return new Supervisor(options).run();
}

/** Names of a purge that watchers are told. */
const MOST_SHOWN = 100;

class Supervisor {
  private readonly options: SuperviseOptions;
  private readonly log: Logger;
  /** Checks of targets run here, once for all workers. */
  private readonly checks: ActiveChecks;
  private readonly targets: NodeTargets;
  private readonly readiness: Readiness;
  private readonly fleet: Fleet;
  /** Numbers the invalidations of this node. */
  private readonly sequence: NodeSequence;
  /** Reads the change sources, for all workers. */
  private readonly changes: NodeChanges;
  /** Gets the certificates that no file holds. */
  private readonly certificates: NodeCertificates;
  private listeners = new Listeners();
  private adminSocket: OpenListener | null = null;
  /** The address that it was bound to, whatever the config says by now. */
  private adminKey = '';
  private admin: AdminServer | null = null;
  private reloading: Reloading | null = null;
  private readonly events: NodeEvents;
  private readonly series: Series;
  /** What counts once on this node. */
  private readonly seen = new SeenNames();
  private readonly clients = new NodeClients();
  private readonly startedAt: number;
  private readonly end = Promise.withResolvers<number>();
  private phase: 'starting' | 'serving' | 'draining' = 'starting';
  /** Of a successor that starts; null: none does. */
  private succession: AbortController | null = null;

  constructor(options: SuperviseOptions) {
    this.options = options;
    this.log = options.log;
    this.startedAt = options.clock.now();
    this.events = new NodeEvents(options.clock.wall());
    this.series = new Series(options.clock);
    this.series.onSample((sample) => this.events.pass('sample', sample));
    this.checks = new ActiveChecks(options.clock, systemRandom, (report) => {
      const { service, target, up, why } = report;
      this.events.publish('health', { service, target, state: up ? 'in' : 'out', why });
      void this.fleet.broadcast(TOPICS.health, [report]);
    });
    this.targets = new NodeTargets({
      events: this.events,
      broadcast: (topic, value) => this.fleet.broadcast(topic, value),
      tellOthers: (channel, topic, value) => this.fleet.tellOthers(channel, topic, value),
      services: () => this.fleet.services(),
    });
    this.readiness = new Readiness(options.clock, (why) => void this.fleet.broadcast(TOPICS.ready, why));
    process.env[KEY_VARIABLE] ??= systemRandom.hex(32);
    this.fleet = new Fleet({
      entry: options.entry,
      clock: options.clock,
      log: options.log,
      onRequest: (channel) => this.serveWorker(channel),
      codeFile: isCode(options.file) ? options.file : null,
    });
    const { clock, log } = options;
    this.sequence = new NodeSequence(
      holdersOf(this.fleet, () => this.changes),
      { clock, log, random: systemRandom },
    );
    this.changes = new NodeChanges({
      clock,
      log,
      random: systemRandom,
      sequence: this.sequence,
      announce: (news) => this.fleet.broadcast(TOPICS.changes, news),
      announceWrites: (note) => this.fleet.broadcast(TOPICS.writes, note),
      publish: ({ type, data }) => this.events.publish(type, data),
    });
    this.certificates = new NodeCertificates({
      clock,
      log,
      random: systemRandom,
      show: (all) => this.fleet.broadcast(TOPICS.certificates, all),
      prove: (proofs) => this.fleet.broadcast(TOPICS.proofs, proofs),
    });
  }

  async run(): Promise<number> {
    const release = onSignals({
      end: () => void this.drain('signal'),
      endNow: () => void this.cut(),
      reload: () => this.hangup(),
      succeed: () => void this.succeed(),
    });
    // Whatever ends this process, no worker is left.
    const killWorkers = () => void this.fleet.kill();
    process.on('exit', killWorkers);
    // Nothing else may keep this process going while its only worker is dead.
    const keepAlive = setInterval(() => {}, 60_000);
    try {
      await Promise.race([this.start(), this.end.promise]);
      return await this.end.promise;
    } finally {
      clearInterval(keepAlive);
      await this.fleet.kill();
      this.listeners.close();
      this.admin?.close();
      this.reloading?.stop();
      this.checks.stop();
      this.series.stop();
      this.readiness.stop();
      await this.certificates.stop();
      await this.changes.stop();
      await this.sequence.close();
      process.off('exit', killWorkers);
      release();
    }
  }

  /** Whoever moves log files away says so by SIGHUP, whatever has become of the config meanwhile. */
  private hangup(): void {
    void this.fleet.broadcast(TOPICS.reopen, null);
    void this.reloading?.reload('signal');
  }

  private async start(): Promise<void> {
    const { file, clock, readConfig } = this.options;
    // It boots while the config is read.
    const first = this.fleet.fork();
    const before = await fingerprint([file]);
    const [inheritance, reading] = await Promise.all([inherit(), readWith(file, readConfig, first)]);
    const seen = [before, ...(await Promise.all(reading.files.map((other) => fingerprint([other]))))].join(
      '\n',
    );
    const { outline } = reading;
    this.targets.inherit(inheritance?.drained ?? []);
    this.targets.follow(outline);
    this.listeners = new Listeners(inheritance?.sockets);
    const change = await this.listeners.prepare(outline.listen);
    change.commit();
    this.adminSocket = await this.bindAdmin(outline, inheritance);
    await this.certificates.prepare(outline.acme);
    const workers = outline.workers === 'auto' ? usableCores() : outline.workers;
    process.env[COUNT_VARIABLE] = String(workers);
    await this.fleet.start({ version: 1, config: reading.config, listeners: change.byName }, workers, first);
    this.reloading = new Reloading(
      { reading, version: 1, loadedAt: clock.wall(), source: file },
      {
        file,
        readConfig,
        readEdit: this.options.readEdit,
        fleet: this.fleet,
        listeners: this.listeners,
        log: this.log,
        wall: clock.wall,
        told: (reload) => this.events.publish('reload', reload),
        before: (next) => this.certificates.prepare(next.acme),
        reloaded: (next) => {
          this.certificates.follow(next.acme);
          this.checks.apply(next.checks);
          if (next.admin !== null) this.admin?.renew(next.admin);
          this.targets.follow(next);
          void this.sequence.follow(next.cache, next.queryRules).then(() => this.changes.follow(next));
        },
      },
    );
    await this.sequence.follow(outline.cache, outline.queryRules);
    await this.changes.follow(outline);
    this.phase = 'serving';
    // A source that has one reader is the predecessor's until this version serves.
    if (inheritance !== null) this.readiness.set(null);
    else this.readiness.welcomeOnce(() => this.missing());
    this.checks.apply(outline.checks);
    this.certificates.follow(outline.acme);
    await Promise.all([this.startAdmin(outline), this.reloading.watchFiles(seen)]);
    this.options.onServing({
      outline,
      workers,
      listeners: [...change.byName].map(([name, { host, port }]) => ({
        name,
        host,
        port,
        tls: outline.tls.includes(name),
      })),
      admin: this.adminShown(outline),
      warnings: reading.warnings,
    });
    inheritance?.serving();
    // What no listener of this version stands on would else take connections that nobody accepts.
    for (const handle of inheritance?.sockets.values() ?? []) inheritedListener(handle, '').close();
  }

  /** What workers ask, and tell each other, about targets. */
  private serveWorker(channel: Channel): void {
    channel.on(TOPICS.invalidate, (what) => this.sequence.invalidate(what as Invalidation));
    channel.on(TOPICS.changes, () => this.changes.news());
    channel.on(TOPICS.wrote, (wrote) => {
      const { source, key } = wrote as Wrote;
      return this.changes.wrote(source, key);
    });
    channel.on(TOPICS.sequence, () => {
      const { sequence: number, connected } = this.sequence.state();
      const syncedFor = this.sequence.syncedFor();
      const { at: place } = this.sequence;
      return { number, distrust: connected === false, syncedFor, place } satisfies SequenceNews;
    });
    channel.on(TOPICS.series, (moves) => this.series.add(moves as Moves));
    channel.on(TOPICS.seen, (asked) => {
      const { name, until } = asked as SeenName;
      return this.seen.isNew(name, until, this.options.clock.wall());
    });
    channel.on(TOPICS.health, () => this.checks.reports());
    this.targets.serve(channel);
    this.clients.serve(channel);
    channel.on(TOPICS.certificates, () => this.certificates.certificates);
    channel.on(TOPICS.proofs, () => this.certificates.proofs);
    channel.on(TOPICS.ready, () => this.readiness.why);
  }

  private async bindAdmin(
    { admin }: ConfigOutline,
    inheritance: Inheritance | null,
  ): Promise<OpenListener | null> {
    if (admin === null) return null;
    this.adminKey = adminKey(admin);
    const handle = inheritance?.sockets.get(this.adminKey);
    inheritance?.sockets.delete(this.adminKey);
    if (handle !== undefined) return inheritedListener(handle, admin.host);
    return openListener(admin.host, admin.port, { key: 'admin' });
  }

  private adminShown({ admin }: ConfigOutline): Serving['admin'] {
    if (admin === null || this.adminSocket === null) return null;
    const { host, port } = this.adminSocket;
    return { host, port, tls: admin.tls !== null };
  }

  private async startAdmin({ admin }: ConfigOutline): Promise<void> {
    if (admin === null || this.adminSocket === null) return;
    const { handle } = this.adminSocket;
    this.admin = await this.options.startAdmin({ config: admin, handle, view: this.view(), log: this.log });
  }

  private view(): NodeView {
    return {
      status: () => {
        const { inForce, refusal } = this.reloading!;
        const { reading, loadedAt, source } = inForce;
        return {
          version: this.options.version,
          uptime: Math.round(this.options.clock.now() - this.startedAt) / 1000,
          workers: this.fleet.readyCount,
          config: {
            etag: reading.etag,
            loadedAt: new Date(loadedAt).toISOString(),
            source,
            refused: refusal && { at: new Date(refusal.at).toISOString(), error: refusal.report },
          },
          listeners: reading.outline.listen.map(({ name, host, port }) => ({
            name,
            address: authority(host, port),
          })),
        };
      },
      unready: () => {
        if (this.readiness.why !== null) return this.readiness.why;
        return this.fleet.readyCount === 0 ? 'no worker is ready' : null;
      },
      services: () => this.fleet.services(),
      steerTarget: (service, target, mode) => this.steerTarget(service, target, mode),
      explain: (request) => this.fleet.explain(request),
      changes: () => this.changes.describe(),
      posted: (source) => this.posted(source),
      push: (source, request) => this.changes.push(source, request),
      ...this.cacheControl(),
      events: this.events,
      routes: async () => {
        const sums = await this.fleet.counters();
        const { outline, lines } = this.reloading!.inForce.reading;
        return {
          routes: outline.routes.map((route) => ({
            route,
            line: lines[route.name] ?? null,
            row: sums.get(route.name),
          })),
          unmatched: sums.get(UNMATCHED),
        };
      },
      series: () => this.series.view(),
      metrics: () => this.metrics(),
      recent: (wanted) => this.fleet.recent(wanted),
      ...configControl(this.reloading!),
    };
  }

  /** While a successor starts it has been told already what is drained. */
  private async steerTarget(
    service: string,
    target: string,
    mode: TargetMode,
  ): ReturnType<NodeView['steerTarget']> {
    if (this.succession !== null) return 'handing over';
    return this.targets.steer(service, target, mode);
  }

  private posted(source: string): ReturnType<NodeView['posted']> {
    const { changes } = this.reloading!.inForce.reading.outline;
    const reader = Object.hasOwn(changes, source) ? changes[source]!.reader : null;
    return reader?.kind === 'http' ? reader : null;
  }

  /** A source that is stopped does not come by itself: nobody waits for it. */
  private missing(): string | null {
    const waits = this.changes.describe().filter(({ state }) => state === 'connecting' || state === 'lost');
    return waits.length === 0 ? null : `not followed yet: ${waits.map(({ name }) => name).join(', ')}`;
  }

  private cacheControl(): CacheControl {
    const control = cacheControl(this.sequence, () => this.fleet.caches());
    return {
      ...control,
      purge: async (what) => {
        const done = await control.purge(what);
        this.events.publish('purge', { ...purgeShown(what, MOST_SHOWN), ...done });
        return done;
      },
    };
  }

  private async metrics(): Promise<NodeMetrics> {
    const { clock, version } = this.options;
    const [sums, services, caches, workers] = await Promise.all([
      this.fleet.counters(),
      this.fleet.services(),
      cacheControl(this.sequence, () => this.fleet.caches()).cache(),
      this.fleet.states(),
    ]);
    const { reading, loadedAt } = this.reloading!.inForce;
    const names = [...reading.outline.routes.map(({ name }) => name), UNMATCHED];
    return {
      version,
      startedAt: clock.wall() - (clock.now() - this.startedAt),
      loadedAt,
      reloads: this.reloading!.counts,
      certificates: [...reading.outline.certificates, ...this.certificates.describe()],
      orders: this.certificates.orders(),
      routes: new Map(names.flatMap((name) => (sums.has(name) ? [[name, sums.get(name)!] as const] : []))),
      phases: sumOfPhases(sums.values()),
      services,
      cache: caches,
      changes: this.changes.describe(),
      workers,
      auth: sumOutcomes(workers.map(({ auth }) => auth)),
    };
  }

  private async drain(why: string): Promise<void> {
    if (this.phase === 'draining') return;
    if (this.phase === 'starting') return this.end.resolve(0);
    this.phase = 'draining';
    // Who ends the gateway means the version that is about to take over, too.
    if (why === 'signal') this.succession?.abort();
    // A successor welcomes what comes over connections that are still this one's.
    if (why === 'signal') this.readiness.set('the gateway is draining');
    const { delay, timeout } = this.reloading!.inForce.reading.outline.drain;
    this.reloading!.stop();
    // Whoever takes over finds no order under way.
    const settled = this.certificates.stop();
    this.log.info('draining', { why, delayMs: delay, timeoutMs: timeout });
    // Whoever asks /readyz has this long to send its clients elsewhere. A successor needs no such notice.
    if (why === 'signal' && delay > 0) await new Promise((resolve) => setTimeout(resolve, delay));
    // The successor reads the sources now; without Redis this node's place in them is its own.
    if (why === 'successor') await this.changes.handOver();
    await settled;
    const left = this.fleet.drain(timeout);
    this.listeners.close();
    const cut = await left;
    if (cut > 0) this.log.warn('some connections were cut', { connections: cut });
    this.log.info('drained');
    this.end.resolve(cut === 0 ? 0 : 1);
  }

  private async cut(): Promise<void> {
    this.log.warn('ending at once');
    await this.fleet.kill();
    this.end.resolve(1);
  }

  /** SIGUSR2. */
  private async succeed(): Promise<void> {
    if (this.phase !== 'serving' || this.succession !== null) return;
    this.succession = new AbortController();
    const { signal } = this.succession;
    this.log.info('starting the new version');
    // Both read the same files: a swap meanwhile would close what is handed over, or bind what the successor binds.
    const goOn = await this.reloading!.hold();
    try {
      const { pid } = await startSuccessor(this.estate(), signal);
      this.log.info('the new version serves', { pid });
    } catch (error) {
      this.succession = null;
      if (signal.aborted) this.log.info('the new version is ended before it serves');
      else this.log.error('the new version does not start, this one goes on', { error });
      return goOn();
    }
    this.admin?.leave();
    const drained = this.drain('successor');
    // What waits is told that this version drains.
    goOn();
    await drained;
  }

  private estate(): Estate {
    const sockets = new Map(this.listeners.byKey);
    if (this.adminSocket !== null) sockets.set(this.adminKey, this.adminSocket);
    return { sockets, drained: this.targets.inDrain };
  }
}

function adminKey({ host, port }: { host: string; port: number }): string {
  return `admin|${host}|${port}`;
}
