import { mkdirSync, renameSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { expect, test } from 'vitest';
import { freePort, until } from '../../src/testkit/index.ts';
import { ask, Load, type NodeLab, servingNode, workersLab } from './fixture/lab.ts';

const REFUSED = 'the new config is refused, the old one stays in force';
const RELOADED = 'the config was reloaded';

/** Waits until every worker answers with this text, at most the two seconds that are promised. */
async function allAnswer(node: NodeLab, text: string): Promise<void> {
  const since = performance.now();
  const missing = new Set(node.workers().map(String));
  await until(
    async () => {
      const answer = await ask(node.port);
      if (answer.text === text) missing.delete(answer.headers['x-pid'] as string);
      return missing.size === 0;
    },
    `all workers to answer ${text}`,
    2000,
  );
  expect(performance.now() - since).toBeLessThan(2000);
}

test('a change of the file answers on all workers within two seconds, also on open connections', async () => {
  await using lab = workersLab();
  const node = await lab.serve({ text: 'one', workers: 2 });
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  expect((await ask(node.port, { agent })).text).toBe('one');
  node.write({ text: 'two', workers: 2 });
  await allAnswer(node, 'two');
  expect((await ask(node.port, { agent })).text).toBe('two');
  agent.destroy();
});

test('no request fails while the config is swapped again and again under load', async () => {
  await using lab = workersLab();
  const node = await lab.serve({ text: '0', workers: 2 });
  const load = new Load(node.port, 8);
  for (let i = 1; i <= 20; i++) {
    node.write({ text: String(i), workers: 2 });
    await node.logged(RELOADED, i);
  }
  await allAnswer(node, '20');
  const { 200: done, ...failed } = await load.stop();
  expect(failed).toEqual({});
  expect(done).toBeGreaterThan(200);
});

test.for([
  ['broken', '{"text": "tw', /is not JSON/],
  ['empty', '', /is not JSON/],
  ['not one that compiles', '{"text": "does not compile"}', /does not compile/],
] as const)(
  'a file that is %s changes nothing, says why in one entry, and is taken once it is whole',
  async ([, content, why]) => {
    await using lab = workersLab();
    const node = await lab.serve({ text: 'one', workers: 2 });
    writeFileSync(node.file, content);
    expect((await node.logged(REFUSED)).why).toMatch(why);
    expect((await ask(node.port)).text).toBe('one');
    node.write({ text: 'two', workers: 2 });
    await allAnswer(node, 'two');
    expect(node.count(REFUSED)).toBe(1);
    expect(node.count('a worker could not take over the new config and is replaced')).toBe(0);
  },
);

test('a file that is missing changes nothing, and is taken when it comes back', async () => {
  await using lab = workersLab();
  const node = await lab.serve({ text: 'one' });
  unlinkSync(node.file);
  expect((await node.logged(REFUSED)).why).toMatch(/ENOENT/);
  expect((await ask(node.port)).text).toBe('one');
  node.write({ text: 'two' });
  await allAnswer(node, 'two');
});

test('an editor that writes beside and renames over is seen', async () => {
  await using lab = workersLab();
  const node = await lab.serve({ text: 'one' });
  for (const text of ['two', 'three']) {
    writeFileSync(`${node.file}.swp`, JSON.stringify({ text }));
    renameSync(`${node.file}.swp`, node.file);
    await allAnswer(node, text);
  }
});

test('a symbolic link in its path that turns elsewhere is seen, as Kubernetes swaps ..data', async () => {
  await using lab = workersLab();
  const version = (name: string, text: string) => {
    mkdirSync(`${lab.folder}/${name}`);
    writeFileSync(`${lab.folder}/${name}/gateway.json`, JSON.stringify({ text }));
  };
  const turn = (name: string) => {
    symlinkSync(name, `${lab.folder}/..tmp`);
    renameSync(`${lab.folder}/..tmp`, `${lab.folder}/..data`);
  };
  version('..1', 'one');
  version('..2', 'two');
  version('..3', 'three');
  turn('..1');
  const file = `${lab.folder}/gateway.json`;
  symlinkSync('..data/gateway.json', file);
  const process = lab.start(file);
  const node = await servingNode(process, file);
  expect((await ask(node.port)).text).toBe('one');
  turn('..2');
  await allAnswer(node, 'two');
  turn('..3');
  await allAnswer(node, 'three');
});

test('a change of a file that the config names is seen', async () => {
  await using lab = workersLab();
  const textFile = `${lab.folder}/text`;
  writeFileSync(textFile, 'one');
  const node = await lab.serve({ text: '', textFile });
  expect((await ask(node.port)).text).toBe('one');
  writeFileSync(textFile, 'two');
  await allAnswer(node, 'two');
});

test('SIGHUP reloads, and a file that was only touched is not swapped in', async () => {
  await using lab = workersLab();
  const node = await lab.serve({ text: 'one' });
  node.process.signal('SIGHUP');
  expect((await node.logged(RELOADED)).reason).toBe('signal');
  node.write(node.config);
  node.process.signal('SIGHUP');
  await node.logged(RELOADED, 2);
  expect(node.entries.filter(({ reason }) => reason === 'file')).toEqual([]);
});

test('listeners that are new are opened, and those that are gone are drained', async () => {
  await using lab = workersLab();
  const [first, second] = [await freePort(), await freePort()];
  const on = (...ports: number[]) => ports.map((port) => ({ name: `p${port}`, host: '127.0.0.1', port }));
  const node = await lab.serve({ text: 'one', listen: on(first), workers: 2 });
  const slow = ask(first, { path: '/slow?ms=1000' });
  await ask(first);
  node.write({ text: 'two', listen: on(first, second), workers: 2 });
  await node.logged(RELOADED);
  expect((await ask(second)).text).toBe('two');
  node.write({ text: 'three', listen: on(second), workers: 2 });
  await node.logged(RELOADED, 2);
  await expect(ask(first)).rejects.toThrow('ECONNREFUSED');
  expect((await ask(second)).text).toBe('three');
  expect((await slow).status).toBe(200);
});

test('a listener on any free port that a reload opens is named in the log and the status, and so is its end', async () => {
  await using lab = workersLab();
  const admin = { host: '127.0.0.1', port: 0 };
  const main = { name: 'main', host: '127.0.0.1', port: 0 };
  const node = await lab.serve({ text: 'one', listen: [main], admin });
  node.write({ text: 'two', listen: [main, { ...main, name: 'extra' }], admin });
  await node.logged(RELOADED);
  const { name, url } = await node.logged('a listener is open');
  expect(name).toBe('extra');
  const { port } = new URL(String(url));
  expect((await ask(Number(port))).text).toBe('two');
  const { listeners } = JSON.parse((await ask(node.admin, { path: '/v1/status' })).text);
  expect(listeners).toEqual([
    { name: 'main', address: `127.0.0.1:${node.port}` },
    { name: 'extra', address: `127.0.0.1:${port}` },
  ]);
  node.write({ text: 'three', listen: [main], admin });
  await node.logged(RELOADED, 2);
  expect(await node.logged('a listener is closed')).toMatchObject({ name: 'extra', url });
  expect(node.count('a listener is open')).toBe(1);
});

test.for([
  ['127.0.0.1', '0.0.0.0'],
  ['0.0.0.0', '127.0.0.1'],
  ['127.0.0.1', 'localhost'],
] as const)('a listener moves from %s to %s on its port, with what is under way', async ([from, to]) => {
  await using lab = workersLab();
  const port = await freePort();
  const on = (host: string) => [{ name: 'main', host, port }];
  const node = await lab.serve({ text: 'one', listen: on(from), workers: 2 });
  const slow = ask(port, { path: '/slow?ms=1000' });
  await ask(port);
  node.write({ text: 'two', listen: on(to), workers: 2 });
  await node.logged(RELOADED);
  await allAnswer(node, 'two');
  expect((await slow).status).toBe(200);
});

test('a listener that could not be moved to another address goes on where it was', async () => {
  await using lab = workersLab();
  const port = await freePort();
  const node = await lab.serve({
    text: 'one',
    listen: [{ name: 'main', host: '127.0.0.1', port }],
    workers: 2,
  });
  const other = await lab.serve({ text: 'other' }, `${lab.folder}/other.json`);
  const listen = [
    { name: 'main', host: '0.0.0.0', port },
    { name: 'second', host: '127.0.0.1', port: other.port },
  ];
  node.write({ text: 'two', listen, workers: 2 });
  const { why } = await node.logged(REFUSED);
  expect(why).toContain(`cannot listen on 127.0.0.1:${other.port}: the port is taken by`);
  await allAnswer(node, 'one');
});

test('a new listener whose port is taken refuses the whole change', async () => {
  await using lab = workersLab();
  const node = await lab.serve({ text: 'one' });
  const other = await lab.serve({ text: 'other' }, `${lab.folder}/other.json`);
  const listen = [{ name: 'main', host: '127.0.0.1', port: other.port }];
  node.write({ text: 'two', listen });
  const { why } = await node.logged(REFUSED);
  expect(why).toContain(`cannot listen on 127.0.0.1:${other.port}: the port is taken by`);
  expect((await ask(node.port)).text).toBe('one');
  expect((await ask(other.port)).text).toBe('other');
});

test('a change that could not be put in force is, once the file is written again as it was', async () => {
  await using lab = workersLab();
  const node = await lab.serve({ text: 'one' });
  const other = await lab.serve({ text: 'other' }, `${lab.folder}/other.json`);
  const change = { text: 'two', listen: [{ name: 'main', host: '127.0.0.1', port: other.port }] };
  node.write(change);
  await node.logged(REFUSED);
  await other.process.kill();
  node.write(change);
  await node.logged(RELOADED);
  expect((await ask(other.port)).text).toBe('two');
});

test('a worker that dies over a change does not keep it out', async () => {
  await using lab = workersLab();
  const node = await lab.serve({ text: 'one' });
  const [pid] = node.workers();
  process.kill(pid!, 'SIGSTOP');
  node.write({ text: 'two' });
  await node.logged('a worker has not responded for 10 s and is killed');
  expect((await node.logged(REFUSED)).why).toMatch(/killed by SIGKILL; it is tried once more/);
  await node.logged(RELOADED);
  await allAnswer(node, 'two');
}, 30_000);

test('changes of `admin` and `workers` wait for a restart, and the log says so', async () => {
  await using lab = workersLab();
  const node = await lab.serve({ text: 'one', workers: 1 });
  node.write({ text: 'two', workers: 2, admin: { host: '127.0.0.1', port: 0 } });
  await node.logged('the change of `workers` waits for a restart');
  await node.logged('the change of `admin` waits for a restart');
  await allAnswer(node, 'two');
  expect(node.workers()).toHaveLength(1);
});

test('a worker that replaces a dead one runs the config in force', async () => {
  await using lab = workersLab();
  const node = await lab.serve({ text: 'one' });
  node.write({ text: 'two' });
  await node.logged(RELOADED);
  writeFileSync(node.file, 'broken');
  await node.logged(REFUSED);
  process.kill(node.workers()[0]!, 'SIGKILL');
  expect((await ask(node.port).catch(() => ask(node.port))).text).toBe('two');
});

test('a config that is a program is taken over by fresh workers, one after another, with no request lost', async () => {
  await using lab = workersLab();
  const file = `${lab.folder}/gateway.config.mjs`;
  const write = (text: string) => writeFileSync(file, `export default { text: '${text}', workers: 2 };`);
  write('one');
  const node = await lab.serve({ text: '' }, file);
  const before = node.workers();
  expect(before).toHaveLength(2);
  expect((await ask(node.port)).text).toBe('one');
  const load = new Load(node.port, 4, true);
  write('two');
  await node.logged(RELOADED);
  const pids = new Set<string>();
  await until(async () => {
    const { text, headers } = await ask(node.port);
    expect(text).toBe('two');
    return pids.add(headers['x-pid'] as string).size === 2;
  }, 'both workers');
  expect(before.some((pid) => pids.has(String(pid)))).toBe(false);
  writeFileSync(file, 'export default {');
  await node.logged(REFUSED);
  expect((await ask(node.port)).text).toBe('two');
  await until(() => node.workers().length === 2, 'the worker that tried it to end');
  const { 200: done, ...failed } = await load.stop();
  expect(failed).toEqual({});
  expect(done).toBeGreaterThan(10);
});
