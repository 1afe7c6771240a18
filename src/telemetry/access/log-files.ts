import { type LineWriter, stdoutWriter } from '../line-writer.ts';
import { LogFile, type LogFileParts } from './log-file.ts';

/** The files that a gateway's access logs go to, across reloads. */
export class LogFiles {
  private readonly parts: LogFileParts;
  private inForce: LogFile | null = null;
  /** Opened for a config that is not in force yet. */
  private claimed: LogFile | null = null;

  constructor(parts: LogFileParts) {
    this.parts = parts;
  }

  /**
   * Where lines go; null: standard output.
   *
   * @throws the system's error where the file can't be opened
   */
  claim(path: string | null): LineWriter {
    this.claimNone();
    if (path === null) return stdoutWriter();
    this.claimed = this.inForce?.path === path ? this.inForce : new LogFile(path, this.parts);
    return this.claimed;
  }

  /** No file is written to. */
  claimNone(): void {
    if (this.claimed !== this.inForce) void this.claimed?.close();
    this.claimed = null;
  }

  /** What was claimed last is what counts now. */
  commit(): void {
    if (this.inForce === this.claimed) return this.reopen();
    void this.inForce?.close();
    this.inForce = this.claimed;
  }

  reopen(): void {
    this.inForce?.reopen();
  }

  async close(): Promise<void> {
    const open = new Set([this.inForce, this.claimed]);
    this.inForce = null;
    this.claimed = null;
    await Promise.all([...open].map((file) => file?.close()));
  }
}
