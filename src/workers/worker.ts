import { flushCompileCache } from 'node:module';
import type { Socket } from 'node:net';
import type { GatewayConfig } from '../config/model.ts';
import type { ExplainRequest } from '../snapshot/index.ts';
import { Counters, createLogger, type Logger, type PackedRows, stdoutWriter } from '../telemetry/index.ts';
import { systemClock } from '../util/clock.ts';
import { systemRandom } from '../util/random.ts';
import { Channel, type Message } from './channel.ts';
import type { ConfigReading } from './config-reading.ts';
import {
  type CreateGateway,
  KEY_VARIABLE,
  NUMBER_VARIABLE,
  type StartMessage,
  type WorkerGateway,
} from './contract.ts';
import { Lease, RENEW_EVERY } from './lease.ts';

export interface WorkerProgram {
  createGateway: CreateGateway;
  /** Only called for a config that is a program, so that a worker loads no parser it does not need. */
  loadCode: (file: string) => Promise<{ config: GatewayConfig; reading: ConfigReading }>;
}

/** What is under way when the supervisor dies has this long; its port is free at once. */
const ORPHAN_DRAIN = 3000;
const PARENT_CHECK = 1000;

/** Runs this process as a worker, until its supervisor lets it go or dies. */
export function runWorker(program: WorkerProgram): void {
  const number = Number(process.env[NUMBER_VARIABLE]);
  if (process.send === undefined || Number.isNaN(number))
    throw new Error('a worker is started by `tidegate run` only');
  new Worker(program, createLogger().with({ worker: number })).run();
}

class Worker {
  private readonly program: WorkerProgram;
  private readonly log: Logger;
  private readonly counters = new Counters();
  private readonly lease = new Lease(systemClock);
  private readonly channel = new Channel({ send: sendToParent });
  private readonly topics = new Map<string, (value: unknown) => unknown>();
  private gateway: WorkerGateway | null = null;
  private loaded: GatewayConfig | null = null;
  private orphan = false;

  constructor(program: WorkerProgram, log: Logger) {
    this.program = program;
    this.log = log;
  }

  run(): void {
    // The supervisor hears the terminal's and the service manager's signals and says what follows.
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGUSR1', 'SIGUSR2'] as const)
      process.on(signal, () => {});
    process.on('uncaughtException', (error) => this.crash(error));
    process.on('unhandledRejection', (error) => this.crash(error));
    process.on('message', (message, handle) => this.receive(message as Message, handle as never));
    process.on('disconnect', () => void this.orphaned());
    this.watchParent();
    this.serveCalls();
    this.renewLease();
  }

  private receive(message: Message, handle: never): void {
    if (message.kind === 'renewed') this.lease.renewed(message.askedAt);
    else this.channel.receive(message, handle);
  }

  private serveCalls(): void {
    const { channel } = this;
    channel.on('load', (file) => this.load(file as string));
    channel.on('start', (start) => this.start(start as StartMessage));
    channel.on('reload', (config) => this.running.reload(config as GatewayConfig));
    channel.on('listen', (name, handle) => this.running.listen(name as string, handle as object));
    channel.on('accept', (name, socket) => this.running.accept(name as string, socket as Socket));
    channel.on('unlisten', (name) => this.running.unlisten(name as string));
    channel.on('counters', () => this.counters.pack());
    channel.on('services', () => this.running.describe());
    channel.on('explain', (request) => this.running.explain(request as ExplainRequest));
    channel.on('drain', (timeout) => this.drain(timeout as number));
    channel.on('exit', () => void leave(0));
    channel.on('broadcast', (value) => this.hear(value as { topic: string; value: unknown }));
  }

  private get running(): WorkerGateway {
    if (this.gateway === null) throw new Error('the worker has not started');
    return this.gateway;
  }

  private async load(file: string): Promise<ConfigReading> {
    const { config, reading } = await this.program.loadCode(file);
    this.loaded = config;
    return { ...reading, config: null };
  }

  private async start({ config, workers }: StartMessage): Promise<void> {
    const chosen = config ?? this.loaded;
    if (chosen === null) throw new Error('there is no config to start with');
    this.loaded = null;
    this.gateway = await this.program.createGateway({
      config: chosen,
      clock: systemClock,
      random: systemRandom,
      log: this.log,
      counters: this.counters,
      lease: this.lease,
      shareOf: workers,
      ...(process.env[KEY_VARIABLE] === undefined ? {} : { affinityKey: process.env[KEY_VARIABLE] }),
      bus: {
        on: (topic, handle) => void this.topics.set(topic, handle),
        ask: (topic, value, deadline = 5000) => this.channel.call(topic, value, { deadline }),
      },
    });
    // The cache is else written at exit only, which a worker that is killed never reaches.
    setTimeout(() => flushCompileCache(), 2000).unref();
  }

  private async drain(timeout: number): Promise<{ cut: number; counters: PackedRows }> {
    const { cut } = await this.running.drain(timeout);
    return { cut, counters: this.counters.pack() };
  }

  private hear({ topic, value }: { topic: string; value: unknown }): unknown {
    return this.topics.get(topic)?.(value);
  }

  private renewLease(): void {
    const renew = () => sendToParent({ kind: 'renew', askedAt: systemClock.now() } satisfies Message);
    renew();
    setInterval(renew, RENEW_EVERY).unref();
  }

  /** A supervisor that died without closing the channel (its descriptor lives on in another child of it). */
  private watchParent(): void {
    const parent = process.ppid;
    setInterval(() => {
      if (process.ppid !== parent) void this.orphaned();
    }, PARENT_CHECK).unref();
  }

  private async orphaned(): Promise<void> {
    if (this.orphan) return;
    this.orphan = true;
    if (this.gateway === null) return leave(0);
    this.log.error('the supervisor is gone; this worker closes its listeners and ends');
    const guard = setTimeout(() => void leave(1), ORPHAN_DRAIN + 500);
    const { cut } = await this.gateway.drain(ORPHAN_DRAIN);
    clearTimeout(guard);
    await leave(cut === 0 ? 0 : 1);
  }

  private crash(error: unknown): void {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    this.log.error('the worker failed and ends', { error: text });
    void leave(70);
  }
}

/** The channel may close at any moment; what can't be sent then has nobody to read it. */
function sendToParent(message: unknown): void {
  if (process.connected) process.send?.(message, undefined, {}, () => {});
}

async function leave(code: number): Promise<void> {
  if (await stdoutWriter().flush(500)) process.exit(code);
  // The reader of the log is stuck: Node's own exit would wait for it without end.
  process.kill(process.pid, 'SIGKILL');
}
