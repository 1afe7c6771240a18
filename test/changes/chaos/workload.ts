import { setTimeout as pause } from 'node:timers/promises';
import { positionsOf } from '../../../src/changes/positions/index.ts';
import type { ChangeReaderConfig } from '../../../src/config/model.ts';
import { type SeededRandom, seededRandom, until } from '../../../src/testkit/index.ts';
import { type FollowedDatabase, ROWS } from './databases.ts';
import type { DeployedNode } from './deployment.ts';

/** What a node may lag behind one that has said that a change is applied, ms: `maxUnsynced`. */
const UNSYNCED = 1000;

interface Written {
  readonly id: number;
  readonly value: number;
  readonly position: unknown;
}

/**
 * Writers, readers, and clients that ask how far each node has come, all at once. A read that is older than a change
 * which its node had said is applied before the read began, is stale; as is one on another node a second later.
 */
export class Workload {
  readonly stale: string[] = [];
  reads = 0;
  hits = 0;
  writes = 0;
  failures = 0;
  /** Reads with `tidegate-after` that were answered by what was cached, and that went past it. */
  readonly after = { reached: 0, behind: 0 };
  private readonly database: FollowedDatabase;
  private readonly nodes: readonly DeployedNode[];
  private readonly random: SeededRandom;
  private readonly written: Written[] = [];
  /** By node and row: what the node has said is applied. */
  private readonly applied: Map<DeployedNode, number[]>;
  /** By row: what any node has said, and when. */
  private readonly anywhere: { value: number; at: number }[][];
  private readonly kind: ReturnType<typeof positionsOf>;
  private loops: Promise<void>[] = [];
  private stopped = false;

  constructor(database: FollowedDatabase, nodes: readonly DeployedNode[], seed: number) {
    this.database = database;
    this.nodes = nodes;
    this.random = seededRandom(seed);
    this.applied = new Map(nodes.map((node) => [node, new Array<number>(ROWS + 1).fill(0)]));
    this.anywhere = Array.from({ length: ROWS + 1 }, () => [{ value: 0, at: 0 }]);
    this.kind = positionsOf({ kind: database.kind } as ChangeReaderConfig);
  }

  start(): void {
    const rows = Array.from({ length: ROWS }, (_, i) => i + 1);
    // Half of the rows change often, the others seldom, so that there is something to hit.
    const writers = rows.map((id) => this.repeat(() => this.write(id), id % 2 === 0 ? 20 : 400));
    const readers = this.nodes.flatMap((node) => [
      ...[1, 2, 3].map(() => this.repeat(() => this.read(node), 3)),
      this.repeat(() => this.readAfter(node), 30),
      this.repeat(() => this.ask(node), 10),
    ]);
    this.loops = [...writers, ...readers];
  }

  async stop(): Promise<void> {
    this.stopped = true;
    await Promise.all(this.loops);
  }

  /** All is quiet again: every node must come to answer what the database has, and hits at that. */
  async settle(): Promise<void> {
    for (const node of this.nodes) {
      for (let id = 1; id <= ROWS; id++) {
        await this.write(id);
        const { value } = await this.database.bump(id);
        await until(
          async () => {
            const got = await node.read(id).catch(() => null);
            return got !== null && got.value === value && got.cache.includes('hit');
          },
          `row ${id} to be answered anew on a node`,
          20_000,
        );
      }
    }
  }

  summary(): string {
    const { reads, hits, writes, failures, after } = this;
    return `${reads} reads (${hits} hits), ${writes} changes, ${this.stale.length} stale; ${after.reached} of ${after.reached + after.behind} reads with tidegate-after in time; ${failures} failed while something was down`;
  }

  private async repeat(step: () => Promise<void>, rest: number): Promise<void> {
    while (!this.stopped) {
      await step();
      await pause(rest * (0.5 + this.random.number()));
    }
  }

  private async write(id: number): Promise<void> {
    try {
      const { value, position } = await this.database.bump(id);
      this.written.push({ id, value, position: this.kind.parse(position) });
      this.writes++;
    } catch {
      this.failures++;
    }
  }

  private async read(node: DeployedNode): Promise<void> {
    const id = 1 + this.random.below(ROWS);
    const least = this.least(node, id);
    const got = await node.read(id).catch(() => null);
    this.judge(node, id, got, least, '');
  }

  /** A client that has written asks for what it wrote. */
  private async readAfter(node: DeployedNode): Promise<void> {
    const id = 1 + this.random.below(ROWS);
    const before = this.least(node, id);
    const wrote = await this.database.bump(id).catch(() => null);
    if (wrote === null) return;
    this.writes++;
    const got = await node.read(id, wrote.position).catch(() => null);
    this.judge(node, id, got, Math.max(before, wrote.value), ` with tidegate-after ${wrote.position}`);
    if (got?.status !== 200) return;
    if (got.cache.includes('behind')) this.after.behind++;
    else {
      this.after.reached++;
      this.proven(node, id, wrote.value);
    }
  }

  private judge(
    node: DeployedNode,
    id: number,
    got: Awaited<ReturnType<DeployedNode['read']>> | null,
    least: number,
    how: string,
  ): void {
    if (got === null || got.status !== 200) {
      this.failures++;
      return;
    }
    this.reads++;
    if (got.cache.includes('hit')) this.hits++;
    if (got.value >= least) return;
    this.stale.push(
      `row ${id} on node ${this.nodes.indexOf(node)}${how}: ${got.value}, not ${least} (${got.cache})`,
    );
  }

  /** How far has a node come? */
  private async ask(node: DeployedNode): Promise<void> {
    const state = await node.state().catch(() => null);
    if (state === null || state.position === null) return;
    const position = this.kind.parse(state.position);
    if (position === null) return;
    const left = this.written.splice(0);
    for (const one of left) {
      if (one.position !== null && this.kind.covers(position, one.position))
        this.proven(node, one.id, one.value);
      this.written.push(one);
    }
    while (this.written.length > 400) this.written.shift();
  }

  private proven(node: DeployedNode, id: number, value: number): void {
    const here = this.applied.get(node)!;
    here[id] = Math.max(here[id]!, value);
    const all = this.anywhere[id]!;
    if (all.at(-1)!.value < value) all.push({ value, at: performance.now() });
    while (all.length > 1000) all.shift();
  }

  private least(node: DeployedNode, id: number): number {
    const due = performance.now() - UNSYNCED;
    const anywhere = this.anywhere[id]!.findLast(({ at }) => at < due)?.value ?? 0;
    return Math.max(this.applied.get(node)![id]!, anywhere);
  }
}
