import { TOPICS } from './bus-topics.ts';
import type { Channel } from './channel.ts';

/** Connections by client, of all workers of a node. Those of a worker that is gone are forgotten with it. */
export class NodeClients {
  private readonly counts = new Map<string, number>();

  /** What a worker tells of its connections. */
  serve(channel: Channel): void {
    const own = new Map<string, number>();
    channel.on(TOPICS.clientEntered, (client) => {
      add(own, client as string, 1);
      return add(this.counts, client as string, 1);
    });
    channel.on(TOPICS.clientLeft, (client) => {
      add(own, client as string, -1);
      add(this.counts, client as string, -1);
    });
    channel.onClose(() => {
      for (const [client, count] of own) add(this.counts, client, -count);
    });
  }
}

function add(counts: Map<string, number>, client: string, more: number): number {
  const count = (counts.get(client) ?? 0) + more;
  if (count === 0) counts.delete(client);
  else counts.set(client, count);
  return count;
}
