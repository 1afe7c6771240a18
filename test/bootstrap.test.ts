import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ProcessLab, processLab, type TempFolder, tempFolder } from '../src/testkit/index.ts';

/** A start waits in whole seconds, and the machine may be busy. */
const patience = 15_000;
const repository = join(import.meta.dirname, '..');

/** A machine of our own: its PATH holds an old Node, and an npm that brings this test's Node. */
class Machine {
  readonly folder: string;
  readonly tools: string;
  readonly package: string;
  readonly npmCalls: string;

  constructor(folder: string) {
    this.folder = folder;
    this.tools = join(folder, 'machine tools');
    this.package = join(folder, 'my app/node_modules/tidegate');
    this.npmCalls = join(folder, 'npm calls');
    mkdirSync(this.tools, { recursive: true });
    this.layPackage();
    this.tool('node', 'echo v20.20.2');
    this.tool(
      'npm',
      `echo "$@" >> '${this.npmCalls}'
      prefix=; for word; do [ "$last" = --prefix ] && prefix=$word; last=$word; done
      name=\${last%@*}
      mkdir -p "$prefix/node_modules/$name/bin"
      ln -s '${process.execPath}' "$prefix/node_modules/$name/bin/node"`,
    );
  }

  tool(name: string, body: string): void {
    writeFileSync(join(this.tools, name), `#!/bin/sh\n${body}\n`);
    chmodSync(join(this.tools, name), 0o755);
  }

  calls(): string[] {
    return existsSync(this.npmCalls) ? readFileSync(this.npmCalls, 'utf8').trim().split('\n') : [];
  }

  env(nodeFirst?: string): Record<string, string | undefined> {
    return {
      PATH: [...(nodeFirst ? [nodeFirst] : []), this.tools, '/usr/bin', '/bin'].join(':'),
      HOME: join(this.folder, 'home'),
      XDG_CACHE_HOME: undefined,
      NODE_COMPILE_CACHE: undefined,
    };
  }

  get bin(): string {
    return join(this.folder, 'my app/node_modules/.bin/tidegate');
  }

  private layPackage(): void {
    mkdirSync(join(this.package, 'dist/src/cli'), { recursive: true });
    cpSync(join(repository, 'bin'), join(this.package, 'bin'), { recursive: true });
    mkdirSync(join(this.package, 'scripts'));
    cpSync(join(repository, 'scripts/node.sh'), join(this.package, 'scripts/node.sh'));
    writeFileSync(join(this.package, 'package.json'), '{"type":"module"}');
    writeFileSync(
      join(this.package, 'dist/src/cli/main.js'),
      `const [what, ...rest] = process.argv.slice(2);
      if (what === 'exit') process.exit(Number(rest[0]));
      if (what === 'wait') {
        process.on('SIGTERM', () => process.exit(43));
        setInterval(() => {}, 1000);
      }
      console.log(JSON.stringify({ pid: process.pid, cwd: process.cwd(), version: process.version, words: process.argv.slice(2), cache: process.env.NODE_COMPILE_CACHE }));`,
    );
    mkdirSync(dirname(this.bin), { recursive: true });
    symlinkSync('../tidegate/bin/tidegate', this.bin);
  }
}

let folder: TempFolder;
let lab: ProcessLab;
let machine: Machine;

beforeEach(() => {
  folder = tempFolder();
  lab = processLab();
  machine = new Machine(folder.path);
});
afterEach(async () => {
  await lab.close();
  folder.close();
});

