/** The access log of a gateway as it is run: several workers, signals, a reader that reads nothing. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { stringify } from 'yaml';
import {
  freePort,
  httpOrigin,
  processLab,
  type TempFolder,
  tempFolder,
  until,
} from '../../src/testkit/index.ts';

const BIN = new URL('../../bin/tidegate', import.meta.url).pathname;

async function write(
  folder: TempFolder,
  log: object,
  workers: number,
): Promise<{ file: string; port: number }> {
  const port = await freePort();
  const config = {
    listen: `127.0.0.1:${port}`,
    admin: false,
    workers,
    routes: { all: { match: '/*', respond: { body: 'ok' } } },
    log,
  };
  return { file: folder.write('tidegate.yaml', stringify(config)), port };
}

/** As many requests as asked for, a few at a time; gives how many were answered with 200. */
async function load(port: number, count: number, agent = 'probe'): Promise<number> {
  let asked = 0;
  let answered = 0;
  const client = async () => {
    while (asked < count) {
      const path = `/${asked++}`;
      const response = await fetch(`http://127.0.0.1:${port}${path}`, { headers: { 'user-agent': agent } });
      if (response.status === 200 && (await response.text()) === 'ok') answered++;
    }
  };
  await Promise.all(Array.from({ length: 8 }, client));
  return answered;
}

const parsed = (path: string) =>
  readFileSync(path, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { path: string });

test('workers add whole lines to one file, and on SIGHUP go on in a new one, with none lost', async () => {
  using folder = tempFolder();
  await using lab = processLab();
  const path = join(folder.path, 'access.log');
  const { file, port } = await write(folder, { access: 'json', file: 'access.log' }, 2);
  const gateway = lab.start(BIN, ['run', file]);
  await gateway.line(/serving/);
  expect(await load(port, 500)).toBe(500);
  await until(() => parsed(path).length === 500, 'all lines of the first load');
  renameSync(path, `${path}.1`);
  const moved = load(port, 500);
  process.kill(gateway.pid, 'SIGHUP');
  expect(await moved).toBe(500);
  await gateway.line(/the config was reloaded/);
  expect(await load(port, 100)).toBe(100);
  await until(() => parsed(`${path}.1`).length + parsed(path).length === 1100, 'all lines in both files');
  expect(parsed(path).length).toBeGreaterThanOrEqual(100);
});

test('SIGUSR1 opens the file anew, and no debugger, in no process', async () => {
  using folder = tempFolder();
  await using lab = processLab();
  const path = join(folder.path, 'access.log');
  const { file, port } = await write(folder, { access: 'json', file: 'access.log' }, 1);
  const gateway = lab.start(BIN, ['run', file]);
  await gateway.line(/serving/);
  expect(await load(port, 1)).toBe(1);
  const isWritten = () => readFileSync(path, 'utf8').endsWith('\n');
  await until(isWritten, 'the first line');
  renameSync(path, `${path}.1`);
  for (const pid of gateway.tree()) process.kill(pid, 'SIGUSR1');
  await until(() => existsSync(path), 'the new file');
  expect(await load(port, 1)).toBe(1);
  await until(isWritten, 'a line in it');
  expect(gateway.output).not.toMatch(/debugger/i);
  expect(gateway.output).not.toContain('the config was reloaded');
});

test('a reader of standard output that reads nothing holds up no request', async () => {
  using folder = tempFolder();
  const { file, port } = await write(folder, { access: 'json' }, 1);
  const child = spawn(BIN, ['run', file], { stdio: ['ignore', 'pipe', 'ignore'] });
  try {
    child.stdout.pause();
    await until(
      () =>
        load(port, 1).then(
          (ok) => ok === 1,
          () => false,
        ),
      'the gateway to serve',
    );
    // Several times what a pipe and the waiting lines hold.
    expect(await load(port, 4000, 'x'.repeat(900))).toBe(4000);
  } finally {
    child.kill('SIGKILL');
    await once(child, 'close');
  }
});

test('a request that a drain cuts off is a 503 of the gateway, not a client that left', async () => {
  using folder = tempFolder();
  await using lab = processLab();
  await using hanging = await httpOrigin(() => {});
  const port = await freePort();
  const config = {
    listen: `127.0.0.1:${port}`,
    admin: false,
    drain: { timeout: '100ms' },
    services: { hanging: { url: hanging.url } },
    routes: { all: { match: '/*', to: 'hanging' } },
    log: { access: 'json', file: 'access.log' },
  };
  const gateway = lab.start(BIN, ['run', folder.write('tidegate.yaml', stringify(config))]);
  await gateway.line(/serving/);
  const asked = fetch(`http://127.0.0.1:${port}/`).catch(() => 'cut');
  await until(() => hanging.count() === 1, 'the request at the service');
  process.kill(gateway.pid, 'SIGTERM');
  expect(await asked).toBe('cut');
  await gateway.line(/"message":"drained"/);
  expect(parsed(join(folder.path, 'access.log'))).toMatchObject([{ status: 503, code: 'TG_DRAINING' }]);
});
