import { Unavailable } from '../../cache/index.ts';
import type { Clock } from '../../util/clock.ts';
import type { Random } from '../../util/random.ts';
import type { ChangeBatch } from '../contract.ts';
import type { ToldRows } from '../feed.ts';
import type { Settling } from '../news.ts';

/** Tags written as one; a batch by itself may have more. */
const MOST_TAGS = 5000;
const FIRST_PAUSE = 50;
const LONGEST_PAUSE = 1000;

export class Stopped extends Error {}

/** What is told to all nodes beside fences. */
export interface Said {
  /** All up to here is proven with these fences. */
  readonly position?: string;
  readonly begins?: Settling;
  readonly ends?: string;
  readonly changed?: ToldRows;
  /** The same is fenced once more, when the database shows it to everyone. */
  readonly early?: true;
}

export interface FenceQueueParts {
  /** Rejects with an `Unavailable` where it is to be tried again. */
  invalidate(tags: readonly string[], said: Said): Promise<void>;
  clock: Clock;
  random: Random;
  /** Milliseconds after which the tags of a batch are fenced once more; 0: never. */
  settle: number;
  /** From now on nothing that carries these tags is to be stored. Resolves once that holds. */
  settling(tags: readonly string[]): Promise<Settling>;
  settled(id: string): void;
  /** A batch is applied; called in order. */
  applied(batch: ChangeBatch): void;
}

interface Waiting {
  readonly batch: ChangeBatch;
  /** Of the first of those that were written as one: what settles once they are applied. */
  settling: Settling | null;
  /** Its position was told with its fences: it could be seen before they were set. */
  proven: boolean;
  resolve(): void;
  reject(error: Error): void;
}

/**
 * Sets the fences of batches: when each arrives, and again once the database lets everyone see it. What comes while
 * a write is under way is gathered and written as one, so that a burst costs few writes and a lone change no wait.
 */
export class FenceQueue {
  private readonly parts: FenceQueueParts;
  private readonly arrived: Waiting[] = [];
  private readonly unseen: Waiting[] = [];
  private readonly settling = new Set<object>();
  private writing = false;
  private watching = false;
  private stopped: Stopped | null = null;
  private readonly pauses = new Set<{ timer: object; wake(): void }>();

  constructor(parts: FenceQueueParts) {
    this.parts = parts;
  }

  /** Commit time of the oldest batch that is not applied yet; null where there is none, or it isn't known. */
  get oldest(): number | null {
    return (this.unseen[0] ?? this.arrived[0])?.batch.committedAt ?? null;
  }

  get empty(): boolean {
    return this.waiting === 0;
  }

  /** Batches that are not applied yet. */
  get waiting(): number {
    return this.arrived.length + this.unseen.length;
  }

  apply(batch: ChangeBatch): Promise<void> {
    if (this.stopped !== null) return Promise.reject(this.stopped);
    return new Promise((resolve, reject) => {
      this.arrived.push({ batch, settling: null, proven: false, resolve, reject });
      if (!this.writing) void this.write();
    });
  }

  /** One invalidation, tried until it is durable. */
  async fence(tags: readonly string[], said: Said = {}): Promise<void> {
    for (let pause = FIRST_PAUSE; ; pause = Math.min(pause * 2, LONGEST_PAUSE)) {
      if (this.stopped !== null) throw this.stopped;
      try {
        return await this.parts.invalidate(tags, said);
      } catch (error) {
        if (!(error instanceof Unavailable)) throw error;
        await this.pause(pause * (0.5 + this.parts.random.number() / 2));
      }
    }
  }

  stop(): void {
    this.stopped ??= new Stopped('the source was stopped');
    for (const timer of this.settling) this.parts.clock.cancel(timer);
    for (const { timer, wake } of this.pauses) {
      this.parts.clock.cancel(timer);
      wake();
    }
    for (const { reject } of [...this.arrived.splice(0), ...this.unseen.splice(0)]) reject(this.stopped);
  }

