import { afterEach, beforeEach, expect, test } from 'vitest';
import { type TempFolder, tempFolder } from '../../testkit/index.ts';
import { importConfig } from './module.ts';

let folder: TempFolder;
beforeEach(() => {
  folder = tempFolder();
});
afterEach(() => folder.close());

test('a program that waits for what never comes is given up', async () => {
  const text = 'await new Promise(() => {});\nexport default {};\n';
  const absolute = folder.write('tidegate.config.js', text);
  const { issues } = await importConfig(absolute, 'tidegate.config.js', text, 50);
  expect(issues).toMatchObject([
    { code: 'TG_CONFIG_CODE', message: 'the file has not finished loading after 0.05 s' },
  ]);
});
