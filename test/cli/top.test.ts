/** `tidegate top` against a gateway as it is run: on a terminal of its own, and into a pipe. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import {
  freePort,
  type LabProcess,
  type ProcessLab,
  processLab,
  type TempFolder,
  tempFolder,
  until,
} from '../../src/testkit/index.ts';
import { tidegate } from './tidegate.ts';

const MAIN = join(import.meta.dirname, '../../src/cli/main.ts');
const BIN = join(import.meta.dirname, '../../bin/tidegate');
const SCRIPT = '/usr/bin/script';
/** Two processes start, and a picture is drawn once a second; ms. */
const LONG = 15_000;
const hasTerminals = existsSync(SCRIPT);
if (!hasTerminals) console.log(`left out: tidegate top on a terminal (there is no ${SCRIPT})`);

let folder: TempFolder;
let lab: ProcessLab;
let gateway: LabProcess;
let file: string;
let port: number;
let admin: number;
const terminals: Terminal[] = [];

beforeEach(async () => {
  folder = tempFolder();
  lab = processLab();
  [port, admin] = [await freePort(), await freePort()];
  file = folder.write('tidegate.yaml', stringify(config()));
  gateway = await serve();
});
afterEach(async () => {
  for (const terminal of terminals.splice(0)) terminal.kill();
  await lab.close();
  folder.close();
});

const config = (): object => ({
  listen: `127.0.0.1:${port}`,
  admin: { address: `127.0.0.1:${admin}`, token: 'sesame' },
  changes: { push: { http: { token: 'sesame' }, tables: { 'public.orders': ['order:{row.id}'] } } },
  routes: {
    idle: { match: '/idle', respond: { body: 'idle' } },
    hello: { match: '/hello', respond: { body: 'hi' } },
  },
});

async function serve(): Promise<LabProcess> {
  const process = lab.start(BIN, ['run', file]);
  await process.line(/serving/);
  return process;
}

const top = (args: string[], env: Record<string, string> = {}) =>
  tidegate(folder.path, ['top', '--admin', `127.0.0.1:${admin}`, ...args], {
    TIDEGATE_ADMIN_TOKEN: 'sesame',
    ...env,
  });
const ask = () => fetch(`http://127.0.0.1:${port}/hello`).then((response) => response.text());

async function change(id: number): Promise<void> {
  const source = { db: 'shop', schema: 'public', table: 'orders', ts_ms: Date.now() };
  const response = await fetch(`http://127.0.0.1:${admin}/v1/changes/push`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: 'Bearer sesame' },
    body: JSON.stringify({ op: 'u', before: { id }, after: { id }, source }),
  });
  expect(response.status).toBe(200);
}

/** A terminal on which a shell runs one line. */
class Terminal {
  text = '';
  readonly ended: Promise<number | null>;
  private readonly child: ChildProcess;

  constructor(line: string, env: Record<string, string> = {}) {
    const { PATH = '', HOME = '' } = process.env;
    this.child = spawn(SCRIPT, ['-qec', line, '/dev/null'], {
      cwd: folder.path,
      env: { PATH, HOME, TERM: 'xterm-256color', SHELL: '/bin/sh', TIDEGATE_ADMIN_TOKEN: 'sesame', ...env },
    });
    this.child.stdout!.setEncoding('utf8').on('data', (text: string) => {
      this.text += text;
    });
    this.ended = new Promise((resolve) => this.child.once('close', resolve));
    terminals.push(this);
  }

  type(keys: string): void {
    this.child.stdin!.write(keys);
  }

