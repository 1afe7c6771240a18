/** Attacks on the admin API, of a gateway as it is run. */
import { connect, type Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { OPERATIONS } from '../../src/admin/openapi.ts';
import { openSockets, residentBytes, until } from '../../src/testkit/index.ts';
import { type AdminNode, type Answer, adminNode } from './node.ts';

const TOKEN = { authorization: 'Bearer sesame' };
const JSON_TYPE = { 'content-type': 'application/json' };
const PROBES = ['/healthz', '/readyz'];

let node: AdminNode;
beforeAll(async () => {
  node = await adminNode({
    admin: { token: 'sesame' },
    services: { shop: { url: 'http://127.0.0.1:9' } },
    changes: { push: { http: { token: 'open' }, tables: { 'public.a': ['a:{row.id}'] } } },
    routes: { shop: { match: '/*', to: 'shop' } },
  });
});
afterAll(async () => {
  // After all of it the node is as well as before.
  expect((await node.api('/v1/status', { headers: TOKEN })).status).toBe(200);
  expect(node.gateway.output).not.toMatch(/the admin API failed|"level":"error"/);
  await node[Symbol.asyncDispose]();
});

/** Every resource, with each of its methods. */
const resources = Object.entries(OPERATIONS)
  .filter(([path]) => !PROBES.includes(path))
  .flatMap(([path, methods]) => Object.keys(methods).map((method) => [method.toUpperCase(), path] as const));
const filled = (path: string) => path.replace('{name}', 'push').replace('{target}', '127.0.0.1:9');
const asked = (method: string, path: string, headers: Record<string, string>): Promise<Answer> =>
  node.api(filled(path), {
    method,
    headers: { ...JSON_TYPE, 'if-match': '*', ...headers },
    ...(method === 'GET' ? {} : { body: '{}' }),
  });

function refused(answer: Answer, status: number): void {
  expect(answer.status).toBe(status);
  expect(answer.headers['content-type']).toBe('application/problem+json');
  expect(JSON.parse(answer.text)).toMatchObject({
    status,
    title: expect.any(String),
    detail: expect.any(String),
  });
}

/** Sends bytes and reads until the other side closes. */
function raw(bytes: string, ms = 10_000): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(node.admin, '127.0.0.1');
    let text = '';
    socket.setEncoding('latin1').on('data', (chunk) => {
      text += chunk;
    });
    socket.setTimeout(ms, () => socket.destroy(new Error(`nothing more came after: ${text.slice(0, 200)}`)));
    socket.on('close', () => resolve(text));
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (text === '' || error.code !== 'ECONNRESET') reject(error);
    });
    socket.write(bytes);
  });
}

describe('whoever was not meant', () => {
  it.each(resources)('%s %s is 403 under a foreign Host, token or not', async (method, path) => {
    refused(await asked(method, path, { ...TOKEN, host: 'evil.example' }), 403);
    refused(await asked(method, path, { host: `evil.example:${node.admin}` }), 403);
  });

  it.each(resources)('%s %s is 403 from a foreign Origin, token or not', async (method, path) => {
    for (const origin of ['http://evil.example', 'null', `https://127.0.0.1:${node.admin}`])
      refused(await asked(method, path, { ...TOKEN, origin }), 403);
  });

  it.each(resources)(
    '%s %s is 401 without the token, and with one in the query or elsewhere',
    async (method, path) => {
      refused(await asked(method, path, {}), 401);
      for (const query of ['token=sesame', 'access_token=sesame', 'authorization=Bearer%20sesame'])
        refused(await asked(method, `${path}?${query}`, {}), 401);
      refused(await asked(method, path, { 'x-token': 'sesame', cookie: 'token=sesame' }), 401);
      refused(await asked(method, path, { authorization: 'Basic c2VzYW1lOnNlc2FtZQ==' }), 401);
    },
  );

  it('the page of the dashboard is 403 under a foreign Host too, and shows nothing of the node', async () => {
    expect((await node.api('/', { headers: { host: 'evil.example' } })).status).toBe(403);
    const page = await node.api('/');
    expect(page.status).toBe(200);
    expect(page.text).not.toMatch(/shop|sesame/);
  });

  it('two Hosts or two tokens are no request', async () => {
    const hosts = 'GET /v1/status HTTP/1.1\r\nHost: localhost\r\nHost: evil\r\nConnection: close\r\n';
    expect(await raw(`${hosts}Authorization: Bearer sesame\r\n\r\n`)).toMatch(/^HTTP\/1\.1 (400|403) /);
    const tokens =
      'GET /v1/status HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: Bearer no\r\n';
    expect(await raw(`${tokens}Authorization: Bearer sesame\r\n\r\n`)).toMatch(/^HTTP\/1\.1 4/);
  });

  it.each(['PURGE', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE'])('%s changes nothing', async (method) => {
    const answer = await node.api('/v1/config', { method, headers: { ...TOKEN, ...JSON_TYPE } });
    expect([404, 405]).toContain(answer.status);
  });
});

