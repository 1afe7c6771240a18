import { existsSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { chromium } from 'playwright-core';
import { stringify } from 'yaml';
import {
  cpuTime,
  freePort,
  httpOrigin,
  processLab,
  processTree,
  tempFolder,
} from '../../src/testkit/index.ts';

/**
 * The dashboard under 2,000 requests and 1,000 changes a second: what the page costs its browser, what it costs the
 * gateway, and whether its memory stands still. It is looked at and hidden by turns, since a hidden page asks for
 * nothing: so both are measured under the same load, whatever else the machine does. Linux, Chromium.
 * `node test/soak/dashboard.ts [--minutes 3] [--requests 2000] [--changes 1000]`
 */
const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '3' },
    requests: { type: 'string', default: '2000' },
    changes: { type: 'string', default: '1000' },
  },
});
const seconds = Number(values.minutes) * 60;
const ROUTES = 24;
const CONNECTIONS = 64;
/** Milliseconds between two bursts: of requests on each connection, of changes in all. */
const BURST = 20;
const CHANGES_BURST = 50;
/** The page fills what it remembers first: 200 lines of changes, a minute of points. */
const WARM = 20_000;
const ROUND = 10_000;
/** After the page is hidden or shown, before it is measured. */
const SETTLE = 1_000;

/** Of one core: the page, and what the process that serves it spends on it. */
const MOST_PAGE = 0.1;
const MOST_GATEWAY = 0.01;
/** KiB a minute that collections at odd moments may make look like growth. */
const FLAT = 256;

const program = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync);
if (program === undefined) throw new Error('this needs Chromium');

await using lab = processLab();
using folder = tempFolder();
await using service = await httpOrigin((_request, response) => void response.end('{"stock":7}'));
const [port, admin] = [await freePort(), await freePort()];
const routes = Object.fromEntries(
  Array.from({ length: ROUTES }, (_, i) => [
    `route${i}`,
    {
      match: `/r${i}/{id}`,
      to: `service${i % 6}`,
      ...(i % 4 !== 3 ? { cache: { ttl: '60s', tags: ['item:{params.id}'] } } : {}),
    },
  ]),
);
const config = {
  listen: `127.0.0.1:${port}`,
  admin: `127.0.0.1:${admin}`,
  workers: 2,
  services: Object.fromEntries(Array.from({ length: 6 }, (_, i) => [`service${i}`, { url: service.url }])),
  changes: { stock: { http: { token: 'sesame' }, tables: { 'public.items': ['item:{row.id}'] } } },
  routes,
};
const bin = new URL('../../bin/tidegate', import.meta.url).pathname;
const gateway = lab.start(bin, ['run', folder.write('tidegate.yaml', stringify(config))]);
await gateway.line(/serving/, 30_000);
const base = `http://127.0.0.1:${admin}`;

let over = false;
let answered = 0;
const began = performance.now();
const clients = Array.from({ length: CONNECTIONS }, (_, i) => asks(i));
const changing = changes();

console.log(`${values.requests} requests/s and ${values.changes} changes/s for ${values.minutes} minutes`);
const browser = await chromium.launch({ executablePath: program, args: ['--no-sandbox'] });
const page = await browser.newPage({ viewport: { width: 1440, height: 1000 } });
await page.goto(base);
await page.waitForSelector('#flow-picture .ribbon');
const tab = await page.context().newCDPSession(page);
const whole = await browser.newBrowserCDPSession();
await tab.send('Performance.enable');
await tab.send('HeapProfiler.enable');
await pause(WARM);
const pids = processTree(gateway.pid);
const shown: Round[] = [];
const hidden: Round[] = [];
const start = performance.now();
while (performance.now() - start < seconds * 1000) {
  hidden.push(await round(true));
  shown.push(await round(false));
  const { minutes, heap, nodes } = shown.at(-1)!;
  console.log(`${minutes.toFixed(1)} min  heap ${(heap / 1024).toFixed(0)} KiB, ${nodes} nodes`);
}
const lines = await page.locator('#feed li').count();
const rate = (answered / (performance.now() - began)) * 1000;
await browser.close();
over = true;
await Promise.all([...clients, changing]);

const growth = slope(shown.slice(Math.floor(shown.length / 4)));
const share = (value: number) => `${(value * 100).toFixed(2)} %`;
const of = (rounds: readonly Round[], name: Cost) => median(rounds.map((one) => one[name]));
const more = (name: Cost) => median(shown.map((one, i) => one[name] - hidden[i]![name]));
console.log(`\n${Math.round(rate)} answers/s were taken; the feed had ${lines} lines`);
for (const [words, rounds] of [
  ['looked at', shown],
  ['hidden', hidden],
] as const)
  console.log(
    `${words}: renderer ${share(of(rounds, 'renderer'))} of a core (script ${share(of(rounds, 'script'))}, style and layout ${share(of(rounds, 'layout'))}), GPU process ${share(of(rounds, 'gpu'))}`,
  );
