import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Bench } from './bench.ts';
import { type Command, findProgram, onLoadCore } from './machine.ts';
import { percentile } from './report.ts';

/** What one run of load saw. Latencies in microseconds. */
export interface LoadResult {
  requests: number;
  seconds: number;
  /** Answers other than 2xx and 3xx, and connections that failed. */
  failures: number;
  p50: number;
  p99: number;
}

export interface WrkRun {
  url: string;
  connections: number;
  seconds: number;
  headers?: readonly string[];
  /** Lua. */
  script?: string;
}

/** The fields a browser sends, Host included: 14. */
export const BROWSER_HEADERS: readonly string[] = [
  'Host: shop.example.com',
  'User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36',
  'Accept: application/json, text/plain, */*',
  'Accept-Language: en-GB,en;q=0.9,de;q=0.8',
  'Accept-Encoding: gzip, deflate, br, zstd',
  'Referer: https://shop.example.com/orders?page=2&sort=date',
  'Cookie: session=7f3c2a9e5b8d4f1a6c0e9b7d3a5f8c2e; theme=dark; consent=necessary',
  'sec-ch-ua: "Chromium";v="141", "Not?A_Brand";v="8"',
  'sec-ch-ua-mobile: ?0',
  'sec-ch-ua-platform: "Linux"',
  'Sec-Fetch-Site: same-origin',
  'Sec-Fetch-Mode: cors',
  'Sec-Fetch-Dest: empty',
  'Priority: u=1, i',
];

export function missingTool(name: 'wrk' | 'h2load'): string | null {
  if (findProgram(name) !== null) return null;
  return `it needs ${name}: apt-get install ${name === 'wrk' ? 'wrk' : 'nghttp2-client'}`;
}

/** As many requests as go through, over kept connections. */
export async function wrk(bench: Bench, run: WrkRun): Promise<LoadResult> {
  const command: Command = ['wrk', '-t1', `-c${run.connections}`, `-d${run.seconds}s`, '--latency'];
  for (const header of run.headers ?? []) command.push('-H', header);
  if (run.script !== undefined) command.push('-s', bench.folder.write('load.lua', run.script));
  const output = await runToEnd(bench, [...command, run.url], run.seconds);
  const found = (pattern: RegExp) => pattern.exec(output)?.[1];
  const socketErrors = /Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/.exec(output);
  const failed = (socketErrors ?? []).slice(1).reduce((sum, count) => sum + Number(count), 0);
  return {
    requests: Number(found(/(\d+) requests in/)),
    seconds: run.seconds,
    failures: failed + Number(found(/Non-2xx or 3xx responses: (\d+)/) ?? 0),
    p50: microseconds(found(/50%\s+([\d.]+\w+)/)),
    p99: microseconds(found(/99%\s+([\d.]+\w+)/)),
  };
}

function microseconds(text = ''): number {
  const units: Record<string, number> = { us: 1, ms: 1_000, s: 1_000_000, m: 60_000_000 };
  const [, number, unit] = /^([\d.]+)(us|ms|s|m)$/.exec(text) ?? [];
  return number === undefined ? Number.NaN : Number(number) * units[unit!]!;
}

/** Connections begun each millisecond: they ask at different times, not all in one burst. */
const BEGUN_PER_MS = 6;

let runs = 0;

/** Requests at a fixed rate; a late answer does not delay the requests of other connections. */
export async function h2load(
  bench: Bench,
  run: {
    url: string;
    connections: number;
    seconds: number;
    rate: number;
    /** Milliseconds between two connections, so that their requests are spread evenly. */
    apart?: number;
    headers?: readonly string[];
  },
): Promise<LoadResult> {
  // Not beside the configuration: the gateway watches that folder, and each line would wake it.
  const folder = join(bench.folder.path, 'h2load');
  mkdirSync(folder, { recursive: true });
  const log = join(folder, `${++runs}.log`);
  const output = await runToEnd(
    bench,
    [
      'h2load',
      '--h1',
      '-t1',
      `-c${run.connections}`,
      `-n${run.rate * run.seconds}`,
      ...(run.apart === undefined
        ? [`-r${BEGUN_PER_MS}`, '--rate-period=1ms']
        : ['-r1', `--rate-period=${run.apart}ms`]),
      `--rps=${Math.round(run.rate / run.connections)}`,
      `--log-file=${log}`,
      ...(run.headers ?? []).flatMap((header) => ['-H', header]),
      run.url,
    ],
    run.seconds,
  );
  // One line a request: when it began, its status, and how long it took, in microseconds.
  const rows = readFileSync(log, 'latin1').trimEnd().split('\n');
  const times = Float64Array.from(rows, (row) => Number(row.split('\t')[2])).sort();
  const [, failed = '0', errored = '0'] = /(\d+) failed, (\d+) errored/.exec(output) ?? [];
  return {
    requests: times.length,
    seconds: run.seconds,
    failures: Number(failed) + Number(errored),
    p50: percentile(times, 50),
    p99: percentile(times, 99),
  };
}

async function runToEnd(bench: Bench, command: Command, seconds: number): Promise<string> {
  const [program, ...args] = onLoadCore(command);
  const load = bench.lab.start(program, args);
  const { code } = await load.exit(seconds * 1000 + 30_000);
  if (code !== 0) throw new Error(`${command.join(' ')} failed:\n${load.output}`);
  return load.output;
}