describe('path tricks', () => {
  it.each([
    '//v1/status',
    '/./v1/status',
    '/v1/../v1/status',
    '/v1/%73tatus',
    '/v1%2fstatus',
    '/V1/STATUS',
    '/v1/status/',
    '/v1/status;a=b',
    '/healthz/../v1/status',
    '/healthz/..%2fv1/status',
    '/healthz%2f..%2fv1%2fstatus',
    '/healthz;/v1/status',
    '/dashboard/../v1/status',
    '/dashboard/..%2f..%2fpackage.json',
    '/dashboard/../../package.json',
    '/dashboard/%2e%2e/%2e%2e/package.json',
    '/dashboard/main.ts%00.js',
    '/v1/services/shop/targets/..%2f..%2f..%2fstatus',
    '/v1/changes/push%2f..%2f..%2fstatus',
    '/v1/changes/%E0%A4%A',
    'http://evil.example/v1/status',
    `/v1/${'a/'.repeat(3000)}`,
  ])('%.60s is no way in without the token, and none to another resource with it', async (path) => {
    const bare = await node.api(path);
    expect([400, 401, 403, 404]).toContain(bare.status);
    expect(bare.text).not.toMatch(/"version"|"uptime"|"dependencies"/);
    const answer = await node.api(path, { headers: TOKEN });
    expect(answer.status === 200 ? path : '').toMatch(
      /^(|\/v1\/%73tatus|\/v1\/\.\.\/v1\/status|\/\.\/v1\/status|\/dashboard\/\.\.\/v1\/status|\/healthz\/\.\.\/v1\/status)$/,
    );
    expect(answer.text).not.toContain('"dependencies"');
  });

  it('a probe is a probe whatever its query says, also without Host and in absolute form', async () => {
    expect((await node.api('/healthz?/../v1/status')).text).toBe('ok\n');
    expect(await raw('GET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n')).toMatch(
      /^HTTP\/1\.1 200 .*ok\n$/s,
    );
    expect(await raw('GET /readyz HTTP/1.0\r\n\r\n')).toMatch(/^HTTP\/1\.1 200 .*ok\n$/s);
    expect(await raw('GET http://a/healthz HTTP/1.1\r\nHost: b\r\nConnection: close\r\n\r\n')).toMatch(
      /^HTTP\/1\.1 200 .*ok\n$/s,
    );
  });

  it('a target in absolute form is judged by its own host', async () => {
    const rest = 'HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: Bearer sesame\r\n\r\n';
    expect(await raw(`GET http://evil.example/v1/status ${rest}`)).toMatch(/^HTTP\/1\.1 403 /);
    expect(await raw(`GET http://localhost/v1/status ${rest}`)).toMatch(/^HTTP\/1\.1 200 .*"version"/s);
    expect(await raw(`GET http://localhost ${rest}`)).toMatch(/^HTTP\/1\.1 200 .*<!doctype html>/is);
  });

  it.each([
    [400, 'GET /v1/status HTTP/1.1\r\nHost: a\r\nbroken\r\n\r\n'],
    [400, 'nonsense\r\n\r\n'],
    [400, 'OPTIONS * HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n'],
    [403, 'GET /v1/status HTTP/1.1\r\nConnection: close\r\n\r\n'],
    [405, 'CONNECT a:443 HTTP/1.1\r\nHost: localhost\r\n\r\n'],
    [417, 'POST /v1/purge HTTP/1.1\r\nHost: localhost\r\nExpect: more\r\nContent-Length: 2\r\n\r\n{}'],
    [431, `GET /v1/status HTTP/1.1\r\nHost: a\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`],
  ])('what names no resource is told %i as a problem document: %.40j', async (status, bytes) => {
    const json = `^HTTP/1\\.1 ${status} .*application/problem\\+json.*"status":${status},"detail":"`;
    expect(await raw(bytes)).toMatch(new RegExp(json, 's'));
  });
});

