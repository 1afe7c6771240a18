import { type ChildProcess, fork } from 'node:child_process';
import type { Socket } from 'node:net';
import type { Explained, ExplainRequest } from '../snapshot/index.ts';
import { type PackedRows, packRows } from '../telemetry/index.ts';
import type { ServiceDescription } from '../upstream/index.ts';
import type { Clock } from '../util/clock.ts';
import { Channel, type Message, RemoteError } from './channel.ts';
import type { ConfigReading } from './config-reading.ts';
import { COUNT_VARIABLE, NUMBER_VARIABLE, type StartMessage } from './contract.ts';
import { GrantedLease } from './lease.ts';
import { listenError, type OpenListener } from './listening.ts';

/** A compile of many thousand routes is done long before. */
const START_DEADLINE = 30_000;
const CALL_DEADLINE = 10_000;

/** What a worker is to run: a config (null: what it loaded itself) with its number, and its listeners by name. */
export interface Desired {
  readonly version: number;
  readonly config: unknown;
  readonly listeners: ReadonlyMap<string, OpenListener>;
}

/** One worker process as the supervisor sees it. */
export class WorkerProcess {
  readonly number: number;
  readonly child: ChildProcess;
  readonly channel: Channel;
  readonly lease: GrantedLease;
  /** Resolves with a sentence on how it ended. */
  readonly gone: Promise<string>;
  /** Runs the config and accepts on every listener. */
  ready = false;
  retired = false;
  dead = false;
  /** Ticks of the watchdog without a sign of life. */
  silence = 0;
  private version = 0;
  private readonly listening = new Map<string, OpenListener>();
  /** What it is known to have counted. */
  counted = packRows([]);
  private turn: Promise<unknown> = Promise.resolve();

  constructor(entry: URL, number: number, clock: Clock, onRequest: (channel: Channel) => void) {
    this.number = number;
    this.lease = new GrantedLease(clock);
    this.child = fork(entry, [], {
      serialization: 'advanced',
      env: { ...process.env, [NUMBER_VARIABLE]: String(number) },
    });
    this.channel = new Channel({ send: (message, handle) => this.send(message, handle) });
    onRequest(this.channel);
    this.child.on('message', (message, handle) => this.receive(message as Message, handle as never));
    this.gone = new Promise((resolve) => {
      const over = (how: string) => {
        this.dead = true;
        this.ready = false;
        this.channel.close(`the worker ${how}`);
        resolve(how);
      };
      this.child.on('error', (error) => over(`could not be started: ${error.message}`));
      this.child.on('exit', (code, signal) =>
        over(signal === null ? `ended with code ${code}` : `was killed by ${signal}`),
      );
    });
  }

  get pid(): number | undefined {
    return this.child.pid;
  }

  /** Loads a config that is a program. Rejects with `RemoteError` carrying the report. */
  async load(file: string): Promise<ConfigReading> {
    return (await this.channel.call('load', file, { deadline: START_DEADLINE })) as ConfigReading;
  }

  /** Brings the worker to what is desired. One at a time: a later wish waits for the earlier one. */
  converge(desired: Desired): Promise<void> {
    const run = () => this.bring(desired);
    const mine = this.turn.then(run, run);
    this.turn = mine.catch(() => {});
    return mine;
  }

  private async bring(desired: Desired): Promise<void> {
    if (this.version === 0) {
      // Not by its environment: the first one is forked before it is known how many there will be.
      const workers = Number(process.env[COUNT_VARIABLE] ?? 1);
      const start: StartMessage = { config: desired.config as StartMessage['config'], workers };
      await this.channel.call('start', start, { deadline: START_DEADLINE });
    } else if (this.version !== desired.version) {
      await this.channel.call('reload', desired.config, { deadline: START_DEADLINE });
    }
    this.version = desired.version;
    for (const [name, listener] of this.listening) {
      if (desired.listeners.get(name) === listener) continue;
      await this.channel.call('unlisten', name, { deadline: CALL_DEADLINE });
      this.listening.delete(name);
    }
    for (const [name, listener] of desired.listeners) {
      if (this.listening.has(name)) continue;
      if (listener.handle !== null) await this.listen(name, listener, listener.handle);
      this.listening.set(name, listener);
    }
    this.ready = !this.dead;
  }

