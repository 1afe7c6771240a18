import { pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';
import { placeOf } from './code-place.ts';

test.each(['/srv/tidegate.config.ts', '/srv/my configs ü#1/tidegate.config.ts'])(
  'an error is found in %s, whose place a stack names as a URL',
  (file) => {
    const error = new TypeError('none is undefined');
    error.stack = `TypeError: none is undefined
    at other (file:///srv/node_modules/other/index.js:1:2)
    at ${pathToFileURL(file).href}:3:79
    at ModuleJob.run (node:internal/modules/esm/module_job:561:25)`;
    expect(placeOf(error, ['/srv/else.ts', file])).toEqual({ file, line: 3, column: 79 });
    expect(placeOf(error, ['/srv/else.ts'])).toBeNull();
  },
);