describe('bin/tidegate', () => {
  it('fetches a Node once where the machine has an old one, and says so on standard error alone', async () => {
    const first = lab.start(machine.bin, ['a', 'b c'], { env: machine.env() });
    expect(await first.exit(patience)).toEqual({ code: 0, signal: null });
    expect(JSON.parse(first.stdout)).toMatchObject({ version: process.version, words: ['a', 'b c'] });
    expect(first.stderr).toMatch(/^Fetching Node \S+ from the npm registry, once \.+ done in \d+ s\n$/);
    expect(machine.calls()).toEqual([expect.stringContaining('--ignore-scripts')]);

    const second = lab.start(machine.bin, [], { env: machine.env() });
    expect(await second.exit(patience)).toEqual({ code: 0, signal: null });
    expect(second.stderr).toBe('');
    expect(machine.calls()).toHaveLength(1);
  });

  it('starts five times at once on a machine without a fetched Node', async () => {
    const starts = Array.from({ length: 5 }, () => lab.start(machine.bin, ['x'], { env: machine.env() }));
    for (const start of starts) {
      expect(await start.exit(patience)).toEqual({ code: 0, signal: null });
      expect(JSON.parse(start.stdout)).toMatchObject({ words: ['x'] });
    }
    const cache = join(
      folder.path,
      process.platform === 'darwin' ? 'home/Library/Caches' : 'home/.cache',
      'tidegate',
    );
    expect(readdirSync(cache).filter((name) => name.startsWith('fetch.'))).toEqual([]);
  });

  it('takes the Node of the PATH where it is new enough', async () => {
    const run = lab.start(machine.bin, [], { env: machine.env(dirname(process.execPath)) });
    expect(await run.exit(patience)).toEqual({ code: 0, signal: null });
    expect(machine.calls()).toEqual([]);
  });

  it('passes the exit code on, and signals reach Node itself', async () => {
    const env = machine.env(dirname(process.execPath));
    expect(await lab.start(machine.bin, ['exit', '70'], { env }).exit(patience)).toEqual({
      code: 70,
      signal: null,
    });

    const waiting = lab.start(machine.bin, ['wait'], { env });
    const [line] = await waiting.line(/\{.*\}/);
    expect(JSON.parse(line).pid).toBe(waiting.pid);
    waiting.signal('SIGTERM');
    expect(await waiting.exit(patience)).toEqual({ code: 43, signal: null });
  });

  it('writes nothing to the current folder and keeps its compile cache in a folder of its own', async () => {
    const cwd = join(folder.path, 'read only');
    mkdirSync(cwd);
    chmodSync(cwd, 0o555);
    const run = lab.start(machine.bin, [], { cwd, env: machine.env() });
    expect(await run.exit(patience)).toEqual({ code: 0, signal: null });
    const { cache, ...seen } = JSON.parse(run.stdout);
    expect(seen.cwd).toBe(cwd);
    expect(cache).toBe(
      join(
        folder.path,
        process.platform === 'darwin' ? 'home/Library/Caches' : 'home/.cache',
        'tidegate/compile',
      ),
    );
    expect(readdirSync(cwd)).toEqual([]);
  });

  it('names the way to its packages in a checkout that has none yet', async () => {
    const checkout = join(folder.path, 'a checkout');
    for (const file of ['bin/tidegate', 'scripts/node.sh'])
      cpSync(join(repository, file), join(checkout, file), { recursive: true });
    mkdirSync(join(checkout, 'src/cli'), { recursive: true });
    writeFileSync(join(checkout, 'src/cli/main.ts'), "import 'commander';\n");
    const env = machine.env(dirname(process.execPath));
    const run = lab.start(join(checkout, 'bin/tidegate'), ['init'], { env });
    expect(await run.exit(patience)).toEqual({ code: 1, signal: null });
    expect(run.stderr).toBe(
      `tidegate: the packages that it is made of are not there yet: run npm ci in ${realpathSync(checkout)} (npm start and npm test do so by themselves).\n`,
    );
  });

  it('says what to install on a system that it knows no Node for', async () => {
    machine.tool('uname', '[ "$1" = -s ] && echo Plan9 || echo mips');
    const run = lab.start(machine.bin, [], { env: machine.env() });
    expect(await run.exit(patience)).toEqual({ code: 1, signal: null });
    expect(run.stderr).toBe(
      'tidegate: needs Node 24 or newer, and knows none to fetch for Plan9 on mips. Install Node 24 or newer (https://nodejs.org) and start again.\n',
    );
  });

  it('shows why npm could not fetch a Node', async () => {
    machine.tool('npm', 'echo "npm error network unreachable"; exit 1');
    const run = lab.start(machine.bin, [], { env: machine.env() });
    expect(await run.exit(patience)).toEqual({ code: 1, signal: null });
    expect(run.stderr).toContain('npm error network unreachable');
    expect(run.stderr).toContain('Install Node 24 or newer');
  });

  it('tells apart a Node that npm brought but that does not run here', async () => {
    machine.tool('npm', 'exit 0');
    const run = lab.start(machine.bin, [], { env: machine.env() });
    expect(await run.exit(patience)).toEqual({ code: 1, signal: null });
    expect(run.stderr).toContain('the Node of the npm registry does not run on this system');
  });
});

