import type { ChangeSourceConfig } from '../../config/model.ts';
import type { PushReply, PushRequest } from '../contract.ts';
import { compileFamilies } from '../mapping/index.ts';
import type { ReaderParts, SourceDescription } from './parts.ts';
import { RunningSource } from './running-source.ts';

/**
 * The change sources of a node: those of the config in force run, each goes on through reloads that leave it as it
 * is. One stands in each node, where its sequence is.
 */
export class ChangeReader {
  private readonly parts: ReaderParts;
  private readonly sources = new Map<string, RunningSource>();
  private turn: Promise<void> = Promise.resolve();

  constructor(parts: ReaderParts) {
    this.parts = parts;
  }

  /**
   * Takes over what a config says. Resolves once what is no longer followed as it was is fenced: then no entry that
   * was made under another mapping is answered.
   */
  apply(configs: Readonly<Record<string, ChangeSourceConfig>>): Promise<void> {
    const run = () => this.change(configs);
    this.turn = this.turn.then(run, run);
    return this.turn;
  }

  /** As `GET /v1/changes` shows them. */
  describe(): SourceDescription[] {
    return [...this.sources.values()].map((source) => source.describe());
  }

  /** `POST /v1/changes/NAME`. Null: there is no such source, or nothing can be posted to it. */
  push(name: string, request: PushRequest): Promise<PushReply> | null {
    return this.sources.get(name)?.push(request) ?? null;
  }

  async close(why: string): Promise<void> {
    await Promise.all([...this.sources.values()].map((source) => source.close(why)));
  }

  async stop(): Promise<void> {
    const sources = [...this.sources.values()];
    this.sources.clear();
    await Promise.all(sources.map((source) => source.stop()));
  }

  private async change(configs: Readonly<Record<string, ChangeSourceConfig>>): Promise<void> {
    this.parts.board.follow(configs);
    const gone = [...this.sources].filter(([name, { config }]) => !isEqual(config, configs[name]));
    await Promise.all(gone.map(([name, source]) => this.retire(name, source)));
    for (const [name, config] of Object.entries(configs)) {
      if (this.sources.has(name)) continue;
      const source = new RunningSource(config, this.parts);
      this.sources.set(name, source);
      await source.start();
    }
  }

  /** What it fed is known to be right up to here alone. */
  private async retire(name: string, source: RunningSource): Promise<void> {
    this.sources.delete(name);
    await source.stop();
    const families = compileFamilies(source.config).map((family) => family.name);
    // Where the shared log is away, this node holds it all the same, and the next reader fences for all.
    await this.parts.sequence
      .invalidate({ tags: families, prefixes: [], all: false, soft: false })
      .catch(() => {});
  }
}

function isEqual(one: ChangeSourceConfig, other: ChangeSourceConfig | undefined): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
