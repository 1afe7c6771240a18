import { createServer, type Server, type Socket } from 'node:net';
import { turn } from '../../src/testkit/index.ts';
import { difference } from './messages.ts';
import { nodeResponse } from './node-responses.ts';
import { ourResponse } from './our-responses.ts';
import { describe, type Outcome } from './outcome.ts';

/** A service that answers every request with the same bytes and then ends. */
export class AnsweringService {
  private readonly server: Server;
  private bytes = '';
  private offsets: readonly number[] = [];

  private constructor(server: Server) {
    this.server = server;
    server.on('connection', (socket: Socket) => void this.answer(socket));
  }

  static async start(): Promise<AnsweringService> {
    const server = createServer({ noDelay: true });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new AnsweringService(server);
  }

  /**
   * Compares what the gateway and Node's strict parser make of an answer: as for requests, what Node refuses
   * must be refused, and what both take must mean the same.
   */
  async compare(bytes: string, offsets: readonly number[], method: string): Promise<string | null> {
    const { port } = this.server.address() as { port: number };
    this.bytes = bytes;
    this.offsets = [];
    const [ours, nodes] = [await ourResponse(port, method), await nodeResponse(port, method)];
    if (offsets.length > 0) {
      this.offsets = offsets;
      const cut = await ourResponse(port, method);
      if (cut.end !== ours.end || JSON.stringify(cut.taken) !== JSON.stringify(ours.taken)) {
        return `cut at ${offsets.join(', ')} it means something else:\n  ${describe(ours)}\n  ${describe(cut)}`;
      }
    }
    const problem = disagreement(bytes, ours, nodes);
    return problem === null ? null : `${problem}\n  ours: ${describe(ours)}\n  Node's: ${describe(nodes)}`;
  }

  async close(): Promise<void> {
    await new Promise((resolve) => this.server.close(resolve));
  }

  private async answer(socket: Socket): Promise<void> {
    socket.on('error', () => {});
    const { bytes, offsets } = this;
    await new Promise((resolve) => socket.once('data', resolve));
    let start = 0;
    for (const end of [...offsets, bytes.length]) {
      if (end <= start) continue;
      socket.write(bytes.slice(start, end), 'latin1');
      start = end;
      if (end < bytes.length) await turn();
    }
    socket.end();
  }
}

function disagreement(bytes: string, ours: Outcome, nodes: Outcome): string | null {
  const [mine] = ours.taken;
  const [theirs] = nodes.taken;
  if (mine === undefined) return null;
  if (theirs === undefined) return isExcused(bytes, nodes) ? null : 'only we take it';
  return difference(mine, theirs);
}

/** To Node, `Connection: close` in an interim answer ends the connection before the final one. */
function isExcused(bytes: string, nodes: Outcome): boolean {
  return (
    nodes.why.startsWith('HPE_CLOSED_CONNECTION') && /^HTTP\/1.1 1.*\r\nconnection:[^\n]*close/is.test(bytes)
  );
}
