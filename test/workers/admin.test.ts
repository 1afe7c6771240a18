import http from 'node:http';
import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { until } from '../../src/testkit/index.ts';
import { type AskOptions, ask, workersLab } from './fixture/lab.ts';

const LOCAL = { host: '127.0.0.1', port: 0 };

async function adminNode(lab: ReturnType<typeof workersLab>, admin: object = {}) {
  return await lab.serve({ text: 'hi', workers: 2, admin: { ...LOCAL, ...admin } });
}

test('/v1/status tells version, uptime, workers and the config in force', async () => {
  await using lab = workersLab();
  const node = await adminNode(lab);
  const status = async () => JSON.parse((await ask(node.admin, { path: '/v1/status' })).text);
  const first = await status();
  expect(first).toEqual({
    version: '1.2.3',
    uptime: expect.any(Number),
    workers: 2,
    config: {
      etag: expect.stringMatching(/^[0-9a-f]+$/),
      loadedAt: expect.stringMatching(/^\d{4}-.*Z$/),
      source: node.file,
      refused: null,
    },
    listeners: [{ name: 'main', address: expect.stringMatching(/^127\.0\.0\.1:\d+$/) }],
  });
  node.write({ text: 'two', workers: 2, admin: LOCAL });
  await node.logged('the config was reloaded');
  const second = await status();
  expect(second.config.etag).not.toBe(first.config.etag);
  expect(second.config.loadedAt > first.config.loadedAt).toBe(true);
});

test('/v1/routes sums the counters of all workers', async () => {
  await using lab = workersLab();
  const node = await adminNode(lab);
  const pids = new Set<unknown>();
  let asked = 0;
  await until(async () => {
    asked++;
    return pids.add((await ask(node.port)).headers['x-pid']).size === 2;
  }, 'both workers');
  const answer = await ask(node.admin, { path: '/v1/routes' });
  expect(answer.headers['content-type']).toBe('application/json');
  expect(JSON.parse(answer.text)).toMatchObject({
    routes: [
      {
        name: 'hello',
        match: '/*',
        action: 'respond',
        does: 'answers 200',
        requests: asked,
        success: asked,
        serverError: 0,
        inFlight: 0,
      },
    ],
  });
});

test('/v1/explain tells what would become of a request', async () => {
  await using lab = workersLab();
  const { admin } = await adminNode(lab);
  const headers = { 'content-type': 'application/json' };
  const explain = async (body: unknown) => {
    const answer = await ask(admin, {
      path: '/v1/explain',
      method: 'POST',
      headers,
      body: JSON.stringify(body),
    });
    return { status: answer.status, data: JSON.parse(answer.text) };
  };
  const question = { method: 'GET', url: '/a?b=1', headers: { 'x-a': 'b', accept: ['text/html', '*/*'] } };
  expect(await explain(question)).toMatchObject({
    status: 200,
    data: { route: 'hello', status: 200, target: null, destinations: [], rejected: [] },
  });
  const slips: [unknown, RegExp][] = [
    [[], /not a JSON object/],
    [{ method: 'GET' }, /"url" is missing/],
    [{ url: 'a' }, /neither a URL nor a path/],
    [{ url: '/', uri: '/' }, /"uri" is not a member/],
    [{ url: '/', method: 'G T' }, /"method" is not a method/],
    [{ url: '/', headers: { a: 'b\r\nc: d' } }, /"headers" is not/],
    [{ url: '/', ip: 'localhost' }, /"ip" is not an IP address/],
    [{ url: '/', listener: 'nobody' }, /there is no listener "nobody"/],
  ];
  for (const [body, detail] of slips) {
    expect(await explain(body)).toMatchObject({
      status: 400,
      data: { detail: expect.stringMatching(detail) },
    });
  }
});

test('no path but the known ones is there, and what can only be read says so, as problem documents', async () => {
  await using lab = workersLab();
  const { admin } = await adminNode(lab);
  const json = { 'content-type': 'application/json' };
  const cases: [AskOptions, number][] = [
    [{ path: '/nothing' }, 404],
    [{ path: '/v1' }, 404],
    [{ path: '/v1/nothing' }, 404],
    [{ path: '/v1/status', method: 'POST', headers: json }, 405],
    [{ path: '/v1/routes', method: 'DELETE', headers: json }, 405],
    [{ path: '/healthz', method: 'POST' }, 405],
    [{ path: '/v1/explain', method: 'PUT', headers: json }, 405],
  ];
  for (const [options, status] of cases) {
    const answer = await ask(admin, options);
    expect(answer.status, JSON.stringify(options)).toBe(status);
    expect(answer.headers['content-type']).toBe('application/problem+json');
    expect(JSON.parse(answer.text)).toMatchObject({
      status,
      title: expect.any(String),
      detail: expect.any(String),
    });
    const allowed = options.path === '/v1/explain' ? 'POST' : 'GET, HEAD';
    if (status === 405) expect(answer.headers.allow).toBe(allowed);
  }
  const head = await ask(admin, { path: '/v1/status', method: 'HEAD' });
  expect([head.status, head.text]).toEqual([200, '']);
});

test('DNS rebinding: a foreign Host is refused, the own address and localhost are not', async () => {
  await using lab = workersLab();
  const { admin } = await adminNode(lab, { hosts: ['gate.internal', 'other.internal:8443'] });
  const status = async (host: string) => (await ask(admin, { path: '/v1/status', headers: { host } })).status;
  const good = [
    '127.0.0.1',
    `127.0.0.1:${admin}`,
    'localhost',
    `LOCALHOST:${admin}`,
    'gate.internal',
    'gate.internal:80',
    'other.internal',
  ];
  for (const host of good) expect(await status(host), host).toBe(200);
  const bad = [
    'evil.example',
    `evil.example:${admin}`,
    '127.0.0.1.evil.example',
    'localhost.evil.example',
    'x@localhost',
    '127.0.0.2',
    '[::1]',
    'localhost/',
    'localhost:1:2',
  ];
  for (const host of bad) expect(await status(host), host).toBe(403);
});