  /** The pictures that were drawn, each as its lines, without colours. */
  pictures(): string[][] {
    return this.text
      .split('\x1b[H')
      .slice(1)
      .filter((picture) => picture.includes('\x1b[J'))
      .map((picture) =>
        picture
          .split('\x1b[J')[0]!
          .replaceAll(/\x1b\[\d*[mK]/g, '')
          .split(/\r*\n/),
      );
  }

  async shows(pattern: RegExp): Promise<void> {
    await until(() => this.showed(pattern), String(pattern), LONG);
  }

  showed(pattern: RegExp): boolean {
    return this.pictures().some((lines) => pattern.test(lines.join('\n')));
  }

  kill(): void {
    this.child.kill();
  }
}

const TOP = () => `${process.execPath} ${MAIN} top --admin 127.0.0.1:${admin}`;

describe.runIf(hasTerminals)('tidegate top on a terminal', () => {
  it('draws the node once a second, until q; the terminal is left as it was', async () => {
    const terminal = new Terminal(`stty cols 90 rows 30; stty -g; ${TOP()}; echo "ended $?"; stty -g`);
    await terminal.shows(/Requests\/s/);
    await until(async () => {
      await ask();
      return terminal.pictures().some((lines) => lines.some((line) => /hello +.*[1-9]/.test(line)));
    }, 'the traffic');
    await change(42);
    await terminal.shows(/public\.orders \S* ?updated → order:42 → 0 entries unseated/);
    const busy = terminal.pictures().find((lines) => lines.some((line) => /hello +.*[1-9]/.test(line)))!;
    const at = (name: string) => busy.findIndex((line) => line.includes(name));
    expect(at('hello')).toBeLessThan(at('idle'));
    terminal.type('q');
    await terminal.ended;
    const [before, after] = [...terminal.text.matchAll(/^[0-9a-f]+(?::[0-9a-f]+)+(?=\r)/gm)].map(String);
    expect(after).toBe(before);
    expect(terminal.text).toContain('ended 0');
    expect(terminal.text.indexOf('\x1b[?1049h')).toBeGreaterThan(0);
    expect(terminal.text).toMatch(/\x1b\[\?7h\x1b\[\?25h\x1b\[\?1049lended 0/);
  });

  it.each([
    ['Ctrl-C', '\x03'],
    ['q with figures on their way', 'q'],
  ])('ends at %s', async (_, keys) => {
    const terminal = new Terminal(`stty cols 90 rows 30; ${TOP()}; echo "ended $?"`, { NO_COLOR: '1' });
    await terminal.shows(/tidegate top/);
    terminal.type(keys);
    await terminal.ended;
    expect(terminal.text).toMatch(/\x1b\[\?1049lended 0/);
    expect(terminal.text).not.toMatch(/\x1b\[[0-9;]*m/);
  });

  it('takes the new size of a terminal at once', async () => {
    const resize = '(sleep 1; stty cols 40 rows 9) < /dev/tty &';
    const terminal = new Terminal(`stty cols 100 rows 40; ${resize} ${TOP()}`);
    await until(() => terminal.pictures().some((lines) => lines.length > 9), 'a large picture');
    await until(() => {
      const last = terminal.pictures().at(-1)!;
      const widest = Math.max(...last.map((line) => [...line].length));
      return last.length <= 9 && widest <= 40;
    }, 'a small picture');
    terminal.type('q');
    await terminal.ended;
  });

  it('says that the gateway is away, and comes back with it', async () => {
    await gateway.kill();
    const terminal = new Terminal(`stty cols 120 rows 30; ${TOP()}`);
    await terminal.shows(/nobody listens at/);
    gateway = await serve();
    await terminal.shows(/config of tidegate.yaml/);
    await gateway.kill();
    await terminal.shows(/no answer since \d\d:\d\d:\d\d, these figures are old: nobody listens/);
    gateway = await serve();
    const seen = terminal.pictures().length;
    await until(
      () => terminal.pictures().slice(seen).at(-1)?.join('\n').includes('no answer') === false,
      'new figures',
    );
    // The events are followed anew as well, a little later.
    await until(
      async () => {
        await change(7);
        return terminal.showed(/order:7/);
      },
      'a change',
      LONG,
    );
    terminal.type('q');
    expect(await terminal.ended).toBe(0);
  }, 60_000);
});

describe('tidegate top into a pipe', () => {
  it('prints plain lines, once where that is asked for', async () => {
    await ask();
    const { code, stdout, stderr } = await top(['--once']);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^tidegate top +http:\/\/127/);
    expect(stdout).toMatch(/^hello +\/hello/m);
    expect(stdout).not.toContain('\x1b');
  });

  it('prints a picture each second', async () => {
    const watching = lab.start(process.execPath, [MAIN, 'top', '--admin', `127.0.0.1:${admin}`], {
      env: { TIDEGATE_ADMIN_TOKEN: 'sesame' },
    });
    await until(() => watching.stdout.split('tidegate top').length > 3, 'three pictures');
    expect(watching.stdout).not.toContain('\x1b');
    await gateway.kill();
    await watching.line(/no answer since/);
    await watching.kill();
  });

  it('--json gives what the admin API says, a line each', async () => {
    const { stdout } = await top(['--once', '--json']);
    const picture = JSON.parse(stdout);
    expect(picture).toMatchObject({ error: null, status: { workers: expect.any(Number) }, services: [] });
    expect(picture.sources).toMatchObject([{ name: 'push', kind: 'http' }]);
    expect(picture.second.requests).toBe(0);
  });

  it('ends with 1 where it is not let in or nobody is there, 2 where the call makes no sense', async () => {
    const wrong = await top(['--token', 'sesami']);
    expect(wrong).toMatchObject({ code: 1, stdout: '' });
    expect(wrong.stderr).toContain('does not accept this token');
    const without = await top(['--once'], { TIDEGATE_ADMIN_TOKEN: '' });
    expect(without.stderr).toContain('asks for a token: say --token, or set TIDEGATE_ADMIN_TOKEN');
    expect((await top(['--admin', 'ftp://a'])).code).toBe(2);
    await gateway.kill();
    expect(await top(['--once'])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('nobody listens'),
    });
  });
});
