import { readFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';

/** The least a connection can cost on Node: sockets that answer everything with the same bytes. */

const ANSWER = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok';
const [listen, cert, key] = process.argv.slice(2);

function serve(socket: Socket): void {
  socket.on('error', () => socket.destroy());
  socket.on('data', () => void socket.write(ANSWER));
}

const server =
  cert === undefined || key === undefined
    ? createServer(serve)
    : createTlsServer({ cert: readFileSync(cert), key: readFileSync(key) }, serve);
server.listen(Number(listen), '127.0.0.1', 4096);
