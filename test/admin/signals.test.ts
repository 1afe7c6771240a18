/** Signals, deaths and successions, of a gateway as it is run. */
import { connect, type Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { freePort, processLab, rawClient, tempFolder, until } from '../../src/testkit/index.ts';
import { AdminNode, adminNode, ask, BIN } from './node.ts';

const alive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};
const opens = (port: number) =>
  ask(port, '/').then(
    () => true,
    () => false,
  );
const workersOf = (node: AdminNode) => node.gateway.tree().filter((pid) => pid !== node.gateway.pid);

/** The next bytes on a socket, up to a pattern. */
function heard(socket: Socket): { text(): string; until(pattern: RegExp): Promise<unknown> } {
  let text = '';
  socket.on('error', () => {});
  socket.setEncoding('latin1').on('data', (chunk) => {
    text += chunk;
  });
  return { text: () => text, until: (pattern) => until(() => pattern.test(text), String(pattern)) };
}

describe('SIGUSR2', () => {
  it('answers what is under way on the admin listener, and ends its streams', async () => {
    await using node = await adminNode();
    const stream = connect(node.admin, '127.0.0.1');
    const events = heard(stream);
    stream.write('GET /v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await events.until(/retry: 2000/);
    const slow = connect(node.admin, '127.0.0.1');
    const answer = heard(slow);
    const body = '{"tags":["a"]}';
    const head = `POST /v1/purge HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`;
    slow.write(head + body.slice(0, 5));
    const busy = await rawClient({ port: node.port });
    // Keeps the old version until its request is whole.
    await busy.send('GET /hello HTTP/1.1\r\nHost: a\r\n');
    node.gateway.signal('SIGUSR2');
    await node.gateway.line(/"message":"the new version serves"/);
    await until(() => stream.readableEnded || stream.destroyed, 'the stream to end');
    slow.write(body.slice(5));
    await answer.until(/^HTTP\/1\.1 200 .*"sequence"/s);
    expect((await node.api('/readyz')).status).toBe(200);
    await busy.send('\r\n');
    expect((await busy.response('GET')).status).toBe(200);
    busy.close();
    await node.gateway.line(/"message":"drained"/);
    slow.destroy();
  });

  it('stands on the admin address that its own config names, and gives up the old one', async () => {
    await using node = await adminNode();
    const [before, after] = [node.admin, await freePort()];
    await node.reloaded(() => node.write({ admin: { address: `127.0.0.1:${after}` } }));
    await node.gateway.line(/the change of `admin` waits for a restart/);
    expect((await node.api('/readyz')).status).toBe(200);
    node.gateway.signal('SIGUSR2');
    await node.gateway.line(/"message":"drained"/);
    expect((await ask(after, '/readyz')).status).toBe(200);
    await until(async () => !(await opens(before)), 'the old address to be closed');
    expect((await ask(node.port, '/hello')).text).toBe('hello');
  });

  it('takes over another number of workers, and `admin: false`', async () => {
    await using node = await adminNode();
    node.folder.write(
      'tidegate.yaml',
      `listen: 127.0.0.1:${node.port}\nadmin: false\nworkers: 2\nroutes: { hello: { match: /hello, respond: { body: two } } }\n`,
    );
    await node.gateway.line(/the change of `workers` waits for a restart/);
    node.gateway.signal('SIGUSR2');
    await node.gateway.line(/"message":"drained"/);
    expect(node.logged('serving').map(({ workers, admin }) => [workers, admin === null])).toEqual([
      [1, false],
      [2, true],
    ]);
    await until(async () => !(await opens(node.admin)), 'the admin address to be closed');
    expect((await ask(node.port, '/hello')).text).toBe('two');
  });

  it('right after a change of the listeners starts the new version on the new ones', async () => {
    await using node = await adminNode();
    const [gone, added] = [await freePort(), await freePort()];
    const listen = (port: number) => [
      { name: 'main', address: `127.0.0.1:${node.port}` },
      { name: 'other', address: `127.0.0.1:${port}` },
    ];
    await node.reloaded(() => node.write({ listen: listen(gone) }));
    node.write({ listen: listen(added) });
    node.gateway.signal('SIGUSR2');
    await node.gateway.line(/"message":"(the new version does not start.*|drained)"/);
    expect(node.logged('the new version does not start, this one goes on')).toEqual([]);
    for (const port of [node.port, added]) expect((await ask(port, '/hello')).text).toBe('hello');
    expect(await opens(gone)).toBe(false);
  });

  it('that is followed by SIGTERM ends both versions', async () => {
    await using node = await adminNode();
    const before = node.gateway.tree();
    node.gateway.signal('SIGUSR2');
    await until(() => node.gateway.tree().length > before.length, 'the new version to be started');
    const started = node.gateway.tree().filter((pid) => !before.includes(pid));
    node.gateway.signal('SIGTERM');
    expect((await node.gateway.exit(15_000)).code).toBe(0);
    await until(() => !started.some(alive), 'the new version to end');
    await until(async () => !(await opens(node.port)), 'the port to be free');
  });
});

describe('deaths', () => {
  it('a killed worker is replaced within 2 s, and the port stays open', async () => {
    await using node = await adminNode();
    const [worker] = workersOf(node);
    process.kill(worker!, 'SIGKILL');
    const began = performance.now();
    expect((await ask(node.port, '/hello')).text).toBe('hello');
    expect(performance.now() - began).toBeLessThan(5000);
    await node.gateway.line(/"message":"the new worker serves"/);
    const [death, birth] = ['a worker was killed by SIGKILL and is replaced', 'the new worker serves'].map(
      (line) => Date.parse(String(node.logged(line)[0]!.time)),
    );
    expect(birth! - death!).toBeLessThan(4000);
    expect((await node.api('/v1/status')).text).toContain('"workers":1');
  });

  it('without their supervisor workers end within 5 s, tunnels and all, and free the port', async () => {
    await using node = await adminNode({ workers: 2 });
    const workers = workersOf(node);
    expect(workers).toHaveLength(2);
    const open = await rawClient({ port: node.port });
    await open.send('GET /hello HTTP/1.1\r\nHost: a\r\n');
    process.kill(node.gateway.pid, 'SIGKILL');
    const began = performance.now();
    await until(() => !workers.some(alive), 'the workers to end', 6000);
    expect(performance.now() - began).toBeLessThan(6000);
    open.close();
    expect(await opens(node.port)).toBe(false);
  });
});

it('a config that changes while the gateway starts is not missed', async () => {
  const node = new AdminNode();
  try {
    const started = node.start({});
    // The worker listens: the config was read, and is not watched yet.
    await until(async () => node.port !== 0 && (await opens(node.port)), 'the port to be open', 15_000);
    node.write({ routes: { hello: { match: '/hello', respond: { body: 'changed' } } } });
    await started;
    await until(async () => (await ask(node.port, '/hello')).text === 'changed', 'the change');
  } finally {
    await node[Symbol.asyncDispose]();
  }
});

describe('the end', () => {
  it('SIGINT drains as SIGTERM does; what is under way is answered with Connection: close', async () => {
    await using node = await adminNode({ drain: { delay: '0s', timeout: '5s' } });
    const client = await rawClient({ port: node.port });
    await client.send('GET /hello HTTP/1.1\r\nHost: a\r\n');
    await until(async () => (await node.api('/v1/status')).status === 200, 'it to run');
    node.gateway.signal('SIGINT');
    await until(async () => !(await opens(node.port)), 'the listener to be closed');
    await client.send('\r\n');
    const response = await client.response('GET');
    expect(response.status).toBe(200);
    expect(response.headers.map(([name, value]) => `${name}: ${value}`.toLowerCase())).toContain(
      'connection: close',
    );
    client.close();
    expect(await node.gateway.exit()).toEqual({ code: 0, signal: null });
  });

  it('what is not over in time is cut, and the exit code is 1', async () => {
    await using node = await adminNode({ drain: { delay: '0s', timeout: '300ms' } });
    const client = await rawClient({ port: node.port });
    await client.send('GET /hello HTTP/1.1\r\nHost: a\r\n');
    await ask(node.port, '/hello');
    node.gateway.signal('SIGTERM');
    expect((await node.gateway.exit()).code).toBe(1);
    expect(node.logged('some connections were cut')[0]).toMatchObject({ connections: 1 });
    client.close();
  });

  it('a second signal ends all processes within a second', async () => {
    await using node = await adminNode({ workers: 2, drain: { delay: '30s', timeout: '30s' } });
    const all = node.gateway.tree();
    node.gateway.signal('SIGTERM');
    await node.gateway.line(/"message":"draining"/);
    const began = performance.now();
    node.gateway.signal('SIGINT');
    await until(() => !all.some(alive), 'all to end', 3000);
    expect(performance.now() - began).toBeLessThan(2000);
  });
});

it('on IPv6 its address is a Host that it goes by', async () => {
  const lab = processLab();
  using folder = tempFolder();
  const port = await freePort();
  const file = folder.write(
    'six.yaml',
    `listen: 127.0.0.1:${await freePort()}\nadmin: '[::1]:${port}'\nroutes: { a: { match: /a, respond: {} } }\n`,
  );
  try {
    await lab.start(BIN, ['run', file]).line(/"message":"serving"/, 15_000);
    expect((await ask(port, '/v1/status', { host: '::1', headers: { host: `[::1]:${port}` } })).status).toBe(
      200,
    );
    expect((await ask(port, '/v1/status', { host: '::1', headers: { host: `[::2]:${port}` } })).status).toBe(
      403,
    );
  } finally {
    await lab.close();
  }
});
