import { cancelBody } from '../http/body.ts';
import { Failure } from '../http/errors.ts';
import type { Clock } from '../util/clock.ts';
import { Deadline } from '../util/deadline.ts';
import type { ClientConnection } from './client-connection.ts';
import type { OutgoingRequest, ResponseHandler } from './client-contract.ts';
import type { MessageWriter } from './message-writer.ts';

/** A request whose turn to be answered has not come. */
export interface Ahead {
  readonly request: OutgoingRequest;
  handler: ResponseHandler;
  /** By when (`clock.now()`) its answer must begin. */
  readonly respondBy: number;
}

/** How long those behind wait for a client that does not take the answer before theirs, in ms. */
const PATIENCE = 1000;

/** Nobody waits for this answer any more: it is read for the sake of those behind it, and thrown away. */
export const UNWANTED: ResponseHandler = {
  sent: () => Number.POSITIVE_INFINITY,
  informed: () => {},
  responded: (_, body) => cancelBody(body),
  upgraded: (_, tunnel) => tunnel.source.cancel(),
  failed: () => {},
  overtaken: () => {},
};

/**
 * The requests that were sent on a connection behind the one being answered, in their order (RFC 9112 §9.3.2).
 * A connection that carries one request at a time has none of this.
 */
export class SentAhead {
  private readonly connection: ClientConnection;
  private readonly writer: MessageWriter;
  private readonly clock: Clock;
  private readonly deadline: Deadline;
  private readonly queue: Ahead[] = [];
  private flushing: NodeJS.Immediate | null = null;
  /** When to look whether the client of the answer in front takes it. */
  private lookAt = Number.POSITIVE_INFINITY;
  /** How many still wait for their answer. */
  wanted = 0;

  constructor(connection: ClientConnection, writer: MessageWriter, clock: Clock) {
    this.connection = connection;
    this.writer = writer;
    this.clock = clock;
    this.deadline = new Deadline(clock, () => this.look());
  }

  get size(): number {
    return this.queue.length;
  }

  /** Writes it; those of one turn of the event loop leave together. */
  add(request: OutgoingRequest, handler: ResponseHandler): void {
    this.writer.gather();
    this.writer.head(request.head);
    this.flushing ??= setImmediate(() => {
      this.flushing = null;
      this.writer.flush();
    });
    this.queue.push({ request, handler, respondBy: handler.sent() });
    this.wanted++;
    this.arm();
  }

  /** The next one's turn has come. */
  shift(): Ahead {
    const next = this.queue.shift()!;
    if (next.handler !== UNWANTED) this.wanted--;
    this.lookAt = Number.POSITIVE_INFINITY;
    this.arm();
    return next;
  }

  /** Whoever asked has left. The answer will come all the same. */
  leave(handler: ResponseHandler): void {
    for (const one of this.queue) if (one.handler === handler) this.giveUp(one);
  }

  /** The answer in front has begun, and not come whole. */
  frontBegan(): void {
    this.lookAt = this.clock.now() + PATIENCE;
    this.arm();
  }

  /** No turn will come: each is told, and its answer, should it come after all, is thrown away. */
  overtake(): void {
    const waiting = this.queue.map(({ handler }) => handler);
    for (const one of this.queue) one.handler = UNWANTED;
    this.wanted = 0;
    for (const handler of waiting) handler.overtaken();
  }

  close(): void {
    this.deadline.close();
    if (this.flushing !== null) clearImmediate(this.flushing);
  }

  private giveUp(one: Ahead): void {
    one.handler = UNWANTED;
    this.wanted--;
  }

  private arm(): void {
    let at = this.wanted > 0 ? this.lookAt : Number.POSITIVE_INFINITY;
    for (const { handler, respondBy } of this.queue) if (handler !== UNWANTED) at = Math.min(at, respondBy);
    this.deadline.set(at);
  }

  private look(): void {
    const now = this.clock.now();
    const late = this.queue.filter(({ handler, respondBy }) => handler !== UNWANTED && respondBy <= now);
    for (const one of late) {
      const { handler } = one;
      this.giveUp(one);
      handler.failed(new Failure('TG_UPSTREAM_TIMEOUT', 'no answer in time'), this.connection);
    }
    if (this.lookAt <= now) {
      if (this.connection.held) this.overtake();
      this.lookAt = now + PATIENCE;
    }
    this.arm();
    this.connection.deserted();
  }
}
