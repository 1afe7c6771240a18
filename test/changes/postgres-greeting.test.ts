import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { afterEach, expect, test } from 'vitest';
import { PostgresSource } from '../../src/changes/postgres/source.ts';
import { certificates, until } from '../../src/testkit/index.ts';
import { partsFor, Recording } from './recording.ts';

const SSL_REQUEST = 80_877_103;
/** AuthenticationGSS. */
const GSS = Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 7]);
/** AuthenticationOk and ReadyForQuery. */
const WELCOME = Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 0, 0x5a, 0, 0, 0, 5, 0x49]);
const { key, cert } = await (await certificates()).leaf(['localhost']);

let server: Server;
let source: PostgresSource | null = null;
let connections = 0;
let open = 0;

afterEach(async () => {
  await source?.stop();
  await new Promise((resolve) => server.close(resolve));
});

/** Greets each client, over TLS where it asks for that. */
async function greetsWith(greet: (socket: Socket) => void): Promise<number> {
  connections = 0;
  server = createServer((socket) => {
    connections++;
    open++;
    socket.on('close', () => open--);
    socket.on('error', () => {});
    socket.once('data', (first) => {
      if (first.readUInt32BE(4) !== SSL_REQUEST) return greet(socket);
      socket.write('S');
      const secured = new TLSSocket(socket, { isServer: true, key, cert });
      secured.on('error', () => {});
      secured.once('data', () => greet(secured));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

function follow(port: number, query = ''): Recording {
  const sink = new Recording({ 'public.orders': ['order:{row.id}'] });
  const url = `postgres://tidegate:secret@127.0.0.1:${port}/shop${query}`;
  source = new PostgresSource({ kind: 'postgres', url, slot: 's', publication: 'p' }, partsFor(sink));
  source.start();
  return sink;
}

test.each(['', '?sslmode=no-verify'])(
  'a way to log in that is not known ends no process%s',
  async (query) => {
    const sink = follow(await greetsWith((socket) => socket.write(GSS)), query);
    await until(() => connections > 1, 'another try', 5000);
    expect(sink.states.at(-1)).toEqual({
      state: 'connecting',
      error: expect.stringContaining('let its line in pg_hba.conf say scram-sha-256'),
    });
  },
);

test('a server that falls silent once it has let us in keeps no connection', async () => {
  follow(await greetsWith((socket) => socket.write(WELCOME)));
  await until(() => connections > 1, 'another try', 10_000);
  expect(open).toBe(1);
}, 15_000);
