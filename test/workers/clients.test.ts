/** Connections of one client at a gateway as it is run, with several workers. */
import { connect, type Socket } from 'node:net';
import { expect, test } from 'vitest';
import { freePort, processLab, processTree, tempFolder, until } from '../../src/testkit/index.ts';

const BIN = new URL('../../bin/tidegate', import.meta.url).pathname;
const MOST = 4;

test('all workers together take no more than connectionsPerClient, and forget those of a worker that died', async () => {
  await using lab = labOf();
  const { port, gateway } = await lab.serving();
  const first = connections(port, 12);
  await until(() => first.filter(isOpen).length === MOST, 'all but four connections to be closed');
  first.find(isOpen)!.destroy();
  await until(() => stays(port), 'a place, once a connection has closed');
  const [, ...workers] = processTree(gateway.pid);
  for (const pid of workers) process.kill(pid, 'SIGKILL');
  await until(() => first.every((socket) => !isOpen(socket)), 'the connections of the dead to close');
  await until(() => stays(port), 'places, once workers have been replaced');
  const again = connections(port, 12);
  await until(() => again.filter(isOpen).length === MOST, 'all but four connections to be closed');
  expect(again.filter(isOpen)).toHaveLength(MOST);
  for (const socket of [...first, ...again]) socket.destroy();
}, 60_000);

test('a bound that a reload brings counts what is open at every worker already', async () => {
  await using lab = labOf();
  const { port, reload } = await lab.serving('none');
  const first = connections(port, 3 * MOST);
  await Promise.all(first.map(answered));
  await reload(MOST);
  const more = connections(port, 6);
  await until(() => !more.some(isOpen), 'what comes then to be closed');
  expect(first.every(isOpen)).toBe(true);
  for (const socket of first.slice(1)) socket.destroy();
  await until(() => stays(port), 'a place, once connections have closed');
  first[0]!.destroy();
}, 60_000);

function labOf() {
  const lab = processLab();
  const folder = tempFolder();
  return {
    async serving(most: number | 'none' = MOST) {
      const port = await freePort();
      const write = (bound: number | 'none') => {
        const listener = `{ name: front, address: '127.0.0.1:${port}', limits: { connectionsPerClient: ${bound} } }`;
        const config = `listen: [${listener}]\nadmin: false\nworkers: 3\nroutes: { all: { match: /*, respond: { body: ok } } }\n`;
        return folder.write('tidegate.yaml', config);
      };
      const gateway = lab.start(BIN, ['run', write(most)]);
      await gateway.line(/serving/);
      const reload = async (bound: number) => {
        write(bound);
        await gateway.line(/the config was reloaded/);
      };
      return { port, gateway, reload };
    },
    async [Symbol.asyncDispose]() {
      await lab.close();
      folder.close();
    },
  };
}

function connections(port: number, count: number): Socket[] {
  return Array.from({ length: count }, () => {
    const socket = connect({ port, host: '127.0.0.1' });
    socket.on('error', () => {});
    return socket.resume();
  });
}

function isOpen(socket: Socket): boolean {
  return !socket.destroyed;
}

/** Is a connection that comes now let in, and answered twice? It is closed again. */
async function stays(port: number): Promise<boolean> {
  const [socket] = connections(port, 1);
  const both = (await answered(socket!)) && (await answered(socket!));
  socket!.destroy();
  return both;
}

function answered(socket: Socket): Promise<boolean> {
  return new Promise((resolve) => {
    socket.once('data', () => resolve(true));
    socket.once('close', () => resolve(false));
    socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  });
}
