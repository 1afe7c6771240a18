import type { Socket } from 'node:net';
import { MinRate, type RateBound } from '../http/min-rate.ts';

/** What of a socket's handle Node's own timeouts go by (`Socket.prototype._onTimeout`), and nothing documents. */
interface Handle {
  readonly writeQueueSize?: number;
  /** Under TLS: the connection that carries it. */
  readonly _parent?: Handle;
}

/**
 * Bytes of what was written that the system has not taken yet. `writableLength` counts a write until the last
 * byte of it is gone; this shows that a large one moves.
 */
export function unsentBytes(socket: Socket): number {
  return handleOf(socket) === null ? 0 : socket.writableLength + queuedBytes(socket);
}

/** Of those, what the system has been given. */
function queuedBytes(socket: Socket): number {
  const handle = handleOf(socket);
  return (handle?.writeQueueSize ?? 0) + (handle?._parent?.writeQueueSize ?? 0);
}

function handleOf(socket: Socket): Handle | null {
  return (socket as unknown as { _handle: Handle | null })._handle ?? null;
}

/** Looks now and then whether what waits to be sent gets less: cheaper than noting each byte. */
export class SendProgress {
  private readonly socket: Socket;
  private readonly rate: MinRate;
  private unsent = 0;
  private movedAt = 0;
  /** The receiver takes less than it must. */
  tooSlow = false;

  /** @param bound What the receiver must take while any bytes wait. */
  constructor(socket: Socket, bound: RateBound) {
    this.socket = socket;
    this.rate = new MinRate(bound);
  }

  /** Another message begins: how the last one was taken says nothing of this one. */
  anew(): void {
    this.rate.begin();
  }

  /** From now on bytes wait. */
  begin(now: number): void {
    this.unsent = unsentBytes(this.socket);
    this.movedAt = now;
    this.judge(now);
  }

  /** None wait any more: the time until there are some again is not the receiver's. */
  rest(now: number): void {
    this.rate.rest(now);
  }

  private judge(now: number): void {
    if (this.rate.isAny) return;
    if (this.rate.tooSlow(now, this.socket.bytesWritten - queuedBytes(this.socket))) this.tooSlow = true;
  }

  /** When bytes were last seen to have moved. */
  look(now: number): number {
    const unsent = unsentBytes(this.socket);
    if (unsent !== this.unsent) {
      this.unsent = unsent;
      this.movedAt = now;
    }
    this.judge(now);
    return this.movedAt;
  }
}
