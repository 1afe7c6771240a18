import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import {
  freePort,
  type LabProcess,
  processLab,
  rawClient,
  tempFolder,
  until,
} from '../../src/testkit/index.ts';
import { ask, entriesOf, Load } from './fixture/lab.ts';

const TIDEGATE = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));

function runLab() {
  const lab = processLab();
  const folder = tempFolder();
  const env = { npm_lifecycle_event: undefined, FORCE_COLOR: undefined, NO_COLOR: '1' };
  return {
    folder,
    write: (name: string, text: string) => folder.write(name, text),
    run: (file: string, ...nodeOptions: string[]) =>
      lab.node(['--disable-warning=ExperimentalWarning', ...nodeOptions, TIDEGATE, 'run', file], {
        cwd: folder.path,
        env,
      }),
    async [Symbol.asyncDispose]() {
      await lab.close();
      folder.close();
    },
  };
}

async function serving(process: LabProcess): Promise<Record<string, unknown>> {
  await process.line(/"message":"serving".*\n/, 10_000);
  return entriesOf(process).find((entry) => entry.message === 'serving')!;
}

const answering = (port: number, text: string, more = '') => `
listen: 127.0.0.1:${port}
admin: false
${more}
routes:
  hello: { match: /hello, respond: { status: 200, body: '${text}' } }
`;

async function logged(process: LabProcess, message: string, nth = 1): Promise<void> {
  const count = () => entriesOf(process).filter((entry) => entry.message === message).length;
  await until(() => count() >= nth, `${message} in the log`, 8000);
}

/** Has the process signal itself once it asks for the code of `run`. */
const signalledWhileLoading = (signal: NodeJS.Signals): string => {
  const hook = `import { registerHooks } from 'node:module';
    registerHooks({ resolve(specifier, context, next) {
      if (specifier === './run.ts' && context.parentURL.endsWith('/cli/main.ts')) process.kill(process.pid, '${signal}');
      return next(specifier, context);
    } });`;
  return `--import=data:text/javascript,${encodeURIComponent(hook)}`;
};

test.each(['SIGTERM', 'SIGINT'] as const)(
  '%s while its code is being loaded ends it with 0',
  async (signal) => {
    await using lab = runLab();
    const file = lab.write('gateway.yaml', answering(await freePort(), 'one'));
    const node = lab.run(file, signalledWhileLoading(signal));
    expect(await node.exit()).toEqual({ code: 0, signal: null });
    expect(node.output).toBe('');
  },
);

test.each(['SIGHUP', 'SIGUSR1', 'SIGUSR2'] as const)(
  '%s while its code is being loaded does not end it',
  async (signal) => {
    await using lab = runLab();
    const file = lab.write('gateway.yaml', answering(await freePort(), 'one'));
    const node = lab.run(file, signalledWhileLoading(signal));
    await serving(node);
    node.signal('SIGTERM');
    expect(await node.exit()).toEqual({ code: 0, signal: null });
  },
);

test('it says what it serves where, and a change, a refusal and the end stand in its log', async () => {
  await using lab = runLab();
  const port = await freePort();
  const file = lab.write('gateway.yaml', answering(port, 'one', 'workers: 2'));
  const node = lab.run(file);
  expect(await serving(node)).toMatchObject({
    config: file,
    listeners: [{ url: `http://127.0.0.1:${port}` }],
    admin: null,
    workers: 2,
    routes: 1,
    services: 0,
  });
  expect((await ask(port, { path: '/hello' })).text).toBe('one');
  writeFileSync(file, 'routes: {');
  await logged(node, 'the new config is refused, the old one stays in force');
  const refused = entriesOf(node).find((entry) => entry.why !== undefined)!;
  expect(refused.why).toMatch(/gateway\.yaml:1:\d+: error: /);
  expect((await ask(port, { path: '/hello' })).text).toBe('one');
  writeFileSync(file, answering(port, 'two', 'workers: 2'));
  await logged(node, 'the config was reloaded');
  for (let i = 0; i < 10; i++) expect((await ask(port, { path: '/hello' })).text).toBe('two');
  node.signal('SIGTERM');
  expect(await node.exit()).toEqual({ code: 0, signal: null });
  expect(entriesOf(node).at(-1)?.message).toBe('drained');
});

