import { setTimeout as pause } from 'node:timers/promises';
import { type RawClient, rawClient, type SeededRandom } from '../../src/testkit/index.ts';

/** One visit of one kind of client: resolves when it has left. */
export type Actor = (port: number, random: SeededRandom) => Promise<void>;

const HEADERS = 'Host: shop.test\r\nUser-Agent: soak\r\nAccept: */*\r\n';

function get(path: string): string {
  return `GET ${path} HTTP/1.1\r\n${HEADERS}\r\n`;
}

async function visit(port: number, act: (client: RawClient) => Promise<void>): Promise<void> {
  await using client = await rawClient({ port, patience: 20_000 });
  await act(client);
}

function expectStatus(status: number, wanted: number): void {
  if (status !== wanted) throw new Error(`status ${status} in place of ${wanted}`);
}

const browses: Actor = (port, random) =>
  visit(port, async (client) => {
    for (let i = 0; i < 20; i++) {
      await client.send(get(`/item/${random.below(1000)}?page=${i}`));
      expectStatus((await client.response()).status, 200);
      await pause(random.below(10));
    }
  });

const pipelines: Actor = (port) =>
  visit(port, async (client) => {
    await client.send(get('/a').repeat(20));
    for (let i = 0; i < 20; i++) expectStatus((await client.response()).status, 200);
  });

const downloads: Actor = (port) =>
  visit(port, async (client) => {
    await client.send(get('/large'));
    expectStatus((await client.response()).status, 200);
  });

const readsSlowly: Actor = (port) =>
  visit(port, async (client) => {
    await client.send(get('/large'));
    await client.head();
    for (let i = 0; i < 10; i++) {
      client.pause();
      await pause(50);
      client.resume();
      await pause(5);
    }
  });

const uploads: Actor = (port) =>
  visit(port, async (client) => {
    await client.send(`POST /up HTTP/1.1\r\n${HEADERS}Content-Length: 1048576\r\n\r\n`);
    for (let i = 0; i < 16; i++) await client.send(Buffer.alloc(65536, 'y'));
    expectStatus((await client.response()).status, 200);
  });

const uploadsInChunks: Actor = (port) =>
  visit(port, async (client) => {
    await client.send(`PUT /up HTTP/1.1\r\n${HEADERS}Transfer-Encoding: chunked\r\n\r\n`);
    for (let i = 0; i < 20; i++) {
      await client.send('400\r\n');
      await client.send(Buffer.alloc(1024, 'z'));
      await client.send('\r\n');
      await pause(10);
    }
    await client.send('0\r\nX-Sum: 1\r\n\r\n');
    expectStatus((await client.response()).status, 200);
  });

const leavesWaiting: Actor = (port, random) =>
  visit(port, async (client) => {
    await client.send(get('/never'));
    await pause(random.below(100));
    if (random.below(2) === 0) client.reset();
    else client.end();
  });

const leavesInAnswer: Actor = (port, random) =>
  visit(port, async (client) => {
    await client.send(get('/large'));
    await client.head();
    await pause(random.below(20));
    client.reset();
  });

const leavesInUpload: Actor = (port, random) =>
  visit(port, async (client) => {
    await client.send(`POST /up HTTP/1.1\r\n${HEADERS}Content-Length: 1048576\r\n\r\npart`);
    await pause(random.below(50));
    if (random.below(2) === 0) client.reset();
    else client.end();
  });

const listens: Actor = (port) =>
  visit(port, async (client) => {
    await client.send(get('/stream'));
    await client.head();
    await pause(1_000);
  });

const tunnels: Actor = (port) =>
  visit(port, async (client) => {
    await client.send(`GET /chat HTTP/1.1\r\n${HEADERS}Connection: Upgrade\r\nUpgrade: echo\r\n\r\n`);
    expectStatus((await client.response()).status, 101);
    for (let i = 0; i < 20; i++) {
      await client.send('ping');
      await client.bytes(4);
      await pause(20);
    }
    client.end();
    await client.closed();
  });

const isCutShort: Actor = (port) =>
  visit(port, async (client) => {
    await client.send(get('/cut'));
    await client.head();
    await client.closed();
  });

const breaksTheRules: Actor = (port) =>
  visit(port, async (client) => {
    await client.send(
      `POST / HTTP/1.1\r\n${HEADERS}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    );
    expectStatus((await client.response()).status, 400);
    await client.closed();
  });

const looksIn: Actor = (port, random) =>
  visit(port, async (client) => {
    await pause(random.below(200));
    client.end();
  });

/** Often the ordinary, now and then the odd. */
export const ACTORS: Readonly<Record<string, Actor>> = {
  browses,
  pipelines,
  downloads,
  readsSlowly,
  uploads,
  uploadsInChunks,
  leavesWaiting,
  leavesInAnswer,
  leavesInUpload,
  listens,
  tunnels,
  isCutShort,
  breaksTheRules,
  looksIn,
};
