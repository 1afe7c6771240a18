/** Targets drained and taken in again over the admin API, on a node of two workers. */
import { createServer } from 'node:http';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type HttpOrigin, httpOrigin, until } from '../../src/testkit/index.ts';
import { type AdminNode, adminNode, BIN } from './node.ts';

let node: AdminNode;
let one: HttpOrigin;
let two: HttpOrigin;
let answersSlow: () => void;
/** Sockets that the first target has open. */
let open: number;

beforeEach(async () => {
  const slow = new Promise<void>((resolve) => {
    answersSlow = resolve;
  });
  one = await httpOrigin(async (request, response) => {
    if (request.url === '/slow') await slow;
    response.end('one');
  });
  open = 0;
  one.server.on('connection', (socket) => {
    open++;
    socket.on('close', () => open--);
  });
  two = await httpOrigin((_request, response) => void response.end('two'));
  node = await adminNode(config());
});
afterEach(async () => {
  answersSlow();
  await node[Symbol.asyncDispose]();
  await Promise.all([one.close(), two.close()]);
});

function write(shop: object = {}, more: object = {}): void {
  node.write(config(shop, more));
}

function config(shop: object = {}, more: object = {}): object {
  return {
    workers: 2,
    services: { shop: { targets: [one.url, two.url], balance: 'roundRobin', ...shop } },
    routes: { all: { match: '/*', to: 'shop' } },
    ...more,
  };
}

const steer = (target: string, body: unknown, service = 'shop') =>
  fetch(`http://127.0.0.1:${node.admin}/v1/services/${service}/targets/${target}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', connection: 'close' },
    body: JSON.stringify(body),
  });
const drain = (target: string) => steer(target, { state: 'drain' });

/** Who answers twenty requests on connections of their own, so that any worker may take them. */
async function answers(): Promise<string[]> {
  const headers = { connection: 'close' };
  const texts = Array.from({ length: 20 }, async () =>
    (await fetch(`http://127.0.0.1:${node.port}/`, { headers })).text(),
  );
  return [...new Set(await Promise.all(texts))].sort();
}

async function states(): Promise<(string | undefined)[]> {
  // A version that goes closes connections that are kept.
  const response = await fetch(`http://127.0.0.1:${node.admin}/v1/services`, {
    headers: { connection: 'close' },
  });
  const { services } = (await response.json()) as {
    services: { name: string; targets: { name: string; state: string }[] }[];
  };
  const targets = services.find(({ name }) => name === 'shop')!.targets;
  return [one, two].map(({ url }) => targets.find(({ name }) => name === url)?.state);
}

test('a drained target gets no new request from any worker, and what is under way goes on', async () => {
  expect(await answers()).toEqual(['one', 'two']);
  // Of two requests one is held by the first target.
  const held = Promise.all(
    [1, 2].map(async () => (await fetch(`http://127.0.0.1:${node.port}/slow`)).text()),
  );
  await until(() => one.count() > 0, 'a request to the first');
  const response = await drain(encodeURIComponent(one.url));
  expect(response.status).toBe(200);
  expect(await response.json()).toEqual({ service: 'shop', target: one.url, state: 'drain' });
  expect(await states()).toEqual(['drain', 'active']);
  const before = one.count();
  expect(await answers()).toEqual(['two']);
  expect(await answers()).toEqual(['two']);
  expect(one.count()).toBe(before);
  answersSlow();
  expect((await held).every((text) => text === 'one' || text === 'two')).toBe(true);
  // It may be switched off now: no idle connection holds it up.
  await until(() => open === 0, 'its connections to be closed');
  await steer(encodeURIComponent(one.url), { state: 'active' });
  expect(await states()).toEqual(['active', 'active']);
  expect(await answers()).toEqual(['one', 'two']);
});

