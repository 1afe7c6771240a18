import { createServer, type Socket } from 'node:net';

/**
 * The service behind all gateways: as cheap as a server on Node can be, so that the gateway is what is
 * measured. `GET /large` answers 1 MiB, `GET /json` some 20 kB of JSON, `GET /part` 2 kB, `GET /wait` 200 bytes
 * after 20 ms, everything else 200 bytes at once; a request's body is read whole first.
 */

const SMALL = answer('application/json', Buffer.from(JSON.stringify({ data: 'x'.repeat(189) })));
const LIST = answer(
  'application/json',
  Buffer.from(
    JSON.stringify(
      Array.from({ length: 312 }, (_, i) => ({
        id: i,
        sku: `LAMP-${i}`,
        name: `Lamp number ${(i * 7919) % 1000}`,
        price: (i * 37) % 500,
      })),
    ),
  ),
);
const PART = answer(
  'application/json',
  Buffer.from(
    JSON.stringify({
      items: Array.from({ length: 30 }, (_, i) => ({
        id: i,
        sku: `LAMP-${i}`,
        name: `Lamp number ${i}`,
        price: i * 37,
      })),
    }),
  ),
);
const LARGE = answer('application/octet-stream', Buffer.alloc(2 ** 20, 'x'));

function answer(type: string, body: Buffer): Buffer {
  const head = `HTTP/1.1 200 OK\r\nContent-Type: ${type}\r\nContent-Length: ${body.length}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head), body]);
}

function serve(socket: Socket): void {
  let head = '';
  let missing = 0;
  let reply = SMALL;
  socket.setNoDelay(true);
  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk: Buffer) => {
    let at = 0;
    while (at < chunk.length) {
      if (missing > 0) {
        const taken = Math.min(missing, chunk.length - at);
        missing -= taken;
        at += taken;
      } else {
        const before = head.length;
        head += chunk.toString('latin1', at);
        const end = head.indexOf('\r\n\r\n');
        if (end < 0) return;
        at += end + 4 - before;
        missing = contentLength(head.slice(0, end));
        reply = replyTo(head);
        if (head.startsWith('GET /wait')) {
          setTimeout(() => socket.write(SMALL), 20);
          head = '';
          continue;
        }
        head = '';
      }
      if (missing === 0) socket.write(reply);
    }
  });
}

function replyTo(head: string): Buffer {
  if (head.startsWith('GET /large')) return LARGE;
  if (head.startsWith('GET /part')) return PART;
  return head.startsWith('GET /json') ? LIST : SMALL;
}

function contentLength(head: string): number {
  if (head.startsWith('GET')) return 0;
  if (/\r\ntransfer-encoding:/i.test(head)) throw new Error('this origin reads no chunked bodies');
  return Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? 0);
}

createServer(serve).listen(Number(process.argv[2]), '127.0.0.1', 1024);