test('a config with errors is shown whole on standard error, and the exit code is 1', async () => {
  await using lab = runLab();
  const node = lab.run(lab.write('gateway.yaml', 'wrkers: 2\nroutes:\n  a: { match: /a, to: nowhere }\n'));
  expect((await node.exit(10_000)).code).toBe(1);
  expect(node.stdout).toBe('');
  expect(node.stderr).toContain('gateway.yaml:1:1: error:');
  expect(node.stderr).toContain('gateway.yaml:3:');
  expect(node.stderr).not.toContain('    at ');
});

test('a taken port is told without a stack, and the exit code is 1', async () => {
  await using lab = runLab();
  const port = await freePort();
  const first = lab.run(lab.write('one.yaml', answering(port, 'one')));
  await serving(first);
  const second = lab.run(lab.write('two.yaml', answering(port, 'two')));
  expect((await second.exit(10_000)).code).toBe(1);
  expect(second.stderr).toMatch(
    new RegExp(
      `^error: cannot listen on 127\\.0\\.0\\.1:${port}: the port is taken by node main\\.ts \\(pid \\d+\\)\\.\nChoose another`,
    ),
  );
  expect(second.stderr).not.toContain('    at ');
});

test('a worker of the real gateway killed under load loses only what it had in hand, and no connection is refused', async () => {
  await using lab = runLab();
  const port = await freePort();
  const node = lab.run(lab.write('gateway.yaml', answering(port, 'hi')));
  await serving(node);
  const load = new Load(port, 8, true, '/hello');
  for (let kill = 1; kill <= 3; kill++) {
    const before = load.done;
    await until(() => load.done > before + 100, 'some load');
    process.kill(node.tree()[1]!, 'SIGKILL');
    await logged(node, 'the new worker serves', kill);
  }
  const { 200: done, ...failed } = await load.stop();
  expect(done).toBeGreaterThan(300);
  expect(failed.ECONNREFUSED).toBeUndefined();
  expect(Object.values(failed).reduce((sum, count) => sum + count, 0)).toBeLessThanOrEqual(24);
});

test('a TypeScript config with functions is taken over by fresh workers, also when a module it imports changes; a tunnel goes on', async () => {
  await using lab = runLab();
  const port = await freePort();
  const origin = createServer().on('upgrade', (_, socket) => {
    socket.on('error', () => {});
    socket.write('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n');
    socket.pipe(socket);
  });
  await new Promise<void>((resolve) => origin.listen(0, '127.0.0.1', resolve));
  const originPort = (origin.address() as AddressInfo).port;
  mkdirSync(`${lab.folder.path}/parts`);
  const text = (value: string) => lab.write('parts/text.ts', `export const text: string = '${value}';\n`);
  text('one');
  const file = lab.write(
    'tidegate.config.ts',
    `import { text } from './parts/text.ts';
export default {
  listen: '127.0.0.1:${port}', admin: false, workers: 2,
  services: { echo: { url: 'http://127.0.0.1:${originPort}' } },
  routes: {
    hello: { match: '/hello', respond: { status: 200, template: () => text } },
    echo: { match: '/echo', to: 'echo' },
  },
};
`,
  );
  const node = lab.run(file);
  await serving(node);
  expect((await ask(port, { path: '/hello' })).text).toBe('one');
  const tunnel = connect(port, '127.0.0.1');
  let heard = '';
  tunnel.setEncoding('latin1').on('data', (chunk) => {
    heard += chunk;
  });
  tunnel.write('GET /echo HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n');
  await until(() => heard.includes('101'), 'the tunnel');
  const load = new Load(port, 4, true, '/hello');
  const kept = new Load(port, 4, false, '/hello');
  text('two');
  await logged(node, 'the config was reloaded');
  for (let i = 0; i < 10; i++) expect((await ask(port, { path: '/hello' })).text).toBe('two');
  text('three');
  await logged(node, 'the config was reloaded', 2);
  const { 200: done, ...failed } = await load.stop();
  expect(failed).toEqual({});
  expect(done).toBeGreaterThan(10);
  const { 200: answered, ...lost } = await kept.stop();
  expect(lost).toEqual({});
  expect(answered).toBeGreaterThan(10);
  tunnel.write('still here');
  await until(() => heard.endsWith('still here'), 'the echo through the retired worker');
  tunnel.destroy();
  origin.close();
  await until(() => node.tree().length === 3, 'the retired workers to end');
  node.signal('SIGTERM');
  expect((await node.exit()).code).toBe(0);
});