describe('bodies', () => {
  const head = (path: string, more: string) =>
    `POST ${path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer sesame\r\nContent-Type: application/json\r\n${more}\r\n`;

  it('one that says it is too large is 413 at once, without waiting for it', async () => {
    const answer = await raw(`${head('/v1/purge', 'Content-Length: 10000000000\r\n')}{`);
    expect(answer).toMatch(/^HTTP\/1\.1 413 /);
    expect(answer).toContain('application/problem+json');
  });

  it('one in a coding is 415, and is told that none is taken', async () => {
    const options = { method: 'POST', body: gzipSync('{"all":true}') };
    const coded = (coding: string) =>
      node.api('/v1/purge', { ...options, headers: { ...TOKEN, ...JSON_TYPE, 'content-encoding': coding } });
    const answer = await coded('gzip');
    refused(answer, 415);
    expect(answer.headers['accept-encoding']).toBe('identity');
    expect(answer.text).toContain('without a coding');
    const plain = { ...TOKEN, ...JSON_TYPE, 'content-encoding': 'identity' };
    const purge = { method: 'POST', headers: plain, body: '{"tags":["x"]}' };
    expect((await node.api('/v1/purge', purge)).status).toBe(200);
  });

  it.each([
    ['POST', '/v1/purge', '{"tags":["a"],"tags":["b"]}', 'the member "tags" stands twice at offset 14'],
    ['POST', '/v1/purge', '{"all":false,"\\u0061ll":true}', 'the member "all" stands twice at offset 13'],
    ['POST', '/v1/explain', '{"url":"/","headers":{"a":"1","a":"2"}}', '"a" stands twice at offset 30'],
    ['POST', '/v1/config/rollback', '{"etag":null,"etag":"x"}', '"etag" stands twice'],
    [
      'POST',
      '/v1/services/shop/targets/127.0.0.1:9',
      '{"state":"drain","state":"active"}',
      '"state" stands twice',
    ],
    ['POST', '/v1/purge', '{"tags":["a"]} {}', 'unexpected text after the value at offset 15'],
    ['POST', '/v1/purge', Buffer.from('{"tags":["\xff"]}', 'latin1'), 'The body is not UTF-8 text'],
  ])('%s %s with %s is 400, and says why', async (method, path, body, why) => {
    const answer = await node.api(path, {
      method,
      headers: { ...TOKEN, ...JSON_TYPE, 'if-match': '*' },
      body,
    });
    refused(answer, 400);
    expect(JSON.parse(answer.text).detail).toContain(why);
  });

  it('one that never ends is 413 and cut, and takes no memory', { timeout: 60_000 }, async () => {
    const before = residentBytes([node.gateway.pid]);
    const chunk = `10000\r\n${'x'.repeat(65_536)}\r\n`;
    const endless = Array.from({ length: 20 }, async () => {
      const socket = connect(node.admin, '127.0.0.1');
      let text = '';
      let sent = 0;
      socket.on('error', () => {});
      socket.on('data', (data) => {
        text += data.toString('latin1');
      });
      const closed = new Promise<void>((resolve) => socket.on('close', () => resolve()));
      socket.write(head('/v1/purge', 'Transfer-Encoding: chunked\r\n'));
      const more = () => {
        while (!socket.destroyed && sent < 256 * 1024 * 1024 && socket.write(chunk)) sent += 65_536;
      };
      socket.on('drain', more);
      more();
      await closed;
      return { text, sent };
    });
    for (const { text, sent } of await Promise.all(endless)) {
      expect(text === '' || text.startsWith('HTTP/1.1 413 ')).toBe(true);
      // What is passed over once the answer is out has its own bound.
      expect(sent).toBeLessThan(80 * 1024 * 1024);
    }
    expect(residentBytes([node.gateway.pid]) - before).toBeLessThan(150 * 1024 * 1024);
  });

  it.each([
    ['/v1/purge', 'Content-Length: 100\r\n', '{"all":'],
    ['/v1/purge', 'Transfer-Encoding: chunked\r\n', '7\r\n{"all":\r\n'],
    ['/v1/config/rollback', 'Content-Length: 100\r\n', '{"etag"'],
  ])(
    'one to %s whose client leaves (%j) is no failure of the API, and no change',
    async (path, more, part) => {
      const audited = node.logged('audit').length;
      const socket = connect(node.admin, '127.0.0.1');
      socket.write(head(path, `${more}Expect: 100-continue\r\n`));
      await new Promise((resolve) => socket.once('data', resolve));
      await new Promise<void>((resolve) => socket.write(part, () => resolve()));
      socket.resetAndDestroy();
      const purge = { method: 'POST', headers: { ...TOKEN, ...JSON_TYPE }, body: '{"tags":["after"]}' };
      expect((await node.api('/v1/purge', purge)).status).toBe(200);
      await until(() => node.logged('audit').length > audited, 'the purge in the log');
      expect(node.logged('audit').slice(audited)).toMatchObject([
        { what: 'the cache was purged', tags: ['after'] },
      ]);
    },
  );

  it('what is sent without the token is not even read', async () => {
    const bare = head('/v1/changes/push', 'Content-Length: 9000000\r\n').replace('sesame', 'wrong');
    expect(await raw(`${bare}{`)).toMatch(/^HTTP\/1\.1 401 /);
  });

  it.each([
    ['/v1/purge', '[]'],
    ['/v1/purge', '{"tags":'],
    ['/v1/purge', '{"__proto__":{"all":true}}'],
    ['/v1/purge', `${'['.repeat(100_000)}`],
    ['/v1/explain', 'null'],
    ['/v1/explain', '{"url":{"a":1}}'],
    ['/v1/config/rollback', '[1]'],
    ['/v1/config/rollback', '{"tag":"a"}'],
    ['/v1/services/shop/targets/127.0.0.1:9', '"drain"'],
  ])('%s with %.30s is 400 and says what is wanted', async (path, body) => {
    const answer = await node.api(path, { method: 'POST', body, headers: { ...TOKEN, ...JSON_TYPE } });
    refused(answer, 400);
  });
});

