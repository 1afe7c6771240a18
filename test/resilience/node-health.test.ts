import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  freePort,
  httpOrigin,
  type ProcessLab,
  portOpens,
  processLab,
  processTree,
  type TempFolder,
  tempFolder,
} from '../../src/testkit/index.ts';

const MAIN = join(import.meta.dirname, '../../src/cli/main.ts');

let lab: ProcessLab;
let folder: TempFolder;
const closers: (() => Promise<void>)[] = [];

beforeEach(() => {
  lab = processLab();
  folder = tempFolder();
});
afterEach(async () => {
  await lab.close();
  folder.close();
  for (const close of closers.splice(0)) await close();
});

/** A node of two workers before two targets of one service; `bad` answers as its status says. */
async function node(health: string) {
  const bad = { status: 200, checks: 0 };
  const origins = await Promise.all([
    httpOrigin((request, response) => {
      if (request.url === '/healthz') bad.checks++;
      response.statusCode = bad.status;
      response.end('bad');
    }),
    httpOrigin((_request, response) => void response.end('good')),
  ]);
  for (const origin of origins) closers.push(() => origin.close());
  const [port, admin] = [await freePort(), await freePort()];
  folder.write(
    'tidegate.yaml',
    `listen: 127.0.0.1:${port}
admin: 127.0.0.1:${admin}
workers: 2
drain: { delay: 0s, timeout: 1s }
services:
  shop: { targets: [${origins.map(({ url }) => url).join(', ')}], balance: roundRobin, health: ${health} }
routes:
  all: { match: /*, to: shop }
`,
  );
  const gateway = lab.node([MAIN, 'run', 'tidegate.yaml'], { cwd: folder.path });
  await portOpens(port, 20_000);
  await portOpens(admin, 20_000);
  const services = async () =>
    (await (await fetch(`http://127.0.0.1:${admin}/v1/services`)).json()) as {
      services: { targets: { name: string; health: string; lastFailure: { message: string } | null }[] }[];
    };
  const states = async () => (await services()).services[0]!.targets.map((target) => target.health);
  /** Each on a connection of its own, so that any worker may take it. */
  const answers = async () => {
    const headers = { connection: 'close' };
    const texts = Array.from({ length: 12 }, async () =>
      (await fetch(`http://127.0.0.1:${port}/x`, { headers })).text(),
    );
    return new Set(await Promise.all(texts));
  };
  return { bad, gateway, services, health: states, answers, admin };
}

test('a failed check takes a target out of every worker, once in the log of each, and in again', async () => {
  const { bad, gateway, services, health, answers, admin } = await node(
    '{ path: /healthz, interval: 50ms, unhealthyAfter: 2, healthyAfter: 2 }',
  );
  expect(await health()).toEqual(['up', 'up']);
  bad.status = 503;
  await expect.poll(health, { timeout: 10_000 }).toEqual(['down', 'up']);
  await expect.poll(answers, { timeout: 10_000 }).toEqual(new Set(['good']));
  const { targets } = (await services()).services[0]!;
  expect(targets[0]!.lastFailure!.message).toBe('2 checks in a row failed, the last: status 503');
  const checks = bad.checks;
  await expect.poll(() => bad.checks).toBeGreaterThan(checks + 3);
  expect(gateway.output.match(/a target is out/g)).toHaveLength(2);
  bad.status = 200;
  await expect.poll(health, { timeout: 10_000 }).not.toContain('down');

  const explained = await fetch(`http://127.0.0.1:${admin}/v1/explain`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ method: 'GET', url: '/a' }),
  });
  expect(await explained.json()).toMatchObject({
    route: 'all',
    destinations: [{ service: 'shop', balance: 'roundRobin', urls: targets.map(({ name }) => `${name}/a`) }],
  });
}, 60_000);

test('what one worker opens is open for all: errors count together, and the breaker opens once for the node', async () => {
  let asked = 0;
  const origin = await httpOrigin((_request, response) => {
    asked++;
    response.writeHead(500).end();
  });
  closers.push(() => origin.close());
  const port = await freePort();
  folder.write(
    'tidegate.yaml',
    `listen: 127.0.0.1:${port}
admin: false
workers: 4
services:
  shop: { url: '${origin.url}', breaker: { errors: 4/30s, openFor: 5m }, health: { passive: none } }
routes:
  all: { match: /*, to: shop }
`,
  );
  const gateway = lab.node([MAIN, 'run', 'tidegate.yaml'], { cwd: folder.path });
  await gateway.line(/"message":"serving"/);
  const ask = () => fetch(`http://127.0.0.1:${port}/`, { headers: { connection: 'close' } });
  await expect.poll(async () => (await ask()).status, { interval: 50, timeout: 10_000 }).toBe(503);
  await expect.poll(() => gateway.output.match(/breaker of a service is open/g)?.length).toBe(4);
  const before = asked;
  const statuses = await Promise.all(Array.from({ length: 24 }, async () => (await ask()).status));
  expect(new Set(statuses)).toEqual(new Set([503]));
  expect(asked).toBe(before);
  // Four, and what was on its way while the workers told each other.
  expect(before).toBeLessThan(8);
}, 60_000);

test.each(['a worker that comes in place of a dead one', 'a new version (SIGUSR2)'])(
  '%s knows what is open and what is out',
  async (who) => {
    let asked = 0;
    const broken = await httpOrigin((_request, response) => {
      asked++;
      response.writeHead(500).end();
    });
    closers.push(() => broken.close());
    const gone = await freePort();
    const [port, admin] = [await freePort(), await freePort()];
    folder.write(
      'tidegate.yaml',
      `listen: 127.0.0.1:${port}
admin: 127.0.0.1:${admin}
services:
  open: { url: '${broken.url}', breaker: { errors: 3/30s, openFor: 5m }, retries: { attempts: 0 } }
  out: { url: 'http://127.0.0.1:${gone}', health: { passive: { errors: 2, openFor: 5m }, panic: 0% }, retries: { attempts: 0 } }
routes:
  open: { match: /open, to: open }
  out: { match: /out, to: out }
`,
    );
    const gateway = lab.node([MAIN, 'run', 'tidegate.yaml'], { cwd: folder.path });
    await portOpens(admin, 20_000);
    const ask = async (path: string) => {
      const answer = await fetch(`http://127.0.0.1:${port}${path}`, { headers: { connection: 'close' } });
      await answer.text();
      return [answer.status, Number(answer.headers.get('retry-after'))];
    };
    for (let i = 0; i < 3; i++) expect(await ask('/open')).toEqual([500, 0]);
    for (let i = 0; i < 2; i++) expect(await ask('/out')).toEqual([502, 0]);
    if (who.startsWith('a worker')) {
      const worker = processTree(gateway.pid).find((pid) => pid !== gateway.pid)!;
      process.kill(worker, 'SIGKILL');
      await gateway.line(/the new worker serves/);
    } else {
      gateway.signal('SIGUSR2');
      const [, pid] = await gateway.line(/the new version serves","pid":(\d+)/);
      closers.push(async () => void process.kill(Number(pid), 'SIGTERM'));
      await gateway.line(/"message":"drained"/);
    }
    for (const path of ['/open', '/out']) {
      const [status, again] = await ask(path);
      expect(status).toBe(503);
      expect(again).toBeGreaterThan(200);
      expect(again).toBeLessThanOrEqual(300);
    }
    expect(asked).toBe(3);
  },
  60_000,
);
