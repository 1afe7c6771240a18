import { setTimeout as pause } from 'node:timers/promises';
import { type SeededRandom, seededRandom } from '../../../src/testkit/index.ts';
import { entryOf, type Node, purge, SLACK, TIMEOUT, urlOf } from './stage.ts';

const KEYS = 12;

/**
 * Readers, fillers and changers on all nodes at once, over an origin whose values only ever grow: whoever reads less
 * than what a change that was said to be done had written, has read what was purged.
 */
export class Workload {
  /** What went wrong. */
  readonly stale: string[] = [];
  hits = 0;
  reads = 0;
  changes = 0;
  refused = 0;
  /** Reads that took longer than they may. */
  late = 0;
  private readonly nodes: readonly Node[];
  private readonly random: SeededRandom;
  private readonly mutated: boolean;
  private readonly origin = new Array<number>(KEYS).fill(0);
  /** By key: the value that every node has to answer at least, and by node what that one has to. */
  private readonly applied = new Array<number>(KEYS).fill(0);
  private readonly appliedOn = new Map<Node, number[]>();
  private readonly loops: Promise<void>[];
  private stopped = false;

  /** @param mutated Takes the fence after the origin was read: the mistake that this is to find. */
  constructor(nodes: readonly Node[], seed: number, mutated = false) {
    this.nodes = nodes;
    this.mutated = mutated;
    this.random = seededRandom(seed);
    for (const node of nodes) this.appliedOn.set(node, new Array<number>(KEYS).fill(0));
    this.loops = nodes.flatMap((node) => [
      ...[0, 1, 2, 3].map(() => this.repeat(() => this.readOrFill(node))),
      this.repeat(() => this.change(node)),
    ]);
  }

  async stop(): Promise<void> {
    this.stopped = true;
    await Promise.all(this.loops);
  }

  /** Runs on until `count` more reads were hits. */
  async moreHits(count: number): Promise<void> {
    const goal = this.hits + count;
    const end = performance.now() + 10_000;
    while (this.hits < goal) {
      if (performance.now() > end) throw new Error(`only ${this.hits} of ${goal} hits`);
      await pause(5);
    }
  }

  private async repeat(step: () => Promise<void>): Promise<void> {
    while (!this.stopped) {
      await step();
      await pause(this.random.below(4));
    }
  }

  private async readOrFill(node: Node): Promise<void> {
    const key = this.random.below(KEYS);
    const least = Math.max(this.applied[key]!, this.appliedOn.get(node)![key]!);
    const inTime = this.watch();
    const read = await node.read(`k${key}`);
    inTime();
    this.reads++;
    if (read === null) return await this.fill(node, key);
    this.hits++;
    if (Number(read) < least)
      this.stale.push(`k${key} on node ${this.nodes.indexOf(node)}: ${read}, not ${least}`);
  }

  /** By a timer of the same event loop, so that a machine that is busy with something else makes nothing late. */
  private watch(): () => void {
    let done = false;
    const timer = setTimeout(
      () =>
        setImmediate(() => {
          if (!done) this.late++;
        }),
      TIMEOUT + SLACK,
    );
    return () => {
      done = true;
      clearTimeout(timer);
    };
  }

  private async fill(node: Node, key: number): Promise<void> {
    const before = node.fences.sequence;
    await pause(this.random.below(3));
    const value = this.origin[key]!;
    await pause(this.random.below(6));
    const sequence = this.mutated ? node.fences.sequence : before;
    const body = Buffer.from(String(value));
    node.store.put(`k${key}`, entryOf({ sequence, tags: [`t${key}`], body }), urlOf(`k${key}`));
  }

  private async change(node: Node): Promise<void> {
    await pause(10);
    const key = this.random.below(KEYS);
    const value = ++this.origin[key]!;
    this.changes++;
    try {
      await node.sequence.invalidate(purge({ tags: [`t${key}`] }));
      this.applied[key] = Math.max(this.applied[key]!, value);
    } catch {
      this.refused++;
    }
    const here = this.appliedOn.get(node)!;
    here[key] = Math.max(here[key]!, value);
  }
}