describe('many readers of events', () => {
  interface Reader {
    socket: Socket;
    head: string;
  }
  const read = (): Reader => {
    const socket = connect(node.admin, '127.0.0.1');
    const reader = { socket, head: '' };
    socket.write('GET /v1/events HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer sesame\r\n\r\n');
    socket.on('error', () => {});
    socket.setEncoding('latin1').on('data', (chunk: string) => {
      if (reader.head.length < 2000) reader.head += chunk;
    });
    return reader;
  };
  const statusOf = ({ head }: Reader) => Number(/^HTTP\/1\.1 (\d+) /.exec(head)?.[1] ?? 0);

  it('of 500 a hundred read and the others are told 503; none is left behind', {
    timeout: 60_000,
  }, async () => {
    const sockets = openSockets(node.gateway.pid);
    for (let round = 0; round < 3; round++) {
      const readers = Array.from({ length: 500 }, read);
      await until(() => readers.every((reader) => statusOf(reader) > 0), 'an answer to each', 20_000);
      expect(readers.filter((reader) => statusOf(reader) === 200)).toHaveLength(100);
      const turnedAway = readers.filter((reader) => statusOf(reader) === 503);
      expect(turnedAway).toHaveLength(400);
      for (const { head } of turnedAway) expect(head).toMatch(/retry-after: 10\r\n.*As many read/is);
      await until(() => turnedAway.every(({ socket }) => socket.closed), 'those turned away to be let go');
      // Who steers the node is not kept out meanwhile.
      expect((await node.post('/v1/purge', { tags: ['a'] }, TOKEN)).status).toBe(200);
      for (const { socket } of readers) socket.destroy();
      await until(() => openSockets(node.gateway.pid) <= sockets, 'all sockets to be closed', 15_000);
    }
    const again = read();
    await until(() => statusOf(again) > 0, 'an answer');
    expect(statusOf(again)).toBe(200);
    again.socket.destroy();
  });
});
