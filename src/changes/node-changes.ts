import type { ChangeSourceConfig } from '../config/model.ts';
import type { PushReply, PushRequest } from './contract.ts';
import type { SourceNews } from './news.ts';
import type { ChangeReader, ReaderParts, SourceDescription } from './reader/index.ts';

/** The change sources of a node, whether its config has any or not: what reads them is loaded with the first. */
export class NodeChanges {
  private readonly parts: ReaderParts;
  private reader: ChangeReader | null = null;
  private turn: Promise<void> = Promise.resolve();
  private stopped = false;

  constructor(parts: ReaderParts) {
    this.parts = parts;
  }

  /** At the start, and whenever another config is in force. Resolves once what is followed otherwise now is fenced. */
  apply(configs: Readonly<Record<string, ChangeSourceConfig>>): Promise<void> {
    const run = () => this.change(configs);
    this.turn = this.turn.then(run, run);
    return this.turn;
  }

  describe(): SourceDescription[] {
    return this.reader?.describe() ?? [];
  }

  news(): SourceNews[] {
    return this.reader?.news() ?? [];
  }

  push(name: string, request: PushRequest): Promise<PushReply> | null {
    return this.reader?.push(name, request) ?? null;
  }

  async stop(): Promise<void> {
    this.stopped = true;
    await this.turn.catch(() => {});
    await this.reader?.stop();
  }

  private async change(configs: Readonly<Record<string, ChangeSourceConfig>>): Promise<void> {
    if (this.stopped || (this.reader === null && Object.keys(configs).length === 0)) return;
    this.reader ??= new (await import('./reader/index.ts')).ChangeReader(this.parts);
    await this.reader.apply(configs);
  }
}