test('Ctrl-C ends all of it, the workers included', async () => {
  await using lab = runLab();
  const port = await freePort();
  const node = lab.run(lab.write('gateway.yaml', answering(port, 'hi', 'workers: 2')));
  await serving(node);
  const tree = node.tree();
  expect(tree).toHaveLength(3);
  // As a terminal does: to the whole process group.
  process.kill(-node.pid, 'SIGINT');
  expect((await node.exit()).code).toBe(0);
  for (const pid of tree) expect(() => process.kill(pid, 0)).toThrow('ESRCH');
});

test('a log that nobody reads holds up neither requests nor the end', async () => {
  await using lab = runLab();
  const shell = processLab();
  const port = await freePort();
  const file = lab.write('gateway.yaml', answering(port, 'hi'));
  const command = `'${process.execPath}' --disable-warning=ExperimentalWarning '${TIDEGATE}' run '${file}'`;
  const answers = () =>
    ask(port, { path: '/hello' }).then(
      () => true,
      () => false,
    );
  try {
    // The pipe is full before the gateway starts, and stays so.
    const stuck = shell.start('sh', ['-c', `(timeout 1 cat /dev/zero; exec ${command}) | sleep 60`]);
    await until(answers, 'it to serve', 10_000);
    const supervisor = stuck
      .tree()
      .find((pid) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('\0run\0'))!;
    process.kill(supervisor, 'SIGTERM');
    await until(() => !stuck.tree().includes(supervisor), 'the supervisor to end');
    expect(await answers()).toBe(false);
  } finally {
    await shell.close();
  }
});

test('the folder it was started in may be removed: workers are replaced, and a config that is a program is reloaded', async () => {
  await using lab = processLab();
  using folder = tempFolder();
  const port = await freePort();
  const program = (text: string) =>
    `export default { listen: '127.0.0.1:${port}', admin: false, routes: { a: { match: '/*', respond: { body: '${text}' } } } };`;
  const file = folder.write('gateway.mjs', program('one'));
  const release = join(folder.path, 'release');
  mkdirSync(release);
  const node = lab.node(['--disable-warning=ExperimentalWarning', TIDEGATE, 'run', file], { cwd: release });
  await serving(node);
  rmSync(release, { recursive: true });
  folder.write('gateway.mjs', program('two'));
  await logged(node, 'the config was reloaded');
  expect((await ask(port, { path: '/' })).text).toBe('two');
  await until(() => node.tree().length === 2, 'the worker before it to end', 8000);
  const [worker] = node.tree().filter((pid) => pid !== node.pid);
  process.kill(worker!, 'SIGKILL');
  await logged(node, 'the new worker serves');
  expect((await ask(port, { path: '/' })).text).toBe('two');
});

