import { stripVTControlCharacters } from 'node:util';
import type { Logger } from '../telemetry/index.ts';
import type { RouteChanges } from './admin-contract.ts';
import { NoAnswer } from './channel.ts';
import {
  type ConfigOutline,
  type ConfigReading,
  ConfigRefused,
  type Edited,
  isCode,
  type ReadConfig,
  type ReadEdit,
} from './config-reading.ts';
import { readWith } from './config-source.ts';
import type { Fleet } from './fleet.ts';
import { ListenerMove } from './listener-move.ts';
import type { Listeners } from './listeners.ts';
import { listenUrl } from './listening.ts';
import { routeChanges } from './route-changes.ts';
import { FileWatch, fingerprint } from './watch.ts';
import type { WorkerProcess } from './worker-process.ts';

/** Configs that can be brought back. */
const MOST_REMEMBERED = 10;
/** After a worker has died over a config, which may not be the config's fault; ms. */
const AGAIN = 1000;
/** So long a config that has changed since may go on loading; ms. */
const PATIENCE = 1000;

/** The config that is served now. */
export interface InForce {
  readonly reading: ConfigReading;
  /** Counts the configs that were in force, from 1. */
  readonly version: number;
  /** Milliseconds since 1970. */
  readonly loadedAt: number;
  /** The file that it stands in, or `api`. */
  readonly source: string;
}

/** What stands in the file, where it can't be used. */
export interface Refusal {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly report: string;
}

export type ReloadReason = 'file' | 'signal' | 'call';
export type ReloadResult = { ok: true; etag: string } | { ok: false; report: string };

/** What came of a config that was read anew, for people to see. */
export interface ReloadEvent {
  readonly ok: boolean;
  readonly source: string;
  readonly etag: string | null;
  readonly error: string | null;
  readonly routes: RouteChanges | null;
}

export interface ReloadOptions {
  file: string;
  readConfig: ReadConfig;
  readEdit: ReadEdit;
  fleet: Fleet;
  listeners: Listeners;
  log: Logger;
  wall: () => number;
  /** Told of a config before any worker has it. */
  before: (outline: ConfigOutline) => Promise<void>;
  /** Told what came of each config that was read anew. */
  told: (reload: ReloadEvent) => void;
  /** Told what is in force now. */
  reloaded: (outline: ConfigOutline) => void;
}

/** A config that is being read by a fresh worker. */
interface Loading {
  readonly worker: WorkerProcess;
  /** Its files have changed since, and it took too long. */
  overtaken: boolean;
}

/** Swaps the config: at a change of its files, or when asked. One at a time; what can't be used changes nothing. */
export class Reloading {
  private readonly options: ReloadOptions;
  private readonly watch: FileWatch;
  private state: InForce;
  private last: Promise<ReloadResult>;
  private queued: Promise<ReloadResult> | null = null;
  private stopped = false;
  /** What the file said when it was read last. */
  private ownReading: ConfigReading;
  /** That is not in force, though it should be: it could not be put there. */
  private isOwed = false;
  /** Etag of the file as it was when it was tried once more by itself. */
  private triedAgain: string | null = null;
  private again: NodeJS.Timeout | undefined;
  private loading: Loading | null = null;
  private readonly before: InForce[] = [];
  /** Of the file as it was read last; null: that one could be used. */
  refusal: Refusal | null = null;
  /** Configs that were read anew, by what came of it. */
  readonly counts = { ok: 0, refused: 0 };

  constructor(first: InForce, options: ReloadOptions) {
    this.options = options;
    this.state = first;
    this.ownReading = first.reading;
    this.last = Promise.resolve({ ok: true, etag: first.reading.etag });
    this.watch = new FileWatch(() => this.changed());
  }

  private changed(): void {
    if (this.loading !== null) this.overtake(this.loading);
    void this.reload('file');
  }

  /** It may never end: a config that is a program may wait for what does not come. */
  private overtake(loading: Loading): void {
    setTimeout(() => {
      if (this.loading !== loading) return;
      loading.overtaken = true;
      loading.worker.kill();
    }, PATIENCE).unref();
  }

