import type { Socket } from 'node:net';

/** Connections by client, of all workers of the node. */
export interface NodeClients {
  /** One more of this client; resolves with how many there are now, or null where nobody can tell. */
  entered(client: string): Promise<number | null>;
  left(client: string): void;
}

/** The connections of a listener by the address of their client, which has no more than it may. */
export class ClientCount {
  private readonly listener: string;
  private readonly node: NodeClients | null;
  private readonly here = new Map<string, number>();

  /** `node`: where other workers accept on the same listener. */
  constructor(listener: string, node: NodeClients | null) {
    this.listener = listener;
    this.node = node;
  }

  /**
   * Is there a place for one more? Those without a bound count too: there may be one by the time the next comes. What
   * other workers hold is known a moment later: a connection that was one too many on the node is closed then.
   */
  admit(socket: Socket, address: string, most: number): boolean {
    const count = (this.here.get(address) ?? 0) + 1;
    if (count > most) return false;
    const node = most === Number.POSITIVE_INFINITY ? null : this.node;
    this.here.set(address, count);
    socket.on('close', () => this.leave(address, node));
    node?.entered(this.onNode(address)).then((onNode) => {
      if (onNode !== null && onNode > most) socket.destroy();
    });
    return true;
  }

  private leave(address: string, node: NodeClients | null): void {
    const left = this.here.get(address)! - 1;
    if (left === 0) this.here.delete(address);
    else this.here.set(address, left);
    node?.left(this.onNode(address));
  }

  private onNode(address: string): string {
    return `${this.listener} ${address}`;
  }
}
