import { createServer } from 'node:http';
import { Pool } from 'undici';

/** The least a proxy on node:http and undici can be: forwarded headers, a request id, streams both ways. */

const [listen, origin] = process.argv.slice(2).map(Number);
const pool = new Pool(`http://127.0.0.1:${origin}`, { connections: 100, pipelining: 1 });
let count = 0;

createServer((request, response) => {
  const { connection: _, 'keep-alive': __, ...headers } = request.headers;
  const id = (++count).toString(16).padStart(32, '0');
  headers['x-forwarded-for'] = request.socket.remoteAddress;
  headers['x-forwarded-proto'] = 'http';
  headers['x-forwarded-host'] = headers.host;
  headers['x-request-id'] = id;
  headers.via = '1.1 proxy';
  const hasBody = headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined;
  pool.stream(
    { path: request.url!, method: request.method as 'GET', headers, body: hasBody ? request : null },
    (answer) => {
      response.writeHead(answer.statusCode, { ...answer.headers, 'x-request-id': id } as Record<
        string,
        string
      >);
      return response;
    },
    (error) => {
      if (error === null) return;
      if (response.headersSent) response.destroy();
      else response.writeHead(502).end();
    },
  );
}).listen(listen, '127.0.0.1', 1024);