  get inForce(): InForce {
    return this.state;
  }

  /** Where it is served, with the real ports. */
  get listening(): ConfigOutline['listen'] {
    return this.options.listeners.bound(this.state.reading.outline.listen);
  }

  /** What the config's own file says. */
  get own(): ConfigReading {
    return this.ownReading;
  }

  /** Those that were in force before, the newest first. */
  get history(): readonly InForce[] {
    return this.before;
  }

  get file(): string {
    return this.options.file;
  }

  readEdit(text: string): Promise<Edited> {
    const { readEdit, file } = this.options;
    return readEdit(text, this.state.reading, this.ownReading, file);
  }

  /** Puts one in force that did not come from the file; it holds until the file changes. Rejects where it can't be. */
  replace(reading: ConfigReading, expected: string): Promise<'replaced' | 'stale'> {
    const mine = this.last.then(async () => {
      if (this.stopped) throw new Error('the gateway is draining');
      if (expected !== '*' && expected !== this.state.reading.etag) return 'stale' as const;
      await this.swap(reading, null, 'api');
      this.isOwed = false;
      return 'replaced' as const;
    });
    this.last = mine.then(
      () => ({ ok: true, etag: this.state.reading.etag }),
      (error: Error) => ({ ok: false, report: error.message }),
    );
    return mine;
  }

  /** @param seen How they looked when they were read: what has changed since then is read at once. */
  async watchFiles(seen: string): Promise<void> {
    const files = [this.options.file, ...this.state.reading.files];
    await this.watch.set(files);
    if ((await fingerprint(files)) !== seen) void this.reload('file');
  }

  /** Never rejects. Whoever asks while one waits for its turn shares that one. */
  reload(reason: ReloadReason): Promise<ReloadResult> {
    if (this.queued !== null) return this.queued;
    const mine = this.last.then(() => {
      this.queued = null;
      return this.run(reason);
    });
    this.queued = mine;
    this.last = mine;
    return mine;
  }

