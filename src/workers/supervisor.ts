import type { Logger } from '../telemetry/index.ts';
import { type Clock, LONGEST_WAIT } from '../util/clock.ts';
import { systemRandom } from '../util/random.ts';
import type { NodeView, StartAdmin } from './admin-contract.ts';
import { AdminDoor } from './admin-door.ts';
import { TOPICS } from './bus-topics.ts';
import { NoAnswer } from './channel.ts';
import {
  type ConfigOutline,
  type ConfigReading,
  ConfigRefused,
  isCode,
  type ReadConfig,
  type ReadEdit,
} from './config-reading.ts';
import { readWith } from './config-source.ts';
import { COUNT_VARIABLE, KEY_VARIABLE } from './contract.ts';
import { usableCores } from './cores.ts';
import { Fleet } from './fleet.ts';
import { type ListenerChange, Listeners } from './listeners.ts';
import { inheritedListener } from './listening.ts';
import { NodeDuties } from './node-duties.ts';
import { nodeView } from './node-view.ts';
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
  /** Called once signals are heard. */
  onHearing: () => void;
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

/** The life of a node: it starts, serves, hands over to a new version, drains, ends. */
class Supervisor {
  private readonly options: SuperviseOptions;
  private readonly log: Logger;
  private readonly fleet: Fleet;
  private readonly duties: NodeDuties;
  private readonly admin: AdminDoor;
  private listeners = new Listeners();
  private reloading: Reloading | null = null;
  /** By the clock's `now`, and by its `wall`. */
  private readonly startedAt: number;
  private readonly bornAt: number;
  private readonly end = Promise.withResolvers<number>();
  private phase: 'starting' | 'serving' | 'draining' = 'starting';
  /** Of a successor that starts; null: none does. */
  private succession: AbortController | null = null;

  constructor(options: SuperviseOptions) {
    const { entry, clock, log, file } = options;
    this.options = options;
    this.log = log;
    this.startedAt = clock.now();
    this.bornAt = clock.wall();
    process.env[KEY_VARIABLE] ??= systemRandom.hex(32);
    this.fleet = new Fleet({
      entry,
      clock,
      log,
      onRequest: (channel) => this.duties.serve(channel),
      codeFile: isCode(file) ? file : null,
    });
    this.duties = new NodeDuties(this.fleet, clock, log);
    this.admin = new AdminDoor(options.startAdmin, log);
  }