test('a target on a Unix socket goes by its URL, encoded or written out', async () => {
  const path = `${node.folder.path}/three.sock`;
  const name = `unix:${path}`;
  const three = createServer((_request, response) => void response.end('three'));
  await new Promise<void>((resolve) => three.listen(path, resolve));
  try {
    await node.reloaded(() => write({ targets: [one.url, name], health: { path: '/', interval: '100ms' } }));
    expect(await answers()).toEqual(['one', 'three']);
    const response = await drain(encodeURIComponent(name));
    expect(await response.json()).toEqual({ service: 'shop', target: name, state: 'drain' });
    expect(await answers()).toEqual(['one']);
    expect((await steer(name, { state: 'active' })).status).toBe(200);
    expect(await answers()).toEqual(['one', 'three']);
    const metrics = await fetch(`http://127.0.0.1:${node.admin}/metrics`, {
      headers: { connection: 'close' },
    });
    expect(await metrics.text()).toContain(`target="${name}"`);
  } finally {
    three.closeAllConnections();
    await new Promise((resolve) => three.close(resolve));
  }
});

test('a name may be written out, or be the host and port alone', async () => {
  expect((await drain(one.url)).status).toBe(200);
  expect(await states()).toEqual(['drain', 'active']);
  expect((await steer(`127.0.0.1:${one.port}`, { state: 'active' })).status).toBe(200);
  expect(await states()).toEqual(['active', 'active']);
});

test('with all targets drained requests are 503, also where a service would panic', async () => {
  await drain(one.url);
  await drain(two.url);
  const response = await fetch(`http://127.0.0.1:${node.port}/`);
  expect(response.status).toBe(503);
  expect(await response.json()).toMatchObject({
    code: 'TG_UPSTREAM_UNAVAILABLE',
    detail: 'No target of the service is available.',
  });
  await node.gateway.line(/TG_UPSTREAM_UNAVAILABLE.*every target of shop is drained/);
  expect(one.count() + two.count()).toBe(0);
});

test('panic sends to targets that are out, never to one that is drained', async () => {
  const checked = { path: '/down', interval: '100ms', unhealthyAfter: 1 };
  const isDown = async (_request: unknown, response: { statusCode: number; end(text?: string): void }) => {
    response.statusCode = 500;
    response.end('three');
  };
  const three = await httpOrigin(isDown);
  try {
    await node.reloaded(() =>
      write({ targets: [one.url, three.url], health: { ...checked, panic: '100%' } }),
    );
    await drain(one.url);
    await node.gateway.line(/a target is out/);
    const asked = () => fetch(`http://127.0.0.1:${node.port}/`, { headers: { connection: 'close' } });
    for (let i = 0; i < 20; i++) expect(await (await asked()).text()).toBe('three');
  } finally {
    await three.close();
  }
});

test('checks that find it well, and errors that it comes back from, do not bring it back', async () => {
  await drain(one.url);
  const checked = { path: '/healthz', interval: '100ms', unhealthyAfter: 1, healthyAfter: 1 };
  await node.reloaded(() => write({ health: checked }));
  await until(() => one.count() > 5, 'checks of the drained target');
  expect(await states()).toEqual(['drain', 'active']);
  expect(await answers()).toEqual(['two']);
});

test('a metric tells which targets are drained', async () => {
  const metric = async (url: string) => {
    const text = await (await fetch(`http://127.0.0.1:${node.admin}/metrics`)).text();
    const [, value] = text.split(`tidegate_upstream_target_drained{service="shop",target="${url}"} `);
    return Number(value?.split('\n', 1)[0]);
  };
  await drain(one.url);
  expect([await metric(one.url), await metric(two.url)]).toEqual([1, 0]);
});

test('a new version on the same ports keeps it', async () => {
  await drain(one.url);
  node.gateway.signal('SIGUSR2');
  await node.gateway.line(/the new version serves/);
  await until(async () => (await states())[0] === 'drain', 'the new version');
  await node.gateway.line(/"drained"|drained$/m);
  for (let i = 0; i < 5; i++) expect(await answers()).toEqual(['two']);
  expect(await states()).toEqual(['drain', 'active']);
});

test('a new version whose config has another target in its place does not', async () => {
  await drain(one.url);
  await node.reloaded(() => write({ targets: [two.url] }));
  node.gateway.signal('SIGUSR2');
  await node.gateway.line(/the new version serves/);
  await node.gateway.line(/"message":"drained"/);
  await node.reloaded(() => write());
  expect(await states()).toEqual(['active', 'active']);
});