describe('scripts/run.sh', () => {
  /** A checkout with one program, whose npm notes what it was asked for and makes an empty node_modules. */
  function checkout(): string {
    const root = join(folder.path, 'a checkout');
    mkdirSync(join(root, 'scripts'), { recursive: true });
    for (const file of ['scripts/node.sh', 'scripts/run.sh'])
      cpSync(join(repository, file), join(root, file));
    writeFileSync(join(root, 'package-lock.json'), '{"lock":1}');
    writeFileSync(
      join(root, 'program.ts'),
      'const words: string[] = process.argv.slice(2);\nconsole.log(words);\n',
    );
    machine.tool('npm', `echo "$1" >> '${machine.npmCalls}'; mkdir -p node_modules`);
    return root;
  }

  const start = (root: string, ...words: string[]) =>
    lab.start('sh', [join(root, 'scripts/run.sh'), 'program.ts', ...words], {
      cwd: folder.path,
      env: machine.env(dirname(process.execPath)),
    });

  it('installs what is missing, once, and again when the lock file has changed', async () => {
    const root = checkout();
    const first = start(root, 'a b');
    expect(await first.exit(patience)).toEqual({ code: 0, signal: null });
    expect(first.stdout).toBe("[ 'a b' ]\n");
    expect(first.stderr).toMatch(/^Installing packages \.+ done in \d+ s\n$/);
    await start(root).exit(patience);
    expect(machine.calls()).toEqual(['ci']);

    writeFileSync(join(root, 'package-lock.json'), '{"lock":2}');
    const changed = start(root);
    expect(await changed.exit(patience)).toEqual({ code: 0, signal: null });
    expect(changed.stderr).toMatch(/^Updating packages/);
    expect(machine.calls()).toEqual(['ci', 'install']);
  });

  it('installs once when it is started three times at the same time', async () => {
    const root = checkout();
    const starts = [start(root), start(root), start(root)];
    for (const one of starts) expect(await one.exit(patience)).toEqual({ code: 0, signal: null });
    expect(machine.calls()).toEqual(['ci']);
  });

  it('goes on after an installation that was killed', async () => {
    const root = checkout();
    mkdirSync(join(root, '.node/install.lock'), { recursive: true });
    const dead = lab.start('true');
    await dead.exit(patience);
    writeFileSync(join(root, '.node/install.lock/pid'), String(dead.pid));
    expect(await start(root).exit(patience)).toEqual({ code: 0, signal: null });
    expect(machine.calls()).toEqual(['ci']);
  });

  it('does without the lock file where it does not fit, and stops where nothing can be installed', async () => {
    const root = checkout();
    machine.tool('npm', `echo "$1" >> '${machine.npmCalls}'; echo 'npm error out of disk'; exit 1`);
    const run = start(root);
    expect(await run.exit(patience)).toEqual({ code: 1, signal: null });
    expect(machine.calls()).toEqual(['ci', 'install']);
    expect(run.stderr).toContain('npm error out of disk');
    expect(run.stderr).toContain('the packages could not be installed');
    expect(run.stdout).toBe('');
  });
});
