import { execFileSync } from 'node:child_process';
import { closeSync, constants, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { ManualClock, tempFolder } from '../../testkit/index.ts';
import { silentLogger } from '../log.ts';
import { LogFile } from './log-file.ts';

it('a pipe is written to before anyone reads it, and again after its reader has gone', async () => {
  const folder = tempFolder();
  const path = join(folder.path, 'access.pipe');
  execFileSync('mkfifo', [path]);
  const read = () => {
    const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const bytes = Buffer.alloc(100);
    const length = readSync(reader, bytes);
    closeSync(reader);
    return bytes.toString('utf8', 0, length);
  };
  const file = new LogFile(path, { clock: new ManualClock(), log: silentLogger });
  for (const line of ['one\n', 'two\n']) {
    file.write(line);
    expect(await file.flush(1_000)).toBe(true);
    expect(read()).toBe(line);
  }
  await file.close();
  folder.close();
});
