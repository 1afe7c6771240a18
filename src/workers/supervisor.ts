import { type Invalidation, NodeSequence } from '../cache/index.ts';
import { NodeChanges } from '../changes/index.ts';
import { type Logger, type Moves, Series, sumOfPhases, UNMATCHED } from '../telemetry/index.ts';
import { ActiveChecks } from '../upstream/index.ts';
import type { Clock } from '../util/clock.ts';
import { systemRandom } from '../util/random.ts';
import { type CacheControl, cacheControl } from './cache-view.ts';
import type { Channel } from './channel.ts';
import { configControl } from './config-control.ts';
import { readWith } from './config-source.ts';
import {
  COUNT_VARIABLE,
  type ConfigOutline,
  type Ejection,
  isCode,
  KEY_VARIABLE,
  type NodeView,
  type ReadConfig,
  type ReadEdit,
  type SequenceNews,
  type StartAdmin,
  TOPICS,
} from './contract.ts';
import { usableCores } from './cores.ts';
import { holdersOf } from './fence-holders.ts';
import { Fleet } from './fleet.ts';
import { Listeners } from './listeners.ts';
import { inheritedListener, type OpenListener, openListener } from './listening.ts';
import { NodeEvents } from './node-events.ts';
import { type NodeMetrics, sumOutcomes } from './node-metrics.ts';
import { Reloading } from './reload.ts';
import { onSignals } from './signals.ts';
import { type Inheritance, inherit, startSuccessor } from './succession.ts';

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
  admin: { host: string; port: number } | null;
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

class Supervisor {
  private readonly options: SuperviseOptions;
  private readonly log: Logger;
  /** Checks of targets run here, once for all workers. */
  private readonly checks: ActiveChecks;
  private readonly fleet: Fleet;
  /** Numbers the invalidations of this node. */
  private readonly sequence: NodeSequence;
  /** Reads the change sources, for all workers. */
  private readonly changes: NodeChanges;
  private listeners = new Listeners();
  private adminSocket: OpenListener | null = null;
  private admin: { close(): void } | null = null;
  private reloading: Reloading | null = null;
  private readonly events: NodeEvents;
  private readonly series: Series;
  private readonly startedAt: number;
  private readonly end = Promise.withResolvers<number>();
  private phase: 'starting' | 'serving' | 'draining' = 'starting';
  private succeeding = false;

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
      publish: ({ type, data }) => this.events.publish(type, data),
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
    const [inheritance, reading] = await Promise.all([inherit(), readWith(file, readConfig, first)]);
    const { outline } = reading;
    this.listeners = new Listeners(inheritance?.sockets);
    const change = await this.listeners.prepare(outline.listen);
    change.commit();
    this.adminSocket = await this.bindAdmin(outline, inheritance);
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
        reloaded: (next) => {
          this.checks.apply(next.checks);
          void this.sequence.follow(next.cache).then(() => this.changes.follow(next));
        },
      },
    );
    await this.sequence.follow(outline.cache);
    await this.changes.follow(outline);
    this.phase = 'serving';
    this.checks.apply(outline.checks);
    await Promise.all([this.startAdmin(outline), this.reloading.watchFiles()]);
    this.options.onServing({
      outline,
      workers,
      listeners: [...change.byName].map(([name, { host, port }]) => ({
        name,
        host,
        port,
        tls: outline.tls.includes(name),
      })),
      admin: this.adminSocket,
      warnings: reading.warnings,
    });
    inheritance?.serving();
  }

  /** What workers ask, and tell each other, about targets. */
  private serveWorker(channel: Channel): void {
    channel.on(TOPICS.invalidate, (what) => this.sequence.invalidate(what as Invalidation));
    channel.on(TOPICS.changes, () => this.changes.news());
    channel.on(TOPICS.sequence, () => {
      const { sequence: number, connected } = this.sequence.state();
      const syncedFor = this.sequence.syncedFor();
      const { at: place } = this.sequence;
      return { number, distrust: connected === false, syncedFor, place } satisfies SequenceNews;
    });
    channel.on(TOPICS.series, (moves) => this.series.add(moves as Moves));
    channel.on(TOPICS.health, () => this.checks.reports());
    channel.on(TOPICS.ejected, (ejection) => this.heardEjected(ejection as Ejection));
  }

  private heardEjected(ejection: Ejection): void {
    const { service, target, forMs, why } = ejection;
    this.events.publish('health', { service, target, state: 'out', why, seconds: Math.round(forMs / 1000) });
    void this.fleet.broadcast(TOPICS.ejected, ejection);
  }

  private async bindAdmin(
    { admin }: ConfigOutline,
    inheritance: Inheritance | null,
  ): Promise<OpenListener | null> {
    if (admin === null) return null;
    const handle = inheritance?.sockets.get(adminKey(admin));
    if (handle !== undefined) return inheritedListener(handle, admin.host);
    return openListener(admin.host, admin.port, { key: 'admin' });
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
            address: `${host.includes(':') ? `[${host}]` : host}:${port}`,
          })),
        };
      },
      unready: () => {
        if (this.phase !== 'serving') return `the gateway is ${this.phase}`;
        return this.fleet.readyCount === 0 ? 'no worker is ready' : null;
      },
      services: () => this.fleet.services(),
      explain: (request) => this.fleet.explain(request),
      changes: () => this.changes.describe(),
      push: (source, request) => this.changes.push(source, request),
      ...this.cacheControl(),
      events: this.events,
      routes: async () => {
        const sums = await this.fleet.counters();
        const { outline, lines } = this.reloading!.inForce.reading;
        return outline.routes.map((route) => ({
          route,
          line: lines[route.name] ?? null,
          row: sums.get(route.name),
        }));
      },
      unmatched: async () => (await this.fleet.counters()).get(UNMATCHED),
      series: () => this.series.view(),
      metrics: () => this.metrics(),
      recent: (wanted) => this.fleet.recent(wanted),
      ...configControl(this.reloading!),
    };
  }

  private cacheControl(): CacheControl {
    const control = cacheControl(this.sequence, () => this.fleet.caches());
    return {
      ...control,
      purge: async (what) => {
        const done = await control.purge(what);
        this.events.publish('purge', { ...what, ...done });
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
    const { delay, timeout } = this.reloading!.inForce.reading.outline.drain;
    this.reloading!.stop();
    this.log.info('draining', { why, delayMs: delay, timeoutMs: timeout });
    // Whoever asks /readyz has this long to send its clients elsewhere. A successor needs no such notice.
    if (why === 'signal' && delay > 0) await new Promise((resolve) => setTimeout(resolve, delay));
    // The successor reads the sources now; without Redis this node's place in them is its own.
    if (why === 'successor') await this.changes.handOver();
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
    if (this.phase !== 'serving' || this.succeeding) return;
    this.succeeding = true;
    this.log.info('starting the new version');
    const sockets = new Map(this.listeners.byKey);
    const { admin } = this.reloading!.inForce.reading.outline;
    if (admin !== null && this.adminSocket !== null) sockets.set(adminKey(admin), this.adminSocket);
    try {
      const { pid } = await startSuccessor(sockets);
      this.log.info('the new version serves', { pid });
    } catch (error) {
      this.log.error('the new version does not start, this one goes on', { error });
      this.succeeding = false;
      return;
    }
    this.admin?.close();
    await this.drain('successor');
  }
}

function adminKey({ host, port }: { host: string; port: number }): string {
  return `admin|${host}|${port}`;
}
