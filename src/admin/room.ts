import type { ServerResponse } from 'node:http';
import type { Server, Socket } from 'node:net';

interface Guest {
  readonly socket: Socket;
  readonly path: string;
  /** Requests of it that were let in and are under way. */
  asking: number;
}

/**
 * The connections that a listener holds at once. Where a newcomer finds no room, one that nobody works on gives way, the
 * longest there first: one that has not shown that it may ask before one that has. So those who only hold connections
 * keep nobody out. Who has a request under way is never cut for another.
 */
export class Room {
  private readonly most: number;
  private readonly guests = new Map<string, Guest>();
  private readonly strangers = new Set<Guest>();
  /** Those who have asked, and were let in. */
  private readonly resting = new Set<Guest>();

  constructor(most: number) {
    this.most = most;
  }

  watch(server: Server): void {
    server.on('connection', (socket: Socket) => this.enter(socket));
  }

  /** A request of this connection was let in. */
  letIn(socket: Socket, response: ServerResponse): void {
    const guest = this.guests.get(pathOf(socket));
    if (guest === undefined) return;
    this.strangers.delete(guest);
    this.resting.delete(guest);
    guest.asking++;
    response.once('close', () => {
      guest.asking--;
      if (guest.asking === 0 && !guest.socket.destroyed) this.resting.add(guest);
    });
  }

  private enter(socket: Socket): void {
    if (this.guests.size >= this.most && !this.makeRoom()) {
      socket.destroy();
      return;
    }
    const guest = { socket, path: pathOf(socket), asking: 0 };
    this.guests.set(guest.path, guest);
    this.strangers.add(guest);
    socket.once('close', () => this.forget(guest));
  }

  private makeRoom(): boolean {
    const [first] = this.strangers.size > 0 ? this.strangers : this.resting;
    if (first === undefined) return false;
    this.forget(first);
    first.socket.destroy();
    return true;
  }

  private forget(guest: Guest): void {
    if (this.guests.get(guest.path) === guest) this.guests.delete(guest.path);
    this.strangers.delete(guest);
    this.resting.delete(guest);
  }
}

/** Names a connection, under TLS too: there the one that is accepted and the one that requests come on are two objects. */
function pathOf({ remoteAddress, remotePort, localAddress }: Socket): string {
  return `${remoteAddress} ${remotePort} ${localAddress}`;
}
