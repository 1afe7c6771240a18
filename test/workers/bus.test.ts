import { connect } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { silentLogger } from '../../src/telemetry/index.ts';
import { until } from '../../src/testkit/index.ts';
import { systemClock } from '../../src/util/clock.ts';
import { Fleet } from '../../src/workers/fleet.ts';
import { LEASE } from '../../src/workers/lease.ts';
import { type OpenListener, openListener } from '../../src/workers/listening.ts';
import { complete } from './fixture/config.ts';
import { ask } from './fixture/lab.ts';

let fleet: Fleet;
let listener: OpenListener;

const desired = (text = 'hi', version = 1) => ({
  version,
  config: complete({ text }, text),
  listeners: new Map([['main', listener]]),
});

async function start(workers: number, passOn = false): Promise<void> {
  listener = await openListener('127.0.0.1', 0, { key: 'listen', passOn });
  await fleet.start(desired(), workers, fleet.fork());
}

beforeEach(() => {
  fleet = new Fleet({
    entry: new URL('./fixture/worker.ts', import.meta.url),
    clock: systemClock,
    log: silentLogger,
    onRequest: (channel) => channel.on('double', (value) => (value as number) * 2),
    codeFile: null,
  });
});

afterEach(async () => {
  await fleet.kill();
  listener.close();
});

/** What each worker has heard, by its process id. */
async function heardBy(workers: number): Promise<Map<string, string>> {
  const heard = new Map<string, string>();
  await until(async () => {
    const { headers } = await ask(listener.port);
    heard.set(headers['x-pid'] as string, headers['x-heard'] as string);
    return heard.size === workers;
  }, 'an answer of every worker');
  return heard;
}

test('a broadcast has reached every worker when it resolves', async () => {
  await start(2);
  for (const note of ['one', 'two', 'three']) {
    await fleet.broadcast('note', note);
    expect(new Set((await heardBy(2)).values())).toEqual(new Set([note]));
  }
});

test('a broadcast passes over a stopped worker once its lease has run out, which then hears it before it has another', async () => {
  await start(2);
  const [stopped] = [...fleet.pids().values()];
  process.kill(stopped!, 'SIGSTOP');
  const at = performance.now();
  await fleet.broadcast('note', 'changed');
  const took = performance.now() - at;
  expect(took).toBeGreaterThan(500);
  expect(took).toBeLessThan(500 + LEASE + 200);
  process.kill(stopped!, 'SIGCONT');
  for (;;) {
    const { headers } = await ask(listener.port);
    if (headers['x-pid'] !== String(stopped)) continue;
    // With the lease comes the news; without it, it may be either way.
    if (headers['x-lease'] === 'false') continue;
    expect(headers['x-heard']).toBe('changed');
    break;
  }
});

test('a broadcast does not wait for a worker that dies', async () => {
  await start(2);
  const [first] = [...fleet.pids().values()];
  process.kill(first!, 'SIGSTOP');
  const at = performance.now();
  const broadcast = fleet.broadcast('note', 'changed', 60_000);
  process.kill(first!, 'SIGKILL');
  await broadcast;
  expect(performance.now() - at).toBeLessThan(2000);
});

test('where handles can not be handed over, connections are accepted by the supervisor and passed on to all workers', async () => {
  await start(2, true);
  expect(listener.handle).toBeNull();
  const pids = new Set<unknown>();
  for (let i = 0; i < 10; i++) {
    const answer = await ask(listener.port);
    expect(answer.text).toBe('hi');
    pids.add(answer.headers['x-pid']);
  }
  expect(pids.size).toBe(2);
  // Bytes that were there before the connection was passed on are not lost.
  const socket = connect(listener.port, '127.0.0.1');
  socket.write('GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n');
  let text = '';
  for await (const chunk of socket) text += chunk;
  expect(text).toMatch(/^HTTP\/1\.1 200 /);
});

test('a reload that a worker can not follow leaves all as they were', async () => {
  await start(2);
  await expect(fleet.reload(desired('does not compile', 2))).rejects.toThrow('the text does not compile');
  expect(fleet.readyCount).toBe(2);
  expect((await ask(listener.port)).text).toBe('hi');
  await fleet.reload(desired('two', 3));
  expect((await ask(listener.port)).text).toBe('two');
});
