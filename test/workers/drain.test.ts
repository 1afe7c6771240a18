import { writeFileSync } from 'node:fs';
import http from 'node:http';
import { connect, type Socket } from 'node:net';
import { expect, test } from 'vitest';
import { until, within } from '../../src/testkit/index.ts';
import { ask, servingNode, workersLab } from './fixture/lab.ts';

const refused = (port: number) =>
  ask(port).then(
    () => false,
    (error) => error.code === 'ECONNREFUSED',
  );

/** An upgraded connection; resolves when the 101 is there. */
async function tunnel(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  socket.write('GET / HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n');
  await new Promise<void>((resolve, reject) => {
    socket.once('data', () => resolve());
    socket.once('error', reject);
  });
  return socket;
}

async function echoes(socket: Socket, text: string): Promise<boolean> {
  const heard = new Promise<string>((resolve) => socket.once('data', (bytes) => resolve(bytes.toString())));
  socket.write(text);
  return (await within(heard, () => 'no echo')) === text;
}

test.for(['SIGTERM', 'SIGINT'] as const)(
  '%s answers what is under way, closes the port, and ends with 0',
  async (signal) => {
    await using lab = workersLab();
    const node = await lab.serve({ text: 'hi', workers: 2 });
    const agent = new http.Agent({ keepAlive: true });
    await ask(node.port, { agent });
    const slow = ask(node.port, { path: '/slow?ms=800' });
    await until(async () => (await ask(node.port)).status === 200, 'a request after it');
    node.process.signal(signal);
    await until(() => refused(node.port), 'the port to close');
    expect(node.process.exited).toBeNull();
    const answer = await slow;
    expect(answer).toMatchObject({ status: 200, text: 'hi', headers: { connection: 'close' } });
    expect(await node.process.exit()).toEqual({ code: 0, signal: null });
    agent.destroy();
  },
);

test('during `drain.delay` the port stays open and /readyz is 503 at once', async () => {
  await using lab = workersLab();
  const admin = { host: '127.0.0.1', port: 0 };
  const node = await lab.serve({ text: 'hi', admin, drain: { delay: 700, timeout: 2000 } });
  expect((await ask(node.admin, { path: '/readyz' })).status).toBe(200);
  const at = performance.now();
  node.process.signal('SIGTERM');
  await until(
    async () => (await ask(node.admin, { path: '/readyz' })).status === 503,
    '/readyz to be 503',
    300,
  );
  expect((await ask(node.admin, { path: '/healthz' })).status).toBe(200);
  expect((await ask(node.port)).text).toBe('hi');
  expect((await node.process.exit()).code).toBe(0);
  expect(performance.now() - at).toBeGreaterThan(700);
});

test('what is not over after `drain.timeout` is cut, and the exit code says so', async () => {
  await using lab = workersLab();
  const node = await lab.serve({ text: 'hi', drain: { delay: 0, timeout: 400 } });
  const slow = ask(node.port, { path: '/slow?ms=60000' }).catch((error) => error.code);
  const socket = await tunnel(node.port);
  socket.on('error', () => {});
  const closed = new Promise((resolve) => socket.once('close', resolve));
  const at = performance.now();
  node.process.signal('SIGTERM');
  expect(await node.process.exit()).toEqual({ code: 1, signal: null });
  expect(performance.now() - at).toBeLessThan(1500);
  expect(await slow).toBe('ECONNRESET');
  await closed;
  expect((await node.logged('some connections were cut')).connections).toBe(2);
});

test('a tunnel lives on within `drain.timeout` and may end by itself', async () => {
  await using lab = workersLab();
  const node = await lab.serve({ text: 'hi', drain: { delay: 0, timeout: 5000 } });
  const socket = await tunnel(node.port);
  node.process.signal('SIGTERM');
  await until(() => refused(node.port), 'the port to close');
  expect(await echoes(socket, 'still here')).toBe(true);
  socket.end();
  expect((await node.process.exit()).code).toBe(0);
});

test('a `drain.timeout` of a month is none of a moment', async () => {
  await using lab = workersLab();
  const node = await lab.serve({ text: 'hi', drain: { delay: 0, timeout: 30 * 86_400_000 } });
  const socket = await tunnel(node.port);
  node.process.signal('SIGTERM');
  await until(() => refused(node.port), 'the port to close');
  expect(await echoes(socket, 'still here')).toBe(true);
  socket.end();
  expect((await node.process.exit()).code).toBe(0);
});

test('a second signal ends all processes within a second', async () => {
  await using lab = workersLab();
  const node = await lab.serve({ text: 'hi', workers: 2, drain: { delay: 0, timeout: 60_000 } });
  const slow = ask(node.port, { path: '/slow?ms=60000' }).catch((error) => error.code);
  await until(async () => (await ask(node.port)).status === 200, 'a request after it');
  const workers = node.workers();
  node.process.signal('SIGINT');
  await until(() => refused(node.port), 'the port to close');
  const at = performance.now();
  node.process.signal('SIGINT');
  expect((await node.process.exit()).code).toBe(1);
  expect(performance.now() - at).toBeLessThan(1000);
  expect(await slow).toBe('ECONNRESET');
  for (const pid of workers) expect(() => process.kill(pid, 0)).toThrow('ESRCH');
});

test('the second signal also ends a worker that hangs or is stopped', async () => {
  await using lab = workersLab();
  const node = await lab.serve({ text: 'hi', workers: 2, drain: { delay: 0, timeout: 60_000 } });
  const [stopped] = node.workers();
  process.kill(stopped!, 'SIGSTOP');
  node.process.signal('SIGTERM');
  await node.logged('draining');
  const at = performance.now();
  node.process.signal('SIGTERM');
  expect((await node.process.exit()).code).toBe(1);
  expect(performance.now() - at).toBeLessThan(1000);
  expect(() => process.kill(stopped!, 0)).toThrow('ESRCH');
});

test('one wish that arrives twice, from the terminal and from npm, still drains', async () => {
  await using lab = workersLab();
  const file = `${lab.folder}/c.json`;
  writeFileSync(file, JSON.stringify({ text: 'hi' }));
  const node = await servingNode(lab.start(file, { npm_lifecycle_event: 'start' }), file);
  const slow = ask(node.port, { path: '/slow?ms=300' });
  await until(async () => (await ask(node.port)).status === 200, 'a request after it');
  node.process.signal('SIGINT');
  node.process.signal('SIGTERM');
  expect((await slow).text).toBe('hi');
  expect((await node.process.exit()).code).toBe(0);
});

test('a signal while it starts ends it, and leaves nothing running', async () => {
  await using lab = workersLab();
  const file = `${lab.folder}/c.json`;
  writeFileSync(file, JSON.stringify({ text: 'hi', workers: 4 }));
  const started = lab.start(file);
  const workers = await until(
    () => (started.tree().length > 1 ? started.tree().slice(1) : null),
    'a worker to be forked',
  );
  started.signal('SIGTERM');
  await started.exit();
  for (const pid of workers) await until(() => !started.tree().includes(pid), 'the worker to end');
});
