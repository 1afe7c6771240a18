import { existsSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { stringify } from 'yaml';
import {
  freePort,
  Gate,
  httpOrigin,
  portOpens,
  processLab,
  processTree,
  type RawClient,
  rawClient,
  residentBytes,
  startTestGateway,
  tempFolder,
  until,
} from '../../src/testkit/index.ts';
import { request, type Stage, stage } from './stage.ts';

const MIB = 2 ** 20;
const GIB = 2 ** 30;

describe('streams', () => {
  let on: Stage | undefined;
  afterEach(async () => {
    await on?.close();
    on = undefined;
  });

  it('server-sent events arrive when they are sent', async () => {
    const gates = [new Gate(), new Gate()];
    on = await stage({
      script: async (exchange) => {
        await exchange.send(
          'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n',
        );
        for (const [index, gate] of gates.entries()) {
          await gate.opened;
          await exchange.send(`9\r\ndata: ${index}\n\n\r\n`);
        }
        await exchange.send('0\r\n\r\n');
      },
    });
    const client = await on.client();
    await client.send(request('GET /events HTTP/1.1'));
    await client.head();
    for (const [index, gate] of gates.entries()) {
      gate.open();
      expect((await client.bytes(14)).toString()).toBe(`9\r\ndata: ${index}\n\n\r\n`);
    }
    expect((await client.bytes(5)).toString()).toBe('0\r\n\r\n');
  });

  it('each chunk of an upload reaches the service when it is sent', async () => {
    on = await stage();
    const client = await on.client();
    await client.send(request('POST /up HTTP/1.1', ['Host: a', 'Transfer-Encoding: chunked']));
    const got = await on.origin.nextHead();
    for (const word of ['one', 'two']) {
      await client.send(`3\r\n${word}\r\n`);
      await until(() => got.connection.received.toString('latin1').includes(word), word);
    }
    await client.send('0\r\n\r\n');
    expect((await client.response()).status).toBe(200);
  });

  it('a WebSocket echoes through the gateway, and goes on across a reload', async () => {
    await using service = await httpOrigin((_, response) => void response.end());
    const sockets = new WebSocketServer({ server: service.server });
    sockets.on('connection', (socket) =>
      socket.on('message', (data, binary) => socket.send(data, { binary })),
    );
    const config = (extra: object) => ({
      services: { origin: { url: service.url, ...extra } },
      routes: { all: { match: '/*', to: 'origin' } },
    });
    await using gateway = await startTestGateway(config({}));
    const socket = new WebSocket(`ws://127.0.0.1:${gateway.port}/chat`, 'superchat');
    const echo = async (text: string) => {
      const answered = new Promise<string>((resolve) =>
        socket.once('message', (data) => resolve(String(data))),
      );
      socket.send(text);
      expect(await answered).toBe(text);
    };
    await new Promise((resolve, reject) => {
      socket.once('open', resolve);
      socket.once('error', reject);
    });
    await echo('before');
    await gateway.reload(config({ timeout: '1s' }));
    await echo('after');
    await echo('x'.repeat(200_000));
    const closed = new Promise<number>((resolve) => socket.once('close', (code) => resolve(code)));
    socket.close(4001);
    expect(await closed).toBe(4001);
    sockets.close();
  });
});

describe.skipIf(!existsSync('/proc/self/stat'))('a body of 1 GiB, with timeout: 2s', () => {
  /**
   * What a worker may grow by while it passes a body on. Most of it is memory of reads that are done with: V8
   * lets 64 MiB of that gather before it collects, and on a busy machine it gives it back late.
   */
  const BOUND = 192 * MIB;

  /** Runs the gateway in processes of its own and gives the most memory its worker had while `move` ran. */
  async function growth(service: string, move: (client: RawClient) => Promise<void>): Promise<number> {
    await using lab = processLab();
    using folder = tempFolder();
    const port = await freePort();
    const config = {
      listen: `127.0.0.1:${port}`,
      admin: false,
      services: { origin: { url: service, timeout: '2s' } },
      routes: { all: { match: '/*', to: 'origin' } },
    };
    const bin = new URL('../../bin/tidegate', import.meta.url).pathname;
    const gateway = lab.start(bin, ['run', folder.write('tidegate.yaml', stringify(config))]);
    await portOpens(port, 15_000);
    await using client = await rawClient({ port, patience: 60_000 });
    await client.send(request('GET /warm HTTP/1.1'));
    await client.response();
    const worker = [processTree(gateway.pid).at(-1)!];
    const before = residentBytes(worker);
    let most = before;
    const watch = setInterval(() => {
      most = Math.max(most, residentBytes(worker));
    }, 20);
    await move(client);
    clearInterval(watch);
    return most - before;
  }

  it('comes down whole, with bounded memory, though it takes longer', async () => {
    const piece = Buffer.alloc(MIB, 'd');
    await using service = await httpOrigin(async (incoming, response) => {
      if (incoming.url === '/warm') return void response.end();
      response.writeHead(200, { 'content-length': GIB });
      for (let sent = 0; sent < GIB; sent += MIB) {
        if (!response.write(piece)) await new Promise((resolve) => response.once('drain', resolve));
      }
      response.end();
    });
    const grown = await growth(service.url, async (client) => {
      await client.send(request('GET /large HTTP/1.1'));
      await client.head();
      for (let got = 0; got < GIB; got += 8 * MIB) {
        await client.bytes(8 * MIB);
        if (got === GIB / 2) {
          client.pause();
          await pause(2_500);
          client.resume();
        }
      }
    });
    expect(grown).toBeLessThan(BOUND);
  }, 120_000);

  it('goes up whole, with bounded memory, though it takes longer', async () => {
    await using service = await httpOrigin(async (incoming, response) => {
      let size = 0;
      for await (const chunk of incoming) size += (chunk as Buffer).length;
      response.end(String(size));
    });
    const piece = Buffer.alloc(MIB, 'u');
    const grown = await growth(service.url, async (client) => {
      await client.send(request('POST /large HTTP/1.1', ['Host: a', `Content-Length: ${GIB}`]));
      for (let sent = 0; sent < GIB; sent += MIB) {
        await client.send(piece);
        if (sent === GIB / 2) await pause(2_500);
      }
      expect((await client.response()).body.toString()).toBe(String(GIB));
    });
    expect(grown).toBeLessThan(BOUND);
  }, 120_000);
});
