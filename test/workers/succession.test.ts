import { expect, test } from 'vitest';
import { until } from '../../src/testkit/index.ts';
import { ask, Load, workersLab } from './fixture/lab.ts';

test('SIGUSR2 starts the new version on the same ports, drains the old, and loses no request', {
  timeout: 60_000,
}, async () => {
  await using lab = workersLab();
  const node = await lab.serve({ text: 'old', workers: 2, admin: { host: '127.0.0.1', port: 0 } });
  let successor = 0;
  try {
    const load = new Load(node.port, 8);
    const fresh = new Load(node.port, 2, true);
    await until(() => load.done > 300, 'some load');
    // The new process reads the file itself: that it answers otherwise tells the two apart.
    node.write({ text: 'new', workers: 2, admin: { host: '127.0.0.1', port: 0 } });
    await node.logged('the config was reloaded');
    const slow = ask(node.port, { path: '/slow?ms=1500' });
    const old = node.workers().map(String);
    node.process.signal('SIGUSR2');
    successor = (await node.logged('the new version serves')).pid as number;
    expect(old).toContain((await slow).headers['x-pid']);
    const done = load.done;
    await node.logged('drained');
    await until(() => !alive(node.process.pid), 'the old supervisor to end');
    await until(() => load.done > done + 300, 'load on the new version');
    const { 200: served, ...failed } = await load.stop();
    expect(served).toBeGreaterThan(600);
    expect(failed).toEqual({});
    const { 200: connected, ...refused } = await fresh.stop();
    expect(connected).toBeGreaterThan(100);
    expect(refused).toEqual({});
    expect((await ask(node.admin, { path: '/readyz' })).status).toBe(200);
    process.kill(successor, 'SIGTERM');
    // Its output is closed once both are gone; the code is the old one's.
    expect(await node.process.exit()).toEqual({ code: 0, signal: null });
    await expect(ask(node.port)).rejects.toThrow('ECONNREFUSED');
  } finally {
    if (successor > 0) kill(successor);
  }
});

test('a new version that can not start leaves the old one as it was', async () => {
  await using lab = workersLab();
  const node = await lab.serve({ text: 'old' });
  node.write({ text: '', textFile: '/nowhere' });
  await node.logged(/is refused/);
  node.process.signal('SIGUSR2');
  const { error } = await node.logged('the new version does not start, this one goes on');
  expect(error).toBe('it ended with code 1');
  expect((await ask(node.port)).text).toBe('old');
  node.write({ text: 'again' });
  await node.logged('the config was reloaded');
  node.process.signal('SIGTERM');
  expect((await node.process.exit()).code).toBe(0);
});

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // Ended already.
  }
}