  async run(): Promise<number> {
    const release = onSignals({
      end: () => void this.drain('signal'),
      endNow: () => void this.cut(),
      reload: () => this.hangup(),
      reopen: () => this.reopenLogs(),
      succeed: () => void this.succeed(),
    });
    this.options.onHearing();
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
      this.admin.close();
      this.reloading?.stop();
      await this.duties.stop();
      process.off('exit', killWorkers);
      release();
    }
  }

  private async start(): Promise<void> {
    const { file, readConfig } = this.options;
    // It boots while the config is read.
    const first = this.fleet.fork();
    const before = await fingerprint([file]);
    const [inheritance, reading] = await Promise.all([
      inherit(),
      readWith(file, readConfig, first).catch((error: Error) => blameProgram(file, error)),
    ]);
    const seen = [before, ...(await Promise.all(reading.files.map((other) => fingerprint([other]))))].join(
      '\n',
    );
    const { outline } = reading;
    if (inheritance !== null) this.duties.targets.inherit(inheritance);
    this.duties.targets.follow(outline);
    const listeners = await this.bind(outline, inheritance);
    await this.duties.certificates.prepare(outline.acme);
    const workers = outline.workers === 'auto' ? usableCores() : outline.workers;
    process.env[COUNT_VARIABLE] = String(workers);
    const desired = { version: 1, config: reading.config, listeners };
    await Promise.all([
      // Workers ask for it first of all: what they fill before they know of it counts for nothing. While a predecessor
      // tells of changes as applied that this version may not have heard of, it is to count for nothing.
      inheritance === null ? this.duties.number(outline) : null,
      this.fleet.start(desired, workers, first).catch((error: Error) => blameProgram(file, error)),
    ]);
    const reloading = this.reloadingFrom(reading);
    this.reloading = reloading;
    await this.duties.begin(outline);
    this.phase = 'serving';
    // A source that has one reader is the predecessor's until this version serves.
    this.duties.welcome(inheritance === null);
    await Promise.all([this.admin.open(outline.admin, this.view(reloading)), reloading.watchFiles(seen)]);
    this.options.onServing(this.serving(reading, workers, listeners));
    inheritance?.serving();
    // What no listener of this version stands on would else take connections that nobody accepts.
    for (const handle of inheritance?.sockets.values() ?? []) inheritedListener(handle, '').close();
  }

  private async bind(
    { listen, admin }: ConfigOutline,
    inheritance: Inheritance | null,
  ): Promise<ListenerChange['byName']> {
    this.listeners = new Listeners(inheritance?.sockets);
    const { byName, commit } = await this.listeners.prepare(listen);
    commit();
    await this.admin.bind(admin, inheritance?.sockets);
    return byName;
  }

  private reloadingFrom(reading: ConfigReading): Reloading {
    const { file, readConfig, readEdit, clock } = this.options;
    return new Reloading(
      { reading, version: 1, loadedAt: clock.wall(), source: file },
      {
        file,
        readConfig,
        readEdit,
        fleet: this.fleet,
        listeners: this.listeners,
        log: this.log,
        wall: clock.wall,
        told: (reload) => this.duties.events.publish('reload', reload),
        before: (next) => this.duties.certificates.prepare(next.acme),
        reloaded: (next) => {
          this.duties.follow(next);
          this.admin.renew(next.admin);
        },
      },
    );
  }

  private view(reloading: Reloading): NodeView {
    const { fleet, duties, startedAt, bornAt } = this;
    const { version, clock } = this.options;
    const isHandingOver = () => this.succession !== null;
    return nodeView({ version, clock, startedAt, bornAt, fleet, duties, reloading, isHandingOver });
  }

  private serving(
    { outline, warnings }: ConfigReading,
    workers: number,
    listeners: ListenerChange['byName'],
  ): Serving {
    return {
      outline,
      workers,
      listeners: [...listeners].map(([name, { host, port }]) => ({
        name,
        host,
        port,
        tls: outline.tls.includes(name),
      })),
      admin: this.admin.shown(outline.admin),
      warnings,
    };
  }

  /** Whoever moves log files away says so by SIGHUP, whatever has become of the config meanwhile. */
  private hangup(): void {
    this.reopenLogs();
    void this.reloading?.reload('signal');
  }

  private reopenLogs(): void {
    void this.fleet.broadcast(TOPICS.reopen, null);
  }

  private async drain(why: string): Promise<void> {
    if (this.phase === 'draining') return;
    if (this.phase === 'starting') return this.end.resolve(0);
    this.phase = 'draining';
    // Who ends the gateway means the version that is about to take over, too.
    if (why === 'signal') this.succession?.abort();
    // A successor welcomes what comes over connections that are still this one's.
    if (why === 'signal') this.duties.readiness.set('the gateway is draining');
    const { delay, timeout } = this.reloading!.inForce.reading.outline.drain;
    this.reloading!.stop();
    // Whoever takes over finds no order under way.
    const settled = this.duties.certificates.stop();
    this.log.info('draining', { why, delayMs: delay, timeoutMs: timeout });
    // Whoever asks /readyz has this long to send its clients elsewhere. A successor needs no such notice.
    if (why === 'signal' && delay > 0)
      await new Promise((resolve) => setTimeout(resolve, Math.min(delay, LONGEST_WAIT)));
    // The successor reads the sources now; without Redis this node's place in them is its own.
    if (why === 'successor') await this.duties.changes.handOver();
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
    this.admin.leave();
    const drained = this.drain('successor');
    // What waits is told that this version drains.
    goOn();
    await drained;
  }

  private estate(): Estate {
    const sockets = new Map([...this.listeners.byKey, ...this.admin.sockets]);
    const { targets } = this.duties;
    return { sockets, drained: targets.inDrain, standing: targets.standing() };
  }
}

/** A config that is a program takes its worker with it where it throws beside what it exports, or exits. */
function blameProgram(file: string, error: Error): never {
  if (!isCode(file) || !(error instanceof NoAnswer)) throw error;
  throw new ConfigRefused(`${file}: error: the config does not stay loaded: ${error.message}`, [file]);
}
