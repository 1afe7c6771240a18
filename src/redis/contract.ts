/** What Redis answers: texts as bytes, a missing value as null. */
export type Reply = Buffer | string | number | null | Reply[];
export type Arg = string | number | Buffer;

/** Redis did not answer: it can't be reached, or not in time. Whether it did what was asked is not known. */
export class RedisAway extends Error {
  readonly code = 'REDIS_AWAY';
}

/** Redis answered with an error, such as `OOM …` or `READONLY …`. */
export class RedisRefusal extends Error {
  readonly code = 'REDIS_REFUSAL';
}

/** Functions that run in Redis itself, under names that change with their code. */
export interface RedisLibrary {
  readonly name: string;
  readonly code: string;
}

export interface LinkState {
  readonly connected: boolean;
  /** Wall clock, ms. */
  readonly since: number;
  /** Why it is away; null where it is there. */
  readonly reason: string | null;
}

/** A connection to Redis that comes back by itself. */
export interface RedisLink {
  readonly connected: boolean;
  state(): LinkState;
  /**
   * One command. Ends within the link's timeout: with the reply, with `RedisAway`, or with `RedisRefusal`.
   * @throws never; it rejects.
   */
  send(command: string, ...args: Arg[]): Promise<Reply>;
  /** One function of a library, which is loaded where it is missing. */
  call(library: RedisLibrary, name: string, keys: readonly string[], args: readonly Arg[]): Promise<Reply>;
  /** Calls back at each change from now on; returns how to stop that. */
  onChange(listener: (connected: boolean) => void): () => void;
  /** Messages of the channels that `send('subscribe', …)` has asked for, until the connection is lost. */
  onMessage(listener: (channel: string, message: string) => void): void;
  /** A connection of its own to the same place, for calls that block. Says nothing in the log. Its owner closes it. */
  another(options?: { timeout?: number }): RedisLink;
  /** Gives the connection up and makes a new one. */
  reconnect(): void;
  close(): Promise<void>;
}
