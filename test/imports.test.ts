import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { checkImports } from '../scripts/imports.ts';
import { tempFolder } from '../src/testkit/index.ts';

/** What the check says of a src/ with these files. */
function check(files: Record<string, string>): string {
  using folder = tempFolder();
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder.path, path)), { recursive: true });
    writeFileSync(join(folder.path, path), text);
  }
  return checkImports(folder.path).output;
}

it('an import that goes upward is named with its file and line', () => {
  const files = {
    'router/index.ts': "// The router.\n\nimport {\n  type A,\n} from '../pipeline/index.ts';\n",
    'pipeline/index.ts': 'export type A = 1;\n',
  };
  expect(check(files)).toBe('src/router/index.ts:3: router/ must not import pipeline/');
});

it('a room is entered through its door alone, but for the vocabulary', () => {
  const files = {
    'pipeline/index.ts':
      "import '../router/inner.ts';\nimport '../http/headers.ts';\nimport type {} from '../config/model.ts';\n",
    'router/inner.ts': 'export {};\n',
    'http/headers.ts': 'export {};\n',
    'config/model.ts': 'export {};\n',
  };
  expect(check(files)).toBe(
    'src/pipeline/index.ts:1: import router/ through its door router/index.ts, not router/inner.ts',
  );
});

it('a cycle is shown edge by edge; types may go round', () => {
  const files = {
    'router/index.ts': "export * from './a.ts';\n",
    'router/a.ts': "import './b.ts';\n",
    'router/b.ts': "import './a.ts';\nimport type {} from './index.ts';\n",
  };
  expect(check(files)).toBe('cycle: src/router/a.ts:1 -> src/router/b.ts:1 -> router/a.ts');
});

it('what every worker loads stays free of heavy libraries, unless they are loaded when needed', () => {
  const files = {
    'cli/worker.ts': "import '../snapshot/index.ts';\n",
    'snapshot/index.ts': "import './compile.ts';\n",
    'snapshot/compile.ts':
      "import { z } from 'zod';\nconst late = () => import('yaml');\nexport { late, z };\n",
  };
  expect(check(files)).toBe(
    'src/snapshot/compile.ts:1: every worker would load zod (cli/worker.ts -> snapshot/index.ts -> snapshot/compile.ts)',
  );
});

it('the vocabulary stands on nothing, and the test kit under nothing', () => {
  const files = {
    'util/clock.ts': "import '../http/headers.ts';\n",
    'http/headers.ts': "import '../util/size.ts';\n",
    'util/size.ts': 'export {};\n',
    'router/index.ts': "import '../testkit/index.ts';\n",
    'testkit/index.ts': 'export {};\n',
  };
  expect(
    check(files)
      .split('\n')
      .filter((line) => !line.startsWith('cycle'))
      .sort(),
  ).toEqual(
    [
      'src/router/index.ts:1: testkit/ is for tests',
      'src/util/clock.ts:1: util/ must not import http/',
    ].sort(),
  );
});