test('a config that is a program and never ends loading holds up its mended version no longer than a second', async () => {
  await using lab = runLab();
  const port = await freePort();
  const program = (text: string, rest = '') =>
    `export default { listen: '127.0.0.1:${port}', admin: false, routes: { a: { match: '/*', respond: { body: '${text}' } } } };${rest}`;
  const node = lab.run(lab.write('gateway.mjs', program('one')));
  await serving(node);
  const processes = node.tree().length;
  lab.write('gateway.mjs', program('two', 'await new Promise(() => {});'));
  await until(() => node.tree().length > processes, 'the worker that loads it', 8000);
  lab.write('gateway.mjs', program('three'));
  await until(async () => (await ask(port, { path: '/' })).text === 'three', 'the mended one', 6000);
  expect(node.output).not.toContain('is refused');
});

test('a config that is a program and never ends loading does not hold up a drain', async () => {
  await using lab = runLab();
  const port = await freePort();
  const program = (rest: string) =>
    `export default { listen: '127.0.0.1:${port}', admin: false, routes: { a: { match: '/*', respond: { body: 'a' } } } };${rest}`;
  const node = lab.run(lab.write('gateway.mjs', program('')));
  await serving(node);
  const processes = node.tree().length;
  lab.write('gateway.mjs', program('for (;;);'));
  await until(() => node.tree().length > processes, 'the worker that loads it', 8000);
  node.signal('SIGTERM');
  expect(await node.exit(8000)).toEqual({ code: 0, signal: null });
});

test('a target that one worker puts out is out for the others too, and /v1/services says why', async () => {
  await using lab = runLab();
  const [port, admin, dead] = [await freePort(), await freePort(), await freePort()];
  const service = createServer((_request, response) => response.end('ok'));
  await new Promise<void>((resolve) => service.listen(0, '127.0.0.1', resolve));
  const alive = (service.address() as AddressInfo).port;
  const node = lab.run(
    lab.write(
      'gateway.yaml',
      `
listen: 127.0.0.1:${port}
admin: 127.0.0.1:${admin}
workers: 2
services:
  shop:
    targets: [ 'http://127.0.0.1:${dead}', 'http://127.0.0.1:${alive}' ]
    balance: roundRobin
    retries: { attempts: 0 }
    health: { passive: { errors: 1, openFor: 60s } }
routes:
  shop: { match: /*, to: shop }
`,
    ),
  );
  await serving(node);
  while ((await ask(port, { path: '/' })).status === 200);
  await logged(node, 'a target is out', 2);
  const workers = entriesOf(node)
    .filter((entry) => entry.message === 'a target is out')
    .map((entry) => entry.worker);
  expect(new Set(workers).size).toBe(2);
  for (let i = 0; i < 20; i++) expect((await ask(port, { path: '/' })).status).toBe(200);
  const { services } = JSON.parse((await ask(admin, { path: '/v1/services' })).text);
  expect(services[0]).toMatchObject({ name: 'shop', breaker: 'closed' });
  const [out, well] = services[0].targets;
  expect(out).toMatchObject({ name: `http://127.0.0.1:${dead}`, health: 'ejected' });
  expect(out.lastFailure.message).toContain('ECONNREFUSED');
  expect(well).toMatchObject({ health: 'up', failures: 0, lastFailure: null });
  service.close();
});

test('/v1/routes counts bytes of request bodies, and what no route took', async () => {
  await using lab = runLab();
  const [port, admin] = [await freePort(), await freePort()];
  const config = answering(port, 'one').replace('admin: false', `admin: 127.0.0.1:${admin}`);
  await serving(lab.run(lab.write('gateway.yaml', config)));
  const asked = async (bytes: string): Promise<number> => {
    await using client = await rawClient({ port });
    await client.send(bytes);
    return (await client.response()).status;
  };
  expect(await asked('POST /hello HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello')).toBe(200);
  expect(await asked('GET /nowhere HTTP/1.1\r\nHost: a\r\n\r\n')).toBe(404);
  const told = JSON.parse((await ask(admin, { path: '/v1/routes' })).text);
  expect(told).toMatchObject({
    routes: [{ name: 'hello', requests: 1, bytesIn: 5, bytesOut: 3 }],
    unmatched: { requests: 1, clientError: 1, inFlight: 0 },
  });
});
