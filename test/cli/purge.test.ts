import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { tempFolder, until } from '../../src/testkit/index.ts';
import { workersLab } from '../workers/fixture/lab.ts';
import { tidegate } from './tidegate.ts';

const folder = tempFolder();
const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

const purge = (args: string[], env: Record<string, string> = {}) =>
  tidegate(folder.path, ['purge', ...args], env);

/** Stands where the admin API is expected, on the first of the ports that is free. */
async function standIn(
  answer: (request: IncomingMessage) => [number, string],
  ports: readonly number[] = [0],
) {
  const seen: { path: string; type: string; authorization: string; body: unknown }[] = [];
  const server = createServer(async (request, response) => {
    let text = '';
    for await (const chunk of request) text += chunk;
    const { authorization = '', 'content-type': type = '' } = request.headers;
    seen.push({ path: request.url!, type, authorization, body: JSON.parse(text) });
    const [status, body] = answer(request);
    response.writeHead(status, { 'content-type': 'application/json' }).end(body);
  });
  servers.push(server);
  for (const port of ports) {
    if (server.listening) break;
    server.listen(port, '127.0.0.1');
    await once(server, 'listening').catch(() => {});
  }
  return { seen, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

test('purge asks the admin API of a running node, and prints the sequence', async () => {
  await using lab = workersLab();
  const node = await lab.serve({
    text: 'hi',
    workers: 2,
    admin: { host: '127.0.0.1', port: 0, token: 'opensesame', hosts: [] },
  });
  const at = ['--admin', `http://127.0.0.1:${node.admin}`];
  const first = await purge(['--tag', 'a', '--token', 'opensesame', ...at]);
  expect(first).toEqual({ code: 0, stdout: 'purged: sequence 1\n', stderr: '' });
  const second = await purge(['--all', '--soft', ...at], { TIDEGATE_ADMIN_TOKEN: 'opensesame' });
  expect(second.stdout).toBe('purged: sequence 2\n');
  const without = await purge(['--all', ...at]);
  expect(without.code).toBe(1);
  expect(without.stderr).toContain('asks for a token: say --token, or set TIDEGATE_ADMIN_TOKEN');
  const wrong = await purge(['--all', '--token', 'opensesami', ...at]);
  expect(wrong.stderr).toContain('does not accept this token');
  const odd = await purge(['--url', '/a', '--token', 'opensesame', ...at]);
  expect(odd.code).toBe(1);
  expect(odd.stderr).toContain('answers 400: In "urls" stands "/a", which is not absolute');
});

test('purge sends several of each, and takes an address without a scheme', async () => {
  const { seen, url } = await standIn(() => [200, '{"sequence":7}']);
  const args = [
    '--tag',
    'a',
    '--tag',
    'b',
    '--url',
    'http://h/1',
    '--prefix',
    '/x',
    '--prefix',
    '/y',
    '--soft',
  ];
  const { code, stdout } = await purge([...args, '--admin', url.replace('http://', '')]);
  expect([code, stdout]).toEqual([0, 'purged: sequence 7\n']);
  expect(seen).toEqual([
    {
      path: '/v1/purge',
      type: 'application/json',
      authorization: '',
      body: { tags: ['a', 'b'], urls: ['http://h/1'], prefixes: ['/x', '/y'], all: false, soft: true },
    },
  ]);
});

test('purge takes a token as a file has it, and says what is none', async () => {
  const { seen, url } = await standIn(() => [200, '{"sequence":7}']);
  expect((await purge(['--all', '--admin', url], { TIDEGATE_ADMIN_TOKEN: 'sesame\n' })).code).toBe(0);
  expect(seen[0]!.authorization).toBe('Bearer sesame');
  for (const token of ['two words', 'one\ntwo', 'ö']) {
    const { code, stderr } = await purge(['--all', '--admin', url, '--token', token]);
    expect(stderr).toMatch(/^error: the token has /);
    expect(code).toBe(2);
  }
});

test('purge of nothing, and an admin that is no URL, are wrong calls: 2', async () => {
  const nothing = await purge([]);
  expect(nothing.code).toBe(2);
  expect(nothing.stderr).toContain('say what to purge: --tag, --url, --prefix or --all');
  for (const admin of ['ftp://127.0.0.1', 'http://', 'http://bob:pw@127.0.0.1'])
    expect((await purge(['--all', '--admin', admin])).code).toBe(2);
  expect((await purge(['--al'])).code).toBe(2);
});

test('purge says that nobody listens there', async () => {
  const { url } = await standIn(() => [200, '']);
  for (const server of servers.splice(0)) server.close();
  await until(async () => {
    const { code, stderr } = await purge(['--all', '--admin', url]);
    return code === 1 && stderr.includes(`nobody listens at ${url}: start the gateway, or say --admin URL`);
  }, 'nobody listens');
});

test('purge asks on any port, also where browsers keep from it', async () => {
  const { url } = await standIn(() => [200, '{"sequence":7}'], [6665, 6666, 6667, 6668, 6669, 10080]);
  const { code, stdout } = await purge(['--all', '--admin', url]);
  expect([code, stdout]).toEqual([0, 'purged: sequence 7\n']);
});

test('purge says that an admin API without TLS has none', async () => {
  const { url } = await standIn(() => [200, '{"sequence":7}']);
  const { code, stderr } = await purge(['--all', '--admin', url.replace('http:', 'https:')]);
  expect(stderr).toMatch(new RegExp(`does not speak TLS: say ${url}, or give`));
  expect([code, stderr.trim().split('\n').length]).toEqual([1, 1]);
});

test('purge tells what the admin API says when it refuses, and what is no admin API', async () => {
  const detail = 'Redis can not be reached.';
  const away = await standIn(() => [503, JSON.stringify({ detail })]);
  const refused = await purge(['--all', '--admin', away.url]);
  expect(refused).toMatchObject({ code: 1, stderr: `error: ${away.url} answers 503: ${detail}\n` });
  const other = await standIn(() => [200, '<html>']);
  expect((await purge(['--all', '--admin', other.url])).stderr).toContain('is no admin API of Tidegate');
});
