import type { SendHandle } from 'node:child_process';
import { LONGEST_WAIT } from '../util/clock.ts';

/** One end of an IPC channel between two processes. */
export interface Port {
  send(message: unknown, handle?: object): void;
}

/** What goes over the channel. Calls go both ways; answers carry the number of their call. */
export type Message =
  | { kind: 'call'; id: number; topic: string; value: unknown }
  | { kind: 'done'; id: number; value: unknown }
  | { kind: 'failed'; id: number; error: RemoteErrorData }
  | { kind: 'renew'; askedAt: number }
  | { kind: 'renewed'; askedAt: number };

interface RemoteErrorData {
  message: string;
  code: string | undefined;
  /** Of a refused config. */
  report: string | undefined;
  files: string[] | undefined;
}

/** An error that another process reported. */
export class RemoteError extends Error {
  readonly code: string | undefined;
  readonly report: string | undefined;
  readonly files: string[] | undefined;

  constructor(data: RemoteErrorData) {
    super(data.message);
    this.code = data.code;
    this.report = data.report;
    this.files = data.files;
  }
}

export class NoAnswer extends Error {}

export type Handler = (value: unknown, handle: SendHandle | undefined) => unknown;

interface Pending {
  resolve(value: unknown): void;
  reject(error: Error): void;
}

/** Calls over a channel, with answers. Messages arrive in the order sent; answers come as they are ready. */
export class Channel {
  private readonly port: Port;
  private readonly handlers = new Map<string, Handler>();
  private readonly pending = new Map<number, Pending>();
  private nextId = 1;
  private closed: Error | null = null;
  private readonly onceClosed: (() => void)[] = [];

  constructor(port: Port) {
    this.port = port;
  }

  on(topic: string, handler: Handler): void {
    this.handlers.set(topic, handler);
  }

  /** Called once, when the other side is gone. */
  onClose(hear: () => void): void {
    this.onceClosed.push(hear);
  }

  /** Rejects with `RemoteError` as the other side threw it, or `NoAnswer` when the channel closes or time is up. */
  call(
    topic: string,
    value?: unknown,
    options: { handle?: object; deadline?: number } = {},
  ): Promise<unknown> {
    if (this.closed !== null) return Promise.reject(this.closed);
    const id = this.nextId++;
    return new Promise((resolve, reject) => {
      let timer: NodeJS.Timeout | undefined;
      const settle = () => {
        clearTimeout(timer);
        this.pending.delete(id);
      };
      this.pending.set(id, {
        resolve: (result) => {
          settle();
          resolve(result);
        },
        reject: (error) => {
          settle();
          reject(error);
        },
      });
      if (options.deadline !== undefined) {
        const late = () =>
          this.pending.get(id)?.reject(new NoAnswer(`no answer to ${topic} in ${options.deadline} ms`));
        timer = setTimeout(late, Math.min(options.deadline, LONGEST_WAIT));
      }
      this.port.send({ kind: 'call', id, topic, value } satisfies Message, options.handle);
    });
  }

  /** Gives a message of the other side to whom it is for. */
  receive(message: Message, handle?: SendHandle): void {
    if (message.kind === 'call') void this.answer(message, handle);
    else if (message.kind === 'done') this.pending.get(message.id)?.resolve(message.value);
    else if (message.kind === 'failed') this.pending.get(message.id)?.reject(new RemoteError(message.error));
  }

  /** The other side is gone: what waits for it fails. */
  close(why: string): void {
    const first = this.closed === null;
    this.closed ??= new NoAnswer(why);
    if (first) for (const hear of this.onceClosed) hear();
    for (const { reject } of [...this.pending.values()]) reject(this.closed);
  }

  private async answer(
    call: Extract<Message, { kind: 'call' }>,
    handle: SendHandle | undefined,
  ): Promise<void> {
    const handler = this.handlers.get(call.topic);
    try {
      if (handler === undefined) throw new Error(`nobody listens to ${call.topic}`);
      const value = await handler(call.value, handle);
      this.port.send({ kind: 'done', id: call.id, value } satisfies Message);
    } catch (error) {
      this.port.send({ kind: 'failed', id: call.id, error: describe(error) } satisfies Message);
    }
  }
}

function describe(error: unknown): RemoteErrorData {
  const { message, code, report, files } = error as Partial<RemoteErrorData>;
  return { message: message ?? String(error), code, report, files };
}