test('without Host (HTTP/1.0) a probe is answered and the API refuses; with two it is no request', async () => {
  await using lab = workersLab();
  const { admin } = await adminNode(lab);
  expect(await raw(admin, 'GET /v1/status HTTP/1.0\r\n\r\n')).toMatch(/^HTTP\/1\.1 403 /);
  expect(
    await raw(admin, 'GET /v1/status HTTP/1.1\r\nhost: localhost\r\nhost: evil\r\nconnection: close\r\n\r\n'),
  ).toMatch(/^HTTP\/1\.1 4\d\d /);
});

test('cross-site: a page of another origin is refused, also one on another port of localhost', async () => {
  await using lab = workersLab();
  const { admin } = await adminNode(lab);
  const status = async (origin: string) =>
    (await ask(admin, { path: '/v1/status', headers: { origin } })).status;
  expect(await status(`http://127.0.0.1:${admin}`)).toBe(200);
  for (const origin of [
    'http://evil.example',
    'http://localhost:3000',
    'null',
    'http://127.0.0.1',
    'file://',
    `http://127.0.0.1:${admin}.evil.example`,
  ]) {
    expect(await status(origin), origin).toBe(403);
  }
});

test('cross-site form: an unsafe method with a type that a form can send is refused', async () => {
  await using lab = workersLab();
  const { admin } = await adminNode(lab);
  const status = async (type: string | null) => {
    const headers: Record<string, string> = type === null ? {} : { 'content-type': type };
    return (await ask(admin, { path: '/v1/status', method: 'POST', headers })).status;
  };
  for (const type of [
    null,
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'text/plain; x=application/json',
    'application/jsonx',
  ]) {
    expect(await status(type), String(type)).toBe(415);
  }
  for (const type of [
    'application/json',
    'Application/JSON; charset=utf-8',
    'application/merge-patch+json',
  ]) {
    expect(await status(type), type).toBe(405);
  }
});

test('with a token set, only who has it gets in; /healthz and /readyz need neither token nor Host', async () => {
  await using lab = workersLab();
  const { admin } = await adminNode(lab, { token: 'correct horse'.replace(' ', '-') });
  const status = async (authorization: string | null, path = '/v1/status') => {
    const headers: Record<string, string> = authorization === null ? {} : { authorization };
    return (await ask(admin, { path, headers })).status;
  };
  expect(await status('Bearer correct-horse')).toBe(200);
  expect(await status('bearer correct-horse')).toBe(200);
  for (const wrong of [
    null,
    'Bearer',
    'Bearer ',
    'Bearer correct-hors',
    'Bearer correct-horse2',
    'Basic correct-horse',
    'correct-horse',
  ]) {
    expect(await status(wrong), String(wrong)).toBe(401);
    // Nor does it tell what is there.
    expect(await status(wrong, '/v1/nothing')).toBe(401);
  }
  const refused = await ask(admin, { path: '/v1/status' });
  expect(refused.headers['www-authenticate']).toBe('Bearer realm="tidegate admin"');
  for (const path of ['/healthz', '/readyz']) {
    expect((await ask(admin, { path, headers: { host: 'probe.example' } })).status).toBe(200);
  }
});

test('/readyz is 503 while no worker serves', async () => {
  await using lab = workersLab();
  const node = await lab.serve({ text: 'hi', admin: LOCAL });
  const ready = async () => (await ask(node.admin, { path: '/readyz' })).status;
  expect(await ready()).toBe(200);
  for (let death = 1; death <= 5; death++) {
    await ask(node.port, { path: '/die' }).catch(() => {});
    await node.logged('a worker ended with code 9 and is replaced', death);
  }
  // The fifth waits a second for its successor.
  expect(await ready()).toBe(503);
  await until(async () => (await ready()) === 200, 'the successor');
});

test('a head that is too large is 431, and a slow one is cut', { timeout: 30_000 }, async () => {
  await using lab = workersLab();
  const { admin } = await adminNode(lab);
  const big = await ask(admin, { path: '/healthz', headers: { x: 'a'.repeat(20_000) } });
  expect(big.status).toBe(431);
  expect(await raw(admin, 'GET /healthz HTTP/1.1\r\nhost: x\r\n', 20_000)).toMatch(/^HTTP\/1\.1 408 /);
});

test('`admin: false` opens no admin listener', async () => {
  await using lab = workersLab();
  const node = await lab.serve({ text: 'hi', admin: null });
  expect(node.admin).toBeUndefined();
});

test('a taken admin port tells which, and how to choose another', async () => {
  await using lab = workersLab();
  const blocker = http.createServer();
  await new Promise<void>((resolve) => blocker.listen(0, '127.0.0.1', resolve));
  const { port } = blocker.address() as { port: number };
  try {
    await expect(lab.serve({ text: 'hi', admin: { host: '127.0.0.1', port } })).rejects.toThrow(
      `cannot listen on 127.0.0.1:${port}: the port is taken by`,
    );
  } finally {
    blocker.close();
  }
});

/** Sends bytes and reads to the end. */
function raw(port: number, bytes: string, ms = 5000): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1' });
    let text = '';
    socket.setEncoding('latin1').on('data', (chunk) => {
      text += chunk;
    });
    socket.setTimeout(ms, () => socket.destroy(new Error('nothing came')));
    socket.on('close', () => resolve(text));
    socket.on('error', reject);
    socket.write(bytes);
  });
}
