/** Builds dist/, which is what the published package runs: JavaScript and types of everything under src/. */
import { cpSync, globSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { command, step } from './steps.ts';

const staging = `dist.${process.pid}`;

async function compile() {
  const built = await command('node_modules/.bin/tsc', ['-p', 'tsconfig.build.json', '--outDir', staging]);
  if (!built.ok) return built;
  return command('node_modules/.bin/tsc', ['-p', 'dashboard/tsconfig.build.json', '--outDir', staging]);
}

/** The compiler leaves the `.ts` of imports in declarations as it is; every resolver knows `.js`. */
function nameDeclarations(): void {
  for (const file of globSync(`${staging}/**/*.d.ts`)) {
    const types = readFileSync(file, 'utf8');
    writeFileSync(file, types.replace(/(from '|import\(["'])(\.[^'"\n]*)\.ts(?=['"])/g, '$1$2.js'));
  }
}

/** Pages, schemas and the like stand beside the code that reads them. */
function copyAssets(): void {
  cpSync('src', `${staging}/src`, {
    recursive: true,
    filter: (path) => !path.endsWith('.ts') && !path.startsWith('src/testkit'),
  });
  for (const page of ['index.html', 'style.css']) cpSync(`dashboard/${page}`, `${staging}/dashboard/${page}`);
}

/** So that `../../package.json` names the version from dist/src/… as it does from src/…. */
function copyVersion(): void {
  const { name, version, type } = JSON.parse(readFileSync('package.json', 'utf8'));
  writeFileSync(
    `${staging}/package.json`,
    `${JSON.stringify({ name, version, type, private: true }, null, 2)}\n`,
  );
}

const ok = await step('build dist/', async () => {
  const compiled = await compile();
  if (compiled.ok) {
    nameDeclarations();
    copyAssets();
    copyVersion();
    rmSync('dist', { recursive: true, force: true });
    renameSync(staging, 'dist');
  }
  rmSync(staging, { recursive: true, force: true });
  return compiled;
});
process.exitCode = ok ? 0 : 1;
