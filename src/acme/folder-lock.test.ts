import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ManualClock, tempFolder, until } from '../testkit/index.ts';
import { FolderLock } from './folder-lock.ts';

test('one has it at a time', async () => {
  using folder = tempFolder();
  const path = join(folder.path, 'lock');
  const clock = new ManualClock();
  const [a, b] = [new FolderLock(path, clock), new FolderLock(path, clock)];
  expect([await a.take(), await b.take()]).toEqual([true, false]);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  await a.release();
  expect([await b.take(), await a.take()]).toEqual([true, false]);
  await a.release();
  expect(await a.take()).toBe(false);
  await b.release();
  expect(readdirSync(folder.path)).toEqual([]);
  expect(clock.pending).toBe(0);
});

test('one whose holder lives is never taken over', async () => {
  using folder = tempFolder();
  const path = join(folder.path, 'lock');
  const clock = new ManualClock();
  const [a, b] = [new FolderLock(path, clock), new FolderLock(path, clock)];
  await a.take();
  for (let i = 0; i < 10; i++) {
    expect(await b.take()).toBe(false);
    const before = statSync(path).mtimeMs;
    clock.advance(3_000);
    await until(() => statSync(path).mtimeMs !== before, 'the sign of life');
  }
  await a.release();
});

test('one whose holder died is taken over after a quarter of a minute', async () => {
  using folder = tempFolder();
  const path = join(folder.path, 'lock');
  const clock = new ManualClock();
  const dead = new FolderLock(path, new ManualClock());
  await dead.take();
  const next = new FolderLock(path, clock);
  expect(await next.take()).toBe(false);
  clock.advance(14_000);
  expect(await next.take()).toBe(false);
  clock.advance(1_000);
  expect(await next.take()).toBe(true);
  // Should the dead one come back to life, it does not take what is another's now.
  await dead.release();
  expect(await new FolderLock(path, clock).take()).toBe(false);
  await next.release();
});

test('a folder that is not there, or may not be written to, is told of', async () => {
  const lock = new FolderLock('/nowhere/at/all/lock', new ManualClock());
  await expect(lock.take()).rejects.toThrow(/ENOENT/);
});
