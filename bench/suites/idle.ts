import {
  certificates,
  collectable,
  freePort,
  type LabProcess,
  processTree,
  type RawClient,
  rawClient,
  settledMemory,
} from '../../src/testkit/index.ts';
import { type Bench, startGateway, startOrigin } from '../bench.ts';
import { availablePeers, type PeerSetup } from '../peers/index.ts';
import { fixed, printTable, target } from '../report.ts';

const PLAIN = 5_000;
const SECURED = 2_000;
/** Opened and closed before, so that what a process keeps for good does not count as a connection's. */
const WARMUP = 20;
const BARE = new URL('../servers/bare-sockets.ts', import.meta.url).pathname;

interface Kept {
  name: string;
  plain: number;
  secured: number;
}

type Start = (setup: PeerSetup) => Promise<LabProcess>;

/**
 * Resident memory that one idle connection costs, after one request was answered on it and garbage was
 * collected: what the processes grew by, over the number of connections.
 */
export async function idleSuite(bench: Bench): Promise<unknown> {
  const env = collectable(bench.folder.path);
  const originPort = await freePort();
  const origin = await startOrigin(bench, originPort);
  const tls = await writeCertificate(bench);

  const starters = new Map<string, Start>();
  for (const peer of availablePeers(bench.options.peers, ['tidegate', 'nginx', 'haproxy'])) {
    starters.set(peer.name, (setup) => peer.start(bench, { ...setup, env }));
  }
  starters.set('bare node:net', ({ port, tls: pair }) => {
    const args = pair === undefined ? [] : [pair.cert, pair.key];
    return startGateway(bench, [process.execPath, BARE, String(port), ...args], port, env);
  });

  const figures: Kept[] = [];
  for (const [name, start] of starters) {
    const plain = await growth(bench, () => start, { port: await freePort(), originPort }, PLAIN);
    const secured = await growth(bench, () => start, { port: await freePort(), originPort, tls }, SECURED);
    figures.push({ name, plain, secured });
  }
  await origin.kill();
  printTable(
    ['KiB an idle connection', `plain (${PLAIN})`, `TLS (${SECURED})`],
    figures.map((one) => [one.name, fixed(one.plain / 1024, 1), fixed(one.secured / 1024, 1)]),
  );
  const own = figures.find((one) => one.name === 'tidegate');
  target('an idle connection', (own?.plain ?? Number.NaN) / 1024, 8, ' KiB');
  target('an idle connection over TLS', (own?.secured ?? Number.NaN) / 1024, 64, ' KiB');
  return figures;
}

async function writeCertificate(bench: Bench): Promise<{ cert: string; key: string }> {
  const pair = await (await certificates()).leaf(['localhost', '127.0.0.1']);
  return {
    cert: bench.folder.write('bench-cert.pem', pair.cert),
    key: bench.folder.write('bench-key.pem', pair.key),
  };
}

/** Bytes a connection. */
async function growth(bench: Bench, starter: () => Start, setup: PeerSetup, count: number): Promise<number> {
  const server = await starter()(setup);
  const warm = await openConnections(setup, WARMUP);
  for (const client of warm) client.close();
  const before = await settledMemory(processTree(server.pid), bench.folder.path);
  const clients = await openConnections(setup, count);
  const after = await settledMemory(processTree(server.pid), bench.folder.path);
  for (const client of clients) client.close();
  await server.kill();
  return (after - before) / count;
}

async function openConnections(setup: PeerSetup, count: number): Promise<RawClient[]> {
  const clients: RawClient[] = [];
  const batch = 50;
  for (let begun = 0; begun < count; begun += batch) {
    const some = Array.from({ length: Math.min(batch, count - begun) }, () => openOne(setup));
    clients.push(...(await Promise.all(some)));
  }
  return clients;
}

async function openOne({ port, tls }: PeerSetup): Promise<RawClient> {
  const client = await rawClient(tls === undefined ? { port } : { port, tls: { servername: 'localhost' } });
  await client.send('GET /small HTTP/1.1\r\nHost: localhost\r\n\r\n');
  await client.response();
  return client;
}
