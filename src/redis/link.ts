import { Cluster, Command, type Redis } from 'ioredis';
import { type Logger, silentLogger } from '../telemetry/index.ts';
import type { Clock, Timer } from '../util/clock.ts';
import type { Random } from '../util/random.ts';
import { type Client, createClient } from './client.ts';
import { addressOf, type RedisConfig } from './config.ts';
import {
  type Arg,
  type LinkState,
  RedisAway,
  type RedisLibrary,
  type RedisLink,
  RedisRefusal,
  type Reply,
} from './contract.ts';
import { Deadlines, type Waiting } from './deadlines.ts';
import { Health } from './health.ts';

/** Calls that may wait at once; more would only wait longer. */
const MOST_WAITING = 20_000;
/** Between two questions to a server that is silent; milliseconds. */
const PROBE = 250;

export interface LinkParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** For what others may find out as well: that Redis is away, and back. Default: `log`. */
  readonly news?: Logger;
}

/**
 * Connects in the background and returns at once. Whatever happens to Redis, a call ends within
 * `config.commandTimeout`, and the link comes back by itself. The owner closes it.
 */
export function connectRedis(config: RedisConfig, parts: LinkParts): RedisLink {
  return new Link(config, { ...parts, log: (parts.news ?? parts.log).with({ redis: addressOf(config) }) });
}

class Link implements RedisLink {
  private readonly config: RedisConfig;
  private readonly parts: LinkParts;
  private readonly client: Client;
  private readonly health: Health;
  private readonly deadlines: Deadlines;
  private waiting = 0;
  private lastReply = Number.NEGATIVE_INFINITY;
  /** The socket whose writes of this turn are held together. */
  private corked: Redis['stream'] | null = null;
  private probing: Timer | null = null;
  private again: Timer | null = null;
  private closed = false;

  constructor(config: RedisConfig, parts: LinkParts) {
    this.config = config;
    this.parts = parts;
    this.health = new Health(parts.clock, parts.log);
    this.deadlines = new Deadlines(parts.clock, config.commandTimeout);
    this.client = createClient(config, parts.random);
    this.watch();
    this.client.connect().catch(() => {
      // Told by 'close'; it goes on trying.
    });
  }

  get connected(): boolean {
    return this.health.connected;
  }

  state(): LinkState {
    const { connected, since, reason } = this.health;
    return { connected, since, reason: connected ? null : reason };
  }

  send(command: string, ...args: Arg[]): Promise<Reply> {
    return this.dispatch(command, args);
  }

  async call(
    library: RedisLibrary,
    name: string,
    keys: readonly string[],
    args: readonly Arg[],
  ): Promise<Reply> {
    const words: Arg[] = [`${library.name}_${name}`, keys.length, ...keys, ...args];
    try {
      return await this.dispatch('fcall', words);
    } catch (error) {
      if (!(error instanceof RedisRefusal) || !error.message.includes('Function not found')) throw error;
      await this.load(library);
      return await this.dispatch('fcall', words);
    }
  }

  onChange(listener: (connected: boolean) => void): () => void {
    return this.health.onChange(listener);
  }

  onMessage(listener: (channel: string, message: string) => void): void {
    this.client.on('message', listener);
  }

  another({ timeout = this.config.commandTimeout }: { timeout?: number } = {}): RedisLink {
    return new Link({ ...this.config, commandTimeout: timeout }, { ...this.parts, log: silentLogger });
  }