  private async write(): Promise<void> {
    this.writing = true;
    try {
      while (this.arrived.length > 0) {
        const group = this.nextGroup();
        const tags = tagsOf(group);
        if (this.parts.settle > 0 && tags.length > 0) group[0]!.settling = await this.parts.settling(tags);
        const proven = this.unseen.length === 0 && group.every(({ batch }) => batch.visible === undefined);
        await this.fence(tags, {
          ...(group[0]!.settling === null ? {} : { begins: group[0]!.settling }),
          ...(proven ? proofOf(group) : {}),
          ...(tags.length > 0 && group.every(isFencedAgain) ? { early: true } : {}),
        });
        for (const waiting of group) waiting.proven = proven;
        this.unseen.push(...this.arrived.splice(0, group.length));
        if (!this.watching) void this.watch();
      }
    } catch (error) {
      this.fail(error as Error);
    } finally {
      this.writing = false;
    }
  }

  private async watch(): Promise<void> {
    this.watching = true;
    try {
      while (this.unseen.length > 0) {
        const group = [...this.unseen];
        await Promise.all(group.map(({ batch }) => batch.visible?.()));
        await this.prove(group);
        if (this.stopped !== null) return;
        this.unseen.splice(0, group.length);
        for (const { batch, resolve } of group) {
          this.parts.applied(batch);
          resolve();
        }
        for (const waiting of group) this.settleLater(waiting);
      }
    } catch (error) {
      this.fail(error as Error);
    } finally {
      this.watching = false;
    }
  }

  /** Fences once more what can be seen only now. */
  private async prove(group: readonly Waiting[]): Promise<void> {
    if (group.at(-1)!.proven) return;
    const unseen = group.filter(isFencedAgain);
    await this.fence(tagsOf(unseen), proofOf(group));
  }

  /** Left in the queue while they are written, so that `oldest` sees them. */
  private nextGroup(): Waiting[] {
    const group: Waiting[] = [];
    let tags = 0;
    for (const waiting of this.arrived) {
      tags += waiting.batch.touched.tags.size;
      if (group.length > 0 && tags > MOST_TAGS) break;
      group.push(waiting);
    }
    return group;
  }

  /** Origins that read from a replica may have handed out old rows until then. */
  private settleLater({ settling }: Waiting): void {
    const { settle, clock, settled } = this.parts;
    if (settling === null) return;
    const timer = clock.after(settle, () => {
      this.settling.delete(timer);
      this.fence(settling.tags, { ends: settling.id }).then(
        () => settled(settling.id),
        () => {},
      );
    });
    this.settling.add(timer);
  }

  /** The transactions go to nobody: their source must read them again. */
  private fail(error: Error): void {
    for (const { settling, reject } of [...this.arrived.splice(0), ...this.unseen.splice(0)]) {
      if (settling !== null) this.parts.settled(settling.id);
      reject(error);
    }
  }

  private pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const pause = {
        timer: this.parts.clock.after(ms, () => pause.wake()),
        wake: () => {
          this.pauses.delete(pause);
          resolve();
        },
      };
      this.pauses.add(pause);
    });
  }
}

/** With its tags, where it has any. */
const isFencedAgain = ({ batch }: Waiting) => batch.visible !== undefined || batch.touched.tags.size === 0;

/** What is told once a group is applied. */
function proofOf(group: readonly Waiting[]): Said {
  const position = group.at(-1)!.batch.position;
  const told = group.filter(({ proven }) => !proven);
  const count = told.reduce((sum, { batch }) => sum + batch.touched.events, 0);
  if (count === 0) return { position };
  const rows = told.flatMap(({ batch: { touched, committedAt } }) =>
    touched.rows.map((row) => ({ ...row, commitMs: committedAt })),
  );
  return { position, changed: { rows, count } };
}

function tagsOf(group: readonly Waiting[]): string[] {
  if (group.length === 1) return [...group[0]!.batch.touched.tags];
  const tags = new Set<string>();
  for (const { batch } of group) for (const tag of batch.touched.tags) tags.add(tag);
  return [...tags];
}
