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
  private most = Number.POSITIVE_INFINITY;

  /** `node`: where other workers accept on the same listener. */
  constructor(listener: string, node: NodeClients | null) {
    this.listener = listener;
    this.node = node;
  }

  /** How many a client may have. What is open stays, and counts: the node is told of it where there was no bound. */
  bound(most: number): void {
    const before = this.told;
    this.most = most;
    const now = this.told;
    if (before === now) return;
    for (const [address, count] of this.here)
      for (let i = 0; i < count; i++) {
        if (now === null) before!.left(this.onNode(address));
        else void now.entered(this.onNode(address));
      }
  }

  /**
   * Is there a place for one more? Those without a bound count too: there may be one by the time the next comes. What
   * other workers hold is known a moment later: a connection that was one too many on the node is closed then.
   */
  admit(socket: Socket, address: string): boolean {
    const count = (this.here.get(address) ?? 0) + 1;
    if (count > this.most) return false;
    this.here.set(address, count);
    socket.on('close', () => this.leave(address));
    this.told?.entered(this.onNode(address)).then((onNode) => {
      if (onNode !== null && onNode > this.most) socket.destroy();
    });
    return true;
  }

  /** Who is told of each: without a bound nobody. */
  private get told(): NodeClients | null {
    return this.most === Number.POSITIVE_INFINITY ? null : this.node;
  }

  private leave(address: string): void {
    const left = this.here.get(address)! - 1;
    if (left === 0) this.here.delete(address);
    else this.here.set(address, left);
    this.told?.left(this.onNode(address));
  }

  private onNode(address: string): string {
    return `${this.listener} ${address}`;
  }
}
