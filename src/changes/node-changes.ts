import { type Note, type NoteHearer, placeOf } from '../cache/index.ts';
import type { CacheConfig, ChangeSourceConfig } from '../config/model.ts';
import type { LinkParts } from '../redis/index.ts';
import { type BoardParts, SourceBoard } from './board.ts';
import type { PushReply, PushRequest } from './contract.ts';
import type { OpenMemory } from './memory.ts';
import type { SourceNews } from './news.ts';
import type { ChangeReader, ReaderParts, SourceDescription } from './reader/index.ts';
import { NodeWrites, type NodeWritesParts } from './writes/index.ts';

export type NodeChangesParts = Omit<ReaderParts, 'memory' | 'shared' | 'board' | 'readsAlone'> &
  BoardParts &
  NodeWritesParts &
  Pick<LinkParts, 'news'>;

/** What of a config decides which changes are followed, and for whom. */
export interface FollowedConfig {
  readonly changes: Readonly<Record<string, ChangeSourceConfig>>;
  readonly cache: CacheConfig;
}

/** The change sources of a node, whether its config has any or not: what reads them is loaded with the first. */
export class NodeChanges implements NoteHearer {
  private readonly parts: NodeChangesParts;
  private readonly board: SourceBoard;
  private readonly writes: NodeWrites;
  private reader: ChangeReader | null = null;
  private memory: OpenMemory | null = null;
  /** Of the cache that is kept right. */
  private place = '';
  private turn: Promise<void> = Promise.resolve();
  private stopped = false;

  constructor(parts: NodeChangesParts) {
    this.parts = parts;
    this.board = new SourceBoard(parts);
    this.writes = new NodeWrites(parts);
  }

  foretold(notes: readonly Note[]): void {
    this.board.foretold(notes);
  }

  noted(notes: readonly Note[], held: Promise<unknown>): void {
    this.board.noted(notes, held);
  }

  standing(all: ReadonlyMap<string, string> | null, held: Promise<unknown>): void {
    this.board.standing(all, held);
  }

  /**
   * At the start, and whenever another config is in force; after the sequence follows it. Resolves once what is
   * followed otherwise now is fenced.
   */
  follow(config: FollowedConfig): Promise<void> {
    const run = () => this.change(config);
    this.turn = this.turn.then(run, run);
    return this.turn;
  }

  /** What an invalidation has unseated, as each worker has counted it: for people to see. */
  counted(answers: readonly unknown[]): void {
    const { feed } = this.board;
    if (feed === null) return;
    for (const answer of answers) if (Array.isArray(answer) && answer.length > 0) feed.counted(answer);
  }

  /** A client has written through this node. Resolves once its next read can't miss that. */
  wrote(source: string, key: string): Promise<void> {
    return this.writes.wrote(source, key);
  }

  /** As `GET /v1/changes` shows them. */
  describe(): SourceDescription[] {
    return this.reader?.describe() ?? [];
  }

  /** For a worker that has just started. */
  news(): SourceNews[] {
    return this.board.news();
  }

  /** `POST /v1/changes/NAME`. Null: there is no such source, or nothing can be posted to it. */
  push(name: string, request: PushRequest): Promise<PushReply> | null {
    return this.reader?.push(name, request) ?? null;
  }

  /** Another process takes over: from here on nothing that the sources feed is answered from this one's cache. */
  async handOver(): Promise<void> {
    await this.reader?.close('another process takes over');
    await this.stop();
  }

  async stop(): Promise<void> {
    this.stopped = true;
    await this.turn.catch(() => {});
    await this.reader?.stop();
    await this.writes.stop();
    await this.memory?.close();
    this.board.stop();
  }

  private async change({ changes, cache }: FollowedConfig): Promise<void> {
    if (this.stopped || (this.reader === null && Object.keys(changes).length === 0)) return;
    const place = placeOf(cache);
    if (this.reader === null || place !== this.place) await this.begin(cache, place);
    await this.writes.follow(changes, cache);
    await this.reader!.apply(changes);
  }

  private async begin(cache: CacheConfig, place: string): Promise<void> {
    await this.reader?.stop();
    await this.memory?.close();
    const { ChangeReader } = await import('./reader/index.ts');
    const { openMemory } = await import('./memory.ts');
    this.memory = await openMemory(cache, this.parts);
    this.place = place;
    const { parts, memory, board } = this;
    const shared = cache.redis !== null;
    const readsAlone = cache.maxUnsynced === Number.POSITIVE_INFINITY;
    this.reader = new ChangeReader({ ...parts, memory, board, shared, readsAlone });
  }
}

/** The sequence that the sources need is there before them. */
export function notesTo(changes: () => NodeChanges): NoteHearer {
  return {
    foretold: (notes) => changes().foretold(notes),
    noted: (notes, held) => changes().noted(notes, held),
    standing: (all, held) => changes().standing(all, held),
  };
}
