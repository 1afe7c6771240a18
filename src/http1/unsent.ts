import type { Socket } from 'node:net';

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
  const handle = (socket as unknown as { _handle: Handle | null })._handle;
  if (handle === null || handle === undefined) return 0;
  return socket.writableLength + (handle.writeQueueSize ?? 0) + (handle._parent?.writeQueueSize ?? 0);
}

/** Looks now and then whether what waits to be sent gets less: cheaper than noting each byte. */
export class SendProgress {
  private readonly socket: Socket;
  private unsent = 0;
  private movedAt = 0;

  constructor(socket: Socket) {
    this.socket = socket;
  }

  /** From now on bytes wait. */
  begin(now: number): void {
    this.unsent = unsentBytes(this.socket);
    this.movedAt = now;
  }

  /** When bytes were last seen to have moved. */
  look(now: number): number {
    const unsent = unsentBytes(this.socket);
    if (unsent !== this.unsent) {
      this.unsent = unsent;
      this.movedAt = now;
    }
    return this.movedAt;
  }
}