  reconnect(): void {
    if (!this.closed) this.client.disconnect(true);
  }

  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    for (const timer of [this.probing, this.again]) if (timer !== null) this.parts.clock.cancel(timer);
    this.health.close();
    this.client.disconnect();
    this.deadlines.close();
  }

  private watch(): void {
    let error: string | null = null;
    this.client.on('error', (cause: Error) => {
      error = cause.message;
    });
    this.client.on('node error', (cause: Error) => {
      error = cause.message;
    });
    this.client.on('ready', () => {
      error = null;
      this.spoke();
    });
    this.client.on('close', () => this.health.away(error ?? 'the connection was closed'));
    // Only where it was closed by us, or can't even begin: the latter is tried again.
    this.client.on('end', () => {
      this.health.away(error ?? 'the connection was closed');
      if (!this.closed) this.again = this.parts.clock.after(1000, () => this.connectAgain());
    });
  }

  private connectAgain(): void {
    if (this.closed || this.client.status !== 'end') return;
    this.client.connect().catch(() => {});
  }

  private dispatch(name: string, args: readonly Arg[]): Promise<Reply> {
    if (!this.health.connected) return Promise.reject(new RedisAway(this.health.reason));
    if (this.waiting >= MOST_WAITING)
      return Promise.reject(new RedisAway(`${MOST_WAITING} calls wait for it already`));
    return new Promise<Reply>((resolve, reject) => {
      const call = new Call(this.parts.clock.now(), { resolve, reject }, this.expired);
      this.waiting++;
      this.deadlines.add(call);
      const command = new Command(name, args as Arg[], {});
      // In the place of a promise of its own, which would cost each call two more.
      command.resolve = (reply: Buffer) => this.answered(call, command.transformReply(reply) as Reply);
      command.reject = (error: Error) => this.failed(call, error);
      this.cork();
      this.client.sendCommand(command);
    });
  }

  /** All that is asked in one turn of the event loop leaves in one write. */
  private cork(): void {
    if (this.corked !== null || this.client instanceof Cluster) return;
    const { stream } = this.client;
    if (stream === undefined || stream === null) return;
    this.corked = stream;
    stream.cork();
    setImmediate(() => {
      this.corked = null;
      stream.uncork();
    });
  }

  private answered(call: Call, reply: Reply): void {
    this.settle(call)?.resolve(reply);
    // Any reply, be it late, shows that it is there.
    this.spoke();
  }

  private failed(call: Call, error: Error): void {
    if (error.name !== 'ReplyError') return this.settle(call)?.reject(new RedisAway(error.message));
    this.settle(call)?.reject(new RedisRefusal(error.message));
    this.spoke();
  }

  /** One late answer among others is slowness; silence is absence, and the next calls need not wait for it. */
  private readonly expired = (call: Call): void => {
    const why = `no answer within ${this.config.commandTimeout} ms`;
    this.settle(call)?.reject(new RedisAway(why));
    if (this.closed || this.lastReply >= call.since) return;
    this.health.away(why);
    this.probe();
  };

  /** Who asked, the first time. */
  private settle(call: Call): Asker | null {
    const { asker } = call;
    if (asker === null) return null;
    call.asker = null;
    this.waiting--;
    return asker;
  }

  /** As nothing else is sent to a server that is silent, one question at a time finds out when it speaks again. */
  private probe(): void {
    if (this.probing !== null || this.health.connected || this.closed) return;
    const { clock } = this.parts;
    this.probing = clock.after(PROBE, () => {
      this.probing = null;
      this.probe();
    });
    if (this.client.status !== 'ready') return;
    const command = new Command('ping', [], {});
    (command.promise as Promise<unknown>).then(
      () => this.spoke(),
      () => {},
    );
    this.client.sendCommand(command);
  }

  private spoke(): void {
    this.lastReply = this.parts.clock.now();
    if (!this.closed) this.health.back();
  }

  private async load(library: RedisLibrary): Promise<void> {
    const loaded = this.primaries().map((client) => {
      const command = new Command('function', ['load', library.code], {});
      client.sendCommand(command);
      return (command.promise as Promise<unknown>).catch((error: Error) => {
        if (!/already exists/.test(error.message)) throw loadError(error);
      });
    });
    await Promise.all(loaded);
  }

  private primaries(): Redis[] {
    return this.client instanceof Cluster ? this.client.nodes('master') : [this.client];
  }
}

function loadError(error: Error): Error {
  if (/unknown command/i.test(error.message))
    return new RedisRefusal('this server has no functions: Redis 7, Valkey or newer is needed');
  return error.name === 'ReplyError' ? new RedisRefusal(error.message) : new RedisAway(error.message);
}

interface Asker {
  resolve(reply: Reply): void;
  reject(error: Error): void;
}

class Call implements Waiting {
  readonly since: number;
  /** Null once it is settled: deadlines hold calls for longer than anybody should hold a reply. */
  asker: Asker | null;
  private readonly whenExpired: (call: Call) => void;

  constructor(since: number, asker: Asker, whenExpired: (call: Call) => void) {
    this.since = since;
    this.asker = asker;
    this.whenExpired = whenExpired;
  }

  get settled(): boolean {
    return this.asker === null;
  }

  expire(): void {
    this.whenExpired(this);
  }
}
