import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { freePort, type LabProcess, type ProcessLab, processLab } from './process-lab.ts';
import { findRedis } from './redis-program.ts';
import { type TempFolder, tempFolder } from './temp-folder.ts';
import { PATIENCE, until, within } from './waiting.ts';

/** Settings as they stand in redis.conf, such as `{ maxmemory: '20mb' }`. */
export type RedisSettings = Readonly<Record<string, string>>;

/** Nothing is saved unless a test asks, so that a restart without data is really empty. */
const SETTINGS: RedisSettings = { bind: '127.0.0.1', save: '', appendonly: 'no', 'protected-mode': 'no' };

/**
 * A Redis of its own for a test: it keeps its port over restarts, and can be frozen, killed and brought back
 * with or without what it knew. `close` (or `await using`) ends it.
 */
export class RedisServer {
  readonly port: number;
  private readonly settings: RedisSettings;
  private readonly lab: ProcessLab = processLab();
  private readonly folder: TempFolder = tempFolder();
  private process: LabProcess | null = null;

  constructor(port: number, settings: RedisSettings) {
    this.port = port;
    this.settings = settings;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  /** Of a cluster's node: where the other nodes reach it. */
  get busPort(): number | undefined {
    const port = this.settings['cluster-port'];
    return port === undefined ? undefined : Number(port);
  }

  get pid(): number {
    return this.running().pid;
  }

  /** Microseconds of CPU that it has used. */
  cpu(): number {
    return this.running().cpu();
  }

  /** Starts it, if it doesn't run, with what `save` wrote last. Resolves once it answers. */
  async start(): Promise<void> {
    if (this.process !== null) return;
    const program = findRedis();
    if (program === undefined) throw new Error('no redis-server or valkey-server on the PATH');
    const settings = { ...SETTINGS, dir: this.folder.path, port: String(this.port), ...this.settings };
    const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]);
    this.process = this.lab.start(program, args);
    const started = this.process;
    const answers = until(
      async () => started.exited !== null || (await this.command('PING').catch(() => null)) === 'PONG',
      'Redis to answer',
    );
    await answers.catch((error: Error) => Promise.reject(new Error(`${error.message}\n${started.output}`)));
    if (started.exited !== null) throw new Error(`Redis ended:\n${started.output}`);
  }

  /** Ends it as a crash would: what `save` hasn't written is lost. */
  async kill(): Promise<void> {
    await this.process?.kill();
    this.process = null;
  }

  /** Kills it and starts it again, with what `save` wrote last or empty. */
  async restart({ data }: { data: 'saved' | 'none' }): Promise<void> {
    await this.kill();
    if (data === 'none') this.forget();
    await this.start();
  }

  /** Writes a snapshot that the next start begins with. */
  async save(): Promise<void> {
    await this.command('SAVE');
  }

  /** Takes the snapshot away. */
  forget(): void {
    const file = join(this.folder.path, 'dump.rdb');
    if (existsSync(file)) rmSync(file);
  }

  /** Stops it in the middle of whatever it does: its sockets stay open and nothing is answered. */
  freeze(): void {
    this.running().signal('SIGSTOP');
  }

  thaw(): void {
    this.running().signal('SIGCONT');
  }

  /** Asks it, on a connection made for this one question. */
  async command(name: string, ...args: (string | number | Buffer)[]): Promise<unknown> {
    return await this.commandAt(this.port, name, ...args);
  }

  /** Asks what listens on another port, such as a sentinel. */
  async commandAt(port: number, name: string, ...args: (string | number | Buffer)[]): Promise<unknown> {
    // Only here: most tests have no use for it.
    const { Redis } = await import('ioredis');
    const client = new Redis({ port, host: '127.0.0.1', lazyConnect: true, retryStrategy: null });
    client.on('error', () => {});
    try {
      const asked = client.connect().then(() => client.call(name, args));
      return await within(asked, () => `Redis doesn't answer ${name}`, PATIENCE);
    } finally {
      client.disconnect();
    }
  }

  async close(): Promise<void> {
    await this.lab.close();
    this.folder.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  private running(): LabProcess {
    if (this.process === null) throw new Error('this Redis is not running');
    return this.process;
  }
}

/** Starts a Redis on a free port; on another one, where somebody took that in the meantime. */
export async function redisServer(settings: RedisSettings = {}): Promise<RedisServer> {
  for (let attempt = 1; ; attempt++) {
    const server = new RedisServer(await freePort(), settings);
    try {
      await server.start();
      return server;
    } catch (error) {
      await server.close();
      if (attempt === 3 || !/in use/.test(String(error))) throw error;
    }
  }
}