  private async listen(name: string, { host, port }: OpenListener, handle: object): Promise<void> {
    try {
      await this.channel.call('listen', name, { handle, deadline: CALL_DEADLINE });
    } catch (error) {
      // Two processes may bind one port at the same moment; the second to listen on it is told here.
      if (error instanceof RemoteError && error.code?.startsWith('EADDR'))
        throw await listenError(error, host, port, 'listen');
      throw error;
    }
  }

  /** Gives it a connection that was accepted here. */
  pass(name: string, socket: Socket): void {
    this.channel.call('accept', name, { handle: socket }).catch(() => socket.destroy());
  }

  /** Asks for what it has counted. */
  async count(): Promise<void> {
    try {
      this.counted = (await this.channel.call('counters', undefined, { deadline: 1000 })) as PackedRows;
    } catch {
      // Too busy or just gone: what it said last still holds.
    }
  }

  /** What it answers on a topic of the bus; undefined where it can't say. */
  async ask(topic: string, value: unknown = null): Promise<unknown> {
    try {
      return await this.channel.call('broadcast', { topic, value }, { deadline: 1000 });
    } catch {
      return undefined;
    }
  }

  /** What it knows of its services; undefined where it can't say. */
  async services(): Promise<ServiceDescription[] | undefined> {
    try {
      return (await this.channel.call('services', undefined, { deadline: 1000 })) as ServiceDescription[];
    } catch {
      return undefined;
    }
  }

  /** What would become of a request. Rejects with `RemoteError` as the worker threw it. */
  async explain(request: ExplainRequest): Promise<Explained> {
    return (await this.channel.call('explain', request, { deadline: CALL_DEADLINE })) as Explained;
  }

  /**
   * Closes its listeners and lets what is under way end within `timeout` ms (Infinity: as long as it takes).
   * Resolves with the number of connections that were cut, when the process has ended.
   */
  async drain(timeout: number): Promise<number> {
    this.ready = false;
    if (this.version === 0) {
      // It has served nobody yet, and may be lost in a config that is a program.
      this.kill();
      await this.gone;
      return 0;
    }
    let cut = 1;
    try {
      // A bound of our own: a worker that hangs must not hold up the end.
      const deadline = Number.isFinite(timeout) ? { deadline: timeout + 2000 } : {};
      const left = (await this.channel.call('drain', timeout, deadline)) as {
        cut: number;
        counters: PackedRows;
      };
      cut = left.cut;
      this.counted = left.counters;
    } catch (error) {
      // It had nothing to drain, or is done with it. One that was killed had, for all that is known.
      if (error instanceof RemoteError || this.child.exitCode === 0) cut = 0;
    }
    this.end();
    await this.gone;
    return cut;
  }

  /** Ends it: kindly, then surely. */
  end(): void {
    if (this.dead) return;
    this.channel.call('exit').catch(() => {});
    const timer = setTimeout(() => this.kill(), 1000);
    void this.gone.then(() => clearTimeout(timer));
  }

  kill(): void {
    this.child.kill('SIGKILL');
  }

  private receive(message: Message, handle: never): void {
    if (message.kind === 'renew') {
      this.silence = 0;
      if (this.lease.grant()) this.send({ kind: 'renewed', askedAt: message.askedAt } satisfies Message);
      return;
    }
    this.channel.receive(message, handle);
  }

  /** A send fails only when the worker is about to be reported as gone. */
  private send(message: unknown, handle?: object): void {
    if (!this.child.connected) return;
    this.child.send(message as object, handle as never, { keepOpen: false }, () => {});
  }
}
