import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface HttpOrigin {
  readonly port: number;
  readonly url: string;
  readonly server: Server;
  /** Requests begun so far. */
  readonly count: () => number;
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** An ordinary service on node:http, on a free port unless one is given. */
export async function httpOrigin(
  handler: (request: IncomingMessage, response: ServerResponse) => void | Promise<void>,
  port = 0,
): Promise<HttpOrigin> {
  let count = 0;
  const server = createServer((request, response) => {
    count += 1;
    Promise.resolve(handler(request, response)).catch((error: unknown) => response.destroy(error as Error));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  const bound = (server.address() as AddressInfo).port;
  const close = async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return {
    port: bound,
    url: `http://127.0.0.1:${bound}`,
    server,
    count: () => count,
    close,
    [Symbol.asyncDispose]: close,
  };
}