  /** Resolves once nothing is being swapped; then nothing is until what it gives is called. */
  async hold(): Promise<() => void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const before = this.last;
    this.last = before.then((result) => promise.then(() => result));
    await before;
    return resolve;
  }

  stop(): void {
    this.stopped = true;
    clearTimeout(this.again);
    this.watch.close();
  }

  private async run(reason: ReloadReason): Promise<ReloadResult> {
    const { file, fleet, log } = this.options;
    if (this.stopped) return { ok: false, report: 'the gateway is draining' };
    const fresh = isCode(file) ? fleet.fork() : null;
    const known = [file, ...this.state.reading.files];
    const before = await fingerprint(known);
    const loading = fresh === null ? null : { worker: fresh, overtaken: false };
    this.loading = loading;
    try {
      const reading = await readWith(file, this.options.readConfig, fresh);
      this.loading = null;
      await this.watch.set([file, ...reading.files]);
      const same = !this.isOwed && reading.etag === this.ownReading.etag;
      this.ownReading = reading;
      this.isOwed = true;
      // What was put in force over the API stays until the file changes, also when logs are rotated by SIGHUP.
      if (same && (reason === 'file' || this.state.source === 'api')) fresh?.kill();
      else await this.swap(reading, fresh, reason);
      this.isOwed = false;
      this.triedAgain = null;
      this.refusal = null;
      return { ok: true, etag: reading.etag };
    } catch (error) {
      fresh?.kill();
      this.loading = null;
      if (this.stopped) return { ok: false, report: 'the gateway is draining' };
      if (loading?.overtaken) return { ok: false, report: 'the file has changed while it was being loaded' };
      const files = error instanceof ConfigRefused ? error.files : [];
      await this.watch.set([...known, ...files]);
      const report = `${stripVTControlCharacters(
        error instanceof ConfigRefused ? error.report : (error as Error).message,
      )}${this.tryAgain(error) ? '; it is tried once more' : ''}`;
      this.counts.refused++;
      this.refusal = { at: this.options.wall(), report };
      this.options.told({ ok: false, source: file, etag: null, error: report, routes: null });
      log.error('the new config is refused, the old one stays in force', { file, reason, why: report });
      return { ok: false, report };
    } finally {
      // Written while it was being read: what was read may be neither the old nor the new.
      if ((await fingerprint(known)) !== before) void this.reload('file');
    }
  }

  /** Once, where a worker has died before it could say anything of a config. */
  private tryAgain(error: unknown): boolean {
    const { etag } = this.ownReading;
    if (!(error instanceof NoAnswer) || this.triedAgain === etag) return false;
    this.triedAgain = etag;
    this.again = setTimeout(() => void this.reload('file'), AGAIN);
    return true;
  }

  private async swap(
    reading: ConfigReading,
    fresh: WorkerProcess | null,
    reason: ReloadReason | 'api',
  ): Promise<void> {
    const { fleet, listeners, log, wall, file } = this.options;
    const version = this.state.version + 1;
    const { outline, config } = this.state.reading;
    const now = { listen: outline.listen, version: this.state.version, config };
    const before = addressesOf(outline, this.listening);
    const move = new ListenerMove(fleet, listeners, now);
    const byName = await move.open(reading.outline.listen);
    try {
      await this.options.before(reading.outline);
      const desired = { version, config: reading.config, listeners: byName };
      await (fresh === null ? fleet.reload(desired) : fleet.roll(desired, fresh));
    } catch (error) {
      await move.cancel();
      throw error;
    }
    move.commit();
    this.tellWhatWaits(reading.outline);
    this.tellWhatListens(before, addressesOf(reading.outline, listeners.bound(reading.outline.listen)));
    for (const warning of reading.warnings)
      log.warn('the config has a warning', { file, warning: stripVTControlCharacters(warning) });
    const changes = routeChanges(this.state.reading, reading);
    this.remember();
    this.state = { reading, version, loadedAt: wall(), source: reason === 'api' ? 'api' : file };
    this.options.reloaded(reading.outline);
    this.counts.ok++;
    const { source } = this.state;
    this.options.told({ ok: true, source, etag: reading.etag, error: null, routes: changes });
    log.info('the config was reloaded', {
      file,
      reason,
      etag: reading.etag,
      routes: reading.outline.routes.length,
    });
  }

  private remember(): void {
    this.before.unshift(this.state);
    if (this.before.length > MOST_REMEMBERED) this.before.pop();
  }

  private tellWhatListens(before: Addresses, now: Addresses): void {
    const { log } = this.options;
    for (const [url, name] of before) if (!now.has(url)) log.info('a listener is closed', { name, url });
    for (const [url, name] of now) if (!before.has(url)) log.info('a listener is open', { name, url });
  }

  /** `admin` and `workers` stay as they were at the start. */
  private tellWhatWaits(outline: ConfigOutline): void {
    const now = this.state.reading.outline;
    for (const key of ['admin', 'workers'] as const) {
      if (JSON.stringify(fixed(outline)[key]) === JSON.stringify(fixed(now)[key])) continue;
      this.options.log.warn(`the change of \`${key}\` waits for a restart`, { file: this.options.file });
    }
  }
}

/** Names of listeners, by where they are. */
type Addresses = Map<string, string>;

function addressesOf({ tls }: ConfigOutline, listen: ConfigOutline['listen']): Addresses {
  return new Map(listen.map((one) => [listenUrl({ ...one, tls: tls.includes(one.name) }), one.name]));
}

/** What holds until a restart: the admin listener takes new certificates, and the main ones another `readyPath`. */
function fixed({ admin, workers }: ConfigOutline): Pick<ConfigOutline, 'workers'> & { admin: object | null } {
  return {
    workers,
    admin: admin === null ? null : { ...admin, tls: admin.tls !== null, readyPath: null },
  };
}
