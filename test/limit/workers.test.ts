/** Limits of a gateway as it is run, with two workers. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { stringify } from 'yaml';
import {
  freePort,
  type LabProcess,
  type ProcessLab,
  processLab,
  rawClient,
  type TempFolder,
  tempFolder,
} from '../../src/testkit/index.ts';

const BIN = new URL('../../bin/tidegate', import.meta.url).pathname;
const limit = { rate: '20/h', burst: 20, per: '"all"' };

let folder: TempFolder;
let lab: ProcessLab;
let gateway: LabProcess;
let port: number;
let admin: number;

beforeAll(async () => {
  folder = tempFolder();
  lab = processLab();
  [port, admin] = [await freePort(), await freePort()];
  const config = {
    listen: `127.0.0.1:${port}`,
    admin: `127.0.0.1:${admin}`,
    workers: 2,
    routes: {
      held: { match: '/held', respond: {}, limit },
      tried: { match: '/tried', respond: {}, limit: { ...limit, report: true } },
    },
  };
  gateway = lab.start(BIN, ['run', folder.write('tidegate.yaml', stringify(config))]);
  await gateway.line(/serving/);
}, 60_000);
afterAll(async () => {
  await lab.close();
  folder.close();
});

/** Statuses of so many requests, each on a connection of its own. */
async function statuses(count: number, path: string): Promise<number[]> {
  const all: number[] = [];
  for (let i = 0; i < count; i++) {
    const client = await rawClient({ port });
    await client.send(`GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`);
    all.push((await client.response('GET')).status);
    client.close();
  }
  return all;
}

async function counts(name: string): Promise<{ limited: number; reported: number }> {
  const response = await fetch(`http://127.0.0.1:${admin}/v1/routes`);
  const { routes } = (await response.json()) as {
    routes: { name: string; limited: number; reported: number }[];
  };
  return routes.find((route) => route.name === name)!;
}

it('without Redis a limit is of the node, and its workers have even parts of it', async () => {
  const all = await statuses(60, '/held');
  const admitted = all.filter((status) => status === 200).length;
  // Each worker has ten; the kernel may give one of them all connections.
  expect(admitted).toBeGreaterThanOrEqual(10);
  expect(admitted).toBeLessThanOrEqual(20);
  expect(await counts('held')).toMatchObject({ limited: 60 - admitted, reported: 0 });
}, 30_000);

it('what a limit on trial would refuse is counted, and logged in a line now and then', async () => {
  expect(await statuses(60, '/tried')).toEqual(Array(60).fill(200));
  const { limited, reported } = await counts('tried');
  expect(limited).toBe(0);
  expect(reported).toBeGreaterThanOrEqual(40);
  await gateway.line(/a limit on trial would refuse requests/);
}, 30_000);

it('is explained by the admin API', async () => {
  const response = await fetch(`http://127.0.0.1:${admin}/v1/explain`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ method: 'GET', url: '/tried' }),
  });
  expect(await response.json()).toMatchObject({
    route: 'tried',
    limits: [{ name: 'tried', rate: '20/h', burst: 20, key: '"all"', report: true }],
  });
}, 30_000);
