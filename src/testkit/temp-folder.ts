import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A folder of its own for one test, removed by `close` (or `using`). */
export class TempFolder {
  readonly path = mkdtempSync(join(tmpdir(), 'tidegate-'));

  /** Writes a file into it and returns the file's path. */
  write(name: string, content: string | Buffer): string {
    const path = join(this.path, name);
    writeFileSync(path, content);
    return path;
  }

  close(): void {
    rmSync(this.path, { recursive: true, force: true });
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

export function tempFolder(): TempFolder {
  return new TempFolder();
}