console.log(`JS heap ${growth.heap.toFixed(0)} KiB a minute, nodes ${growth.nodes.toFixed(0)} a minute`);
console.log(
  `gateway: ${share(of(hidden, 'gateway'))} of a core without the page, ${share(more('gateway'))} more with it; of that its supervisor ${share(of(hidden, 'supervisor'))}, ${share(more('supervisor'))} more`,
);
const calm = of(shown, 'renderer') < MOST_PAGE && more('supervisor') < MOST_GATEWAY && growth.heap < FLAT;
console.log(calm ? 'calm' : 'NOT calm');
process.exitCode = calm ? 0 : 1;

/** A client that asks in bursts on one connection, at an even pace. */
async function asks(number: number): Promise<void> {
  const socket: Socket = connect(port, '127.0.0.1');
  socket.on('data', (chunk: Buffer) => {
    for (let at = chunk.indexOf('HTTP/1.1 '); at >= 0; at = chunk.indexOf('HTTP/1.1 ', at + 9)) answered++;
  });
  const start = performance.now();
  let asked = 0;
  while (!over) {
    const due = Math.floor(((performance.now() - start) / 1000) * (Number(values.requests) / CONNECTIONS));
    let text = '';
    for (; asked < due; asked++) {
      // The first routes are busier than the last.
      const route = Math.floor(ROUTES * ((asked * 0.618 + number * 0.1) % 1) ** 2);
      text += `GET /r${route}/${asked % 500} HTTP/1.1\r\nHost: shop.test\r\n\r\n`;
    }
    if (text !== '') socket.write(text);
    await pause(BURST);
  }
  socket.destroy();
}

async function changes(): Promise<void> {
  const start = performance.now();
  let made = 0;
  while (!over) {
    const due = Math.floor(((performance.now() - start) / 1000) * Number(values.changes));
    const rows: object[] = [];
    for (; made < due; made++) {
      const row = { id: made % 2000 };
      rows.push({
        op: 'u',
        before: row,
        after: row,
        source: { db: 'shop', schema: 'public', table: 'items' },
      });
    }
    if (rows.length > 0)
      await fetch(`${base}/v1/changes/stock`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: 'Bearer sesame' },
        body: JSON.stringify(rows),
      }).then((response) => response.arrayBuffer());
    await pause(CHANGES_BURST);
  }
}

/** Shares of a core. */
type Cost = 'renderer' | 'gpu' | 'script' | 'layout' | 'gateway' | 'supervisor';

interface Round extends Readonly<Record<Cost, number>> {
  readonly minutes: number;
  readonly heap: number;
  readonly nodes: number;
}

/** What all use while the page is hidden, or looked at. */
async function round(hide: boolean): Promise<Round> {
  await page.evaluate(`
    Object.defineProperty(document, 'hidden', { configurable: true, get: () => ${hide} });
    document.dispatchEvent(new Event('visibilitychange'));
  `);
  // What is garbage is no growth.
  await tab.send('HeapProfiler.collectGarbage');
  await pause(SETTLE);
  const since = performance.now();
  const first = await reading();
  await pause(ROUND);
  const last = await reading();
  const span = (performance.now() - since) / 1000;
  const used = (name: Cost) => (last[name] - first[name]) / span;
  await tab.send('HeapProfiler.collectGarbage');
  const { heap, nodes } = await reading();
  return {
    minutes: (performance.now() - start) / 60_000,
    heap,
    nodes,
    renderer: used('renderer'),
    gpu: used('gpu'),
    script: used('script'),
    layout: used('layout'),
    gateway: used('gateway'),
    supervisor: used('supervisor'),
  };
}

/** Times in seconds, the heap in bytes. */
async function reading() {
  const { metrics } = await tab.send('Performance.getMetrics');
  const told = (name: string) => metrics.find((metric) => metric.name === name)!.value;
  const { processInfo } = await whole.send('SystemInfo.getProcessInfo');
  const used = (type: string) =>
    processInfo.filter((one) => one.type === type).reduce((sum, { cpuTime: time }) => sum + time, 0);
  return {
    heap: told('JSHeapUsedSize'),
    nodes: told('Nodes'),
    script: told('ScriptDuration'),
    layout: told('LayoutDuration') + told('RecalcStyleDuration'),
    renderer: used('renderer'),
    gpu: used('GPU'),
    gateway: cpuTime(pids) / 1e6,
    supervisor: cpuTime([gateway.pid]) / 1e6,
  };
}

function median(list: readonly number[]): number {
  const sorted = [...list].sort((a, b) => a - b);
  return (sorted[Math.floor((sorted.length - 1) / 2)]! + sorted[Math.ceil((sorted.length - 1) / 2)]!) / 2;
}

/** Growth a minute, heap in KiB: the slopes of the lines nearest to all rounds. */
function slope(samples: readonly Round[]): { heap: number; nodes: number } {
  const mean = (of: (one: Round) => number) =>
    samples.reduce((sum, one) => sum + of(one), 0) / samples.length;
  const steep = (of: (one: Round) => number) => {
    const [x, y] = [mean(({ minutes }) => minutes), mean(of)];
    return (
      samples.reduce((sum, one) => sum + (one.minutes - x) * (of(one) - y), 0) /
      samples.reduce((sum, one) => sum + (one.minutes - x) ** 2, 0)
    );
  };
  return { heap: steep(({ heap }) => heap) / 1024, nodes: steep(({ nodes }) => nodes) };
}
