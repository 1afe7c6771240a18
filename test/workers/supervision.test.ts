import { writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { cpuTime, portOpens, until } from '../../src/testkit/index.ts';
import { LEASE } from '../../src/workers/lease.ts';
import { ask, Load, workersLab } from './fixture/lab.ts';

const alive = (pid: number) => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

test.for([1, 2])(
  'a worker of %i killed under load loses only what it had in hand, and no connection is refused',
  async (workers) => {
    await using lab = workersLab();
    const node = await lab.serve({ text: 'hi', workers });
    const kept = new Load(node.port, 8);
    const fresh = new Load(node.port, 4, true);
    for (let kill = 1; kill <= 3; kill++) {
      const before = kept.done + fresh.done;
      await until(() => kept.done + fresh.done > before + 200, 'some load');
      process.kill(node.workers()[0]!, 'SIGKILL');
      const { replacedInMs } = await node.logged('a worker was killed by SIGKILL and is replaced', kill);
      expect(replacedInMs).toBeUndefined();
      await node.logged('the new worker serves', kill);
    }
    const after = kept.done + fresh.done;
    await until(() => kept.done + fresh.done > after + 200, 'load on the new workers');
    const lost: Record<string, number> = {};
    for (const outcomes of [await kept.stop(), await fresh.stop()]) {
      for (const [outcome, count] of Object.entries(outcomes)) lost[outcome] = (lost[outcome] ?? 0) + count;
    }
    const { 200: served, ...failed } = lost;
    expect(served).toBeGreaterThan(800);
    expect(failed.ECONNREFUSED).toBeUndefined();
    // Each kill loses at most what the 12 connections had under way.
    expect(Object.values(failed).reduce((sum, count) => sum + count, 0)).toBeLessThanOrEqual(36);
  },
);

test('a dead worker is replaced within two seconds, and the counts of the dead one stay in the sum', async () => {
  await using lab = workersLab();
  const node = await lab.serve({ text: 'hi', admin: { host: '127.0.0.1', port: 0 } });
  for (let i = 0; i < 5; i++) await ask(node.port);
  const requests = async () =>
    JSON.parse((await ask(node.admin, { path: '/v1/routes' })).text).routes[0].requests;
  expect(await requests()).toBe(5);
  const killed = performance.now();
  process.kill(node.workers()[0]!, 'SIGKILL');
  await node.logged('a worker was killed by SIGKILL and is replaced');
  expect((await ask(node.port)).status).toBe(200);
  expect(performance.now() - killed).toBeLessThan(2000);
  expect(await requests()).toBe(6);
});

test('a worker that dies again and again is replaced ever slower, without end', async () => {
  await using lab = workersLab();
  const node = await lab.serve({ text: 'hi' });
  for (let death = 1; death <= 5; death++) {
    await expect(ask(node.port, { path: '/die' })).rejects.toThrow();
    const entry = await node.logged('a worker ended with code 9 and is replaced', death);
    expect(entry.replacedInMs).toBe(death < 5 ? undefined : 1000);
  }
  expect((await ask(node.port)).text).toBe('hi');
});

test('a worker that hangs for ten seconds is killed and replaced', { timeout: 30_000 }, async () => {
  await using lab = workersLab();
  const node = await lab.serve({ text: 'hi' });
  const hung = ask(node.port, { path: '/hang' }).catch((error) => error.code);
  const worker = node.workers()[0]!;
  const before = cpuTime([worker]);
  await until(() => cpuTime([worker]) > before + 100_000, 'it to be busy with nothing else');
  const waiting = ask(node.port);
  expect(await hung).toBe('ECONNRESET');
  expect(node.count('a worker has not responded for 10 s and is killed')).toBe(1);
  await node.logged('the new worker serves');
  // It had been accepted by no one, so nothing of it was lost.
  expect((await waiting).text).toBe('hi');
});

test('a worker stopped past its lease finds it gone before it answers its next request', async () => {
  await using lab = workersLab();
  const node = await lab.serve({ text: 'hi' });
  const worker = node.workers()[0]!;
  expect((await ask(node.port)).headers['x-lease']).toBe('true');
  const supervisor = node.process.pid;
  for (let trial = 0; trial < 3; trial++) {
    process.kill(worker, 'SIGSTOP');
    const answer = ask(node.port);
    await new Promise((resolve) => setTimeout(resolve, LEASE));
    // Stopped too, so that no renewal can come before the answer.
    process.kill(supervisor, 'SIGSTOP');
    process.kill(worker, 'SIGCONT');
    expect((await answer).headers['x-lease']).toBe('false');
    process.kill(supervisor, 'SIGCONT');
    await until(async () => (await ask(node.port)).headers['x-lease'] === 'true', 'the lease to be renewed');
  }
});

test('when the supervisor is killed its workers end within five seconds and free the port', async () => {
  await using lab = workersLab();
  const node = await lab.serve({ text: 'hi', workers: 2 });
  const workers = node.workers();
  const inHand = ask(node.port, { path: '/slow?ms=500' });
  await until(() => ask(node.port).then(() => true), 'a request after it');
  const killed = performance.now();
  node.process.signal('SIGKILL');
  expect((await inHand).text).toBe('hi');
  await until(() => workers.every((pid) => !alive(pid)), 'the workers to end');
  expect(performance.now() - killed).toBeLessThan(5000);
  await expect(ask(node.port)).rejects.toThrow('ECONNREFUSED');
});

test('signals of the terminal and the service manager end no worker by themselves', async () => {
  await using lab = workersLab();
  const node = await lab.serve({ text: 'hi' });
  const worker = node.workers()[0]!;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGUSR2'] as const) process.kill(worker, signal);
  expect((await ask(node.port)).headers['x-pid']).toBe(String(worker));
  expect(node.workers()).toEqual([worker]);
});

test('a config that no worker can start with ends the start with its reason', async () => {
  await using lab = workersLab();
  const file = `${lab.folder}/broken.json`;
  writeFileSync(file, '{"text": ');
  const node = lab.start(file);
  await node.line(/"message":"not started","error":".*is not JSON/);
  expect((await node.exit()).code).toBe(1);
  expect(node.tree()).toEqual([]);
});

test('it listens on IPv6', async () => {
  await using lab = workersLab();
  const node = await lab.serve({ text: 'six', listen: [{ name: 'main', host: '::1', port: 0 }] });
  await expect(ask(node.port)).rejects.toThrow('ECONNREFUSED');
  expect((await ask(node.port, { host: '::1' })).text).toBe('six');
});

test('a taken port tells which, by whom, and how to choose another', async () => {
  await using lab = workersLab();
  const node = await lab.serve({ text: 'hi' });
  await portOpens(node.port);
  const file = `${lab.folder}/second.json`;
  writeFileSync(
    file,
    JSON.stringify({ text: 'x', listen: [{ name: 'main', host: '127.0.0.1', port: node.port }] }),
  );
  const second = lab.start(file);
  const [, error] = await second.line(/"message":"not started","error":("[^\n]*")/);
  expect((await second.exit()).code).toBe(1);
  const text = JSON.parse(error!);
  expect(text).toContain(`cannot listen on 127.0.0.1:${node.port}: the port is taken by node node.ts (pid `);
  expect(text).toContain(`for example \`listen: 127.0.0.1:${node.port + 1}\``);
});
