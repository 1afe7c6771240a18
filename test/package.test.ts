import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort, type ProcessLab, processLab, type TempFolder, tempFolder } from '../src/testkit/index.ts';

const repository = join(import.meta.dirname, '..');
const installTime = 120_000;

/** Runs a program to its end; one that fails says why. */
async function run(file: string, args: string[], cwd: string): Promise<string> {
  const { stdout } = await promisify(execFile)(file, args, { cwd }).catch((error) => {
    throw new Error(`${error.message}\n${error.stdout}${error.stderr}`);
  });
  return stdout;
}

describe('the published package', () => {
  let folder: TempFolder;
  let lab: ProcessLab;
  let shipped: string[];

  const tidegate = (...words: string[]) =>
    lab.start(join(folder.path, 'node_modules/.bin/tidegate'), words, {
      cwd: folder.path,
      env: { NODE_COMPILE_CACHE: undefined, XDG_CACHE_HOME: join(folder.path, 'cache') },
    });

  beforeAll(async () => {
    folder = tempFolder();
    lab = processLab();
    await run(process.execPath, ['scripts/build.ts'], repository);
    const pack = ['pack', '--json', '--ignore-scripts', '--pack-destination', folder.path];
    const stdout = await run('npm', pack, repository);
    // Newer npm names the packages, older npm lists them.
    const [packed] = Object.values(JSON.parse(stdout)) as { filename: string; files: { path: string }[] }[];
    shipped = packed?.files.map(({ path }) => path) ?? [];
    const quiet = ['--prefer-offline', '--ignore-scripts', '--no-audit', '--no-fund'];
    await run('npm', ['install', ...quiet, `./${packed?.filename}`], folder.path);
  }, installTime);

  afterAll(async () => {
    await lab.close();
    folder.close();
  });

  it('holds what it runs, and no tests, tools or sources', () => {
    for (const needed of [
      'LICENSE',
      'README.md',
      'bin/tidegate',
      'scripts/node.sh',
      'dist/src/cli/main.js',
    ]) {
      expect(shipped).toContain(needed);
    }
    expect(shipped).toContain('dist/src/index.d.ts');
    expect(
      shipped.filter((path) => /\.test\.|testkit|(?<!\.d)\.ts$|^(test|demo|bench|examples)\//.test(path)),
    ).toEqual([]);
  });

  it('starts in an empty folder with the starter file, answers, and ends with 0', async () => {
    expect(await tidegate('init').exit(20_000)).toEqual({ code: 0, signal: null });
    const [port, admin] = [await freePort(), await freePort()];
    const config = join(folder.path, 'tidegate.yaml');
    const starter = readFileSync(config, 'utf8');
    expect(starter).toContain('8080');
    writeFileSync(config, starter.replaceAll('8080', String(port)).replaceAll('9901', String(admin)));

    const gateway = tidegate('run');
    await gateway.line(new RegExp(`:${port}\\b`), 20_000);
    const answer = await fetch(`http://127.0.0.1:${port}/nothing-stands-here`);
    expect(answer.headers.get('x-request-id')).toBeTruthy();
    await answer.arrayBuffer();
    gateway.signal('SIGTERM');
    expect(await gateway.exit(20_000)).toEqual({ code: 0, signal: null });
  }, 60_000);

  it('is a library with types', async () => {
    writeFileSync(
      join(folder.path, 'library.mjs'),
      "import { defineGateway, startGateway } from 'tidegate';\nconsole.log(typeof defineGateway, typeof startGateway);\n",
    );
    const stdout = await run(process.execPath, ['library.mjs'], folder.path);
    expect(stdout).toBe('function function\n');
    const types = join(folder.path, 'node_modules/tidegate/dist/src/index.d.ts');
    expect(existsSync(types)).toBe(true);
    expect(readFileSync(types, 'utf8')).not.toMatch(/from '\.[^']*\.ts'/);
  });

  it('leaves nothing in the folder but what it was asked for', () => {
    expect(readdirSync(folder.path).filter((name) => /tidegate-|dist|\.node/.test(name))).toEqual([
      expect.stringMatching(/^tidegate-.*\.tgz$/),
    ]);
  });
});
