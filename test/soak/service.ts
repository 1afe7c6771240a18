import { type HttpOrigin, httpOrigin } from '../../src/testkit/index.ts';

const LARGE = Buffer.alloc(2 ** 20, 'x');

/** The service behind the gateway: small, large, slow and endless answers, uploads, and an echo to upgrade to. */
export async function soakService(): Promise<HttpOrigin> {
  const service = await httpOrigin(async (request, response) => {
    const path = request.url!.split('?')[0];
    if (path === '/large') return void response.end(LARGE);
    if (path === '/never') return;
    if (path === '/stream') return stream(response);
    if (path === '/cut') {
      response.writeHead(200, { 'content-length': 1000 });
      response.write('half', () => response.destroy());
      return;
    }
    let size = 0;
    for await (const chunk of request) size += (chunk as Buffer).length;
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ path, size }));
  });
  service.server.on('upgrade', (_request, socket) => {
    socket.on('error', () => socket.destroy());
    socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\n');
    socket.on('data', (chunk: Buffer) => socket.write(chunk));
    socket.on('end', () => socket.end());
  });
  return service;
}

function stream(response: import('node:http').ServerResponse): void {
  const timer = setInterval(() => response.write('data: tick\n\n'), 50);
  response.on('close', () => clearInterval(timer));
  response.writeHead(200, { 'content-type': 'text/event-stream' });
}