test('it stays drained through a reload that leaves the target alone, and one that gives it other pools', async () => {
  await drain(one.url);
  await node.reloaded(() => write({}, { routes: { other: { match: '/*', to: 'shop' } } }));
  expect(await states()).toEqual(['drain', 'active']);
  await node.reloaded(() => write({ pool: { connections: 3 } }));
  expect(await states()).toEqual(['drain', 'active']);
  expect(await answers()).toEqual(['two']);
});

test('a target that was in no config meanwhile is another one: it comes in active', async () => {
  await drain(one.url);
  await node.reloaded(() => write({ targets: [two.url] }));
  await node.reloaded(() => write());
  expect(await states()).toEqual(['active', 'active']);
  expect(await answers()).toEqual(['one', 'two']);
});

test('a worker that takes the place of a dead one knows what is drained', async () => {
  await drain(one.url);
  const before = node.gateway.output;
  const worker = node.gateway.tree().find((pid) => pid !== node.gateway.pid)!;
  process.kill(worker, 'SIGKILL');
  await until(
    () => node.gateway.output.slice(before.length).includes('the new worker serves'),
    'its successor',
  );
  for (let i = 0; i < 5; i++) expect(await answers()).toEqual(['two']);
});

test('the fresh workers of a config that is a program know it too', async () => {
  node.gateway.signal('SIGTERM');
  await node.gateway.exit();
  const program = (text: string) =>
    node.folder.write(
      'tidegate.config.ts',
      `// ${text}\nexport default ${JSON.stringify(node.whole(config()))};\n`,
    );
  node.gateway = node.lab.start(BIN, ['run', program('first')]);
  await node.gateway.line(/serving/, 15_000);
  await drain(one.url);
  await node.reloaded(() => program('second'));
  await until(async () => node.gateway.tree().length === 3, 'the old workers to end');
  expect(await states()).toEqual(['drain', 'active']);
  for (let i = 0; i < 5; i++) expect(await answers()).toEqual(['two']);
});

test('it is told as an event and in the audit log', async () => {
  const controller = new AbortController();
  const events = await fetch(`http://127.0.0.1:${node.admin}/v1/events`, { signal: controller.signal });
  await drain(one.url);
  let text = '';
  const reader = events.body!.pipeThrough(new TextDecoderStream()).getReader();
  await until(async () => {
    text += (await reader.read()).value ?? '';
    return text.includes('event: health');
  }, 'the event');
  controller.abort();
  expect(text).toContain('"state":"out","why":"drained by an operator"');
  await until(
    () => /audit.*a target was drained.*done.*loopback.*127\.0\.0\.1/.test(node.gateway.output),
    'the audit log',
  );
});

test.each([
  ['shop', '127.0.0.1:1', { state: 'drain' }, 404, /no such target/],
  ['nobody', '127.0.0.1:1', { state: 'drain' }, 404, /no such target/],
  ['constructor', '__proto__', { state: 'drain' }, 404, /no such target/],
  ['shop', 'x', { state: 'drained' }, 400, /"drain" \} or \{ "state": "active"/],
  ['shop', 'x', {}, 400, /"drain"/],
  ['shop', 'x', { state: 'drain', for: '5m' }, 400, /"drain"/],
  ['shop', 'x', null, 400, /"drain"/],
])('%s/%s %j is %i', async (service, target, body, status, detail) => {
  const response = await steer(target, body, service);
  expect(response.status).toBe(status);
  expect(response.headers.get('content-type')).toBe('application/problem+json');
  expect(await response.json()).toMatchObject({ status, detail: expect.stringMatching(detail) });
});

test('a target that is listed twice is told once, with the weight of both', async () => {
  await node.reloaded(() => write({ targets: [one.url, { url: `${one.url}/`, weight: 2 }, two.url] }));
  await answers();
  const { services } = JSON.parse((await node.api('/v1/services')).text) as {
    services: { targets: { name: string; weight: number }[] }[];
  };
  expect(services[0]!.targets.map(({ name, weight }) => [name, weight])).toEqual([
    [one.url, 3],
    [two.url, 1],
  ]);
  const tries = (await node.api('/metrics')).text.match(/^tidegate_upstream_requests_total\{.*$/gm);
  expect(tries).toHaveLength(2);
});
