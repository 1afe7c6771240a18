import { type BodySink, type BodySource, isSource } from '../../http/body.ts';
import type { Exchange, Reply, SpanContext, StepTrace } from '../../http/exchange.ts';
import type { Clock, Timer } from '../../util/clock.ts';
import { drop } from './answers.ts';
import type { Out } from './contract.ts';

/** Nobody waits for its end; its place is another's after so long, in ms. */
const LONGEST = 60_000;

/** Takes the answer to a fill that no client has asked for: reads what is stored to its end, and lets go of the rest. */
export class Refill<T> implements Out<T>, BodySink {
  private readonly trace: StepTrace | null;
  private readonly maxSize: number;
  private readonly clock: Clock;
  private readonly timer: Timer;
  private readonly done: () => void;
  private readonly retry: () => void;
  private source: BodySource | null = null;
  private size = 0;
  private over = false;

  /**
   * @param retry The answer that it waited for was none to its request.
   * @param done Called once, unless `retry` is.
   */
  constructor(
    trace: StepTrace | null,
    { maxSize, clock }: { maxSize: number; clock: Clock },
    retry: () => void,
    done: () => void,
  ) {
    this.trace = trace;
    this.maxSize = maxSize;
    this.clock = clock;
    this.retry = retry;
    this.done = done;
    this.timer = clock.after(LONGEST, () => this.conclude(true));
  }

  joined(fill: SpanContext): void {
    this.trace?.link(fill);
  }

  again(): void {
    if (this.settle(true)) this.retry();
  }

  finish(asking: Exchange, answer: Reply): void {
    const { hit, stored, collapsed } = asking.cache ?? {};
    const isKept = hit === true || stored === true || collapsed === true;
    if (this.over || !isKept) {
      drop(asking, answer);
      return this.conclude(answer.failure !== null);
    }
    if (!isSource(answer.body)) return this.conclude(false);
    this.source = answer.body;
    answer.body.open(this);
  }

  write(chunk: Buffer): boolean {
    this.size += chunk.length;
    if (this.size <= this.maxSize) return true;
    this.conclude(true);
    return false;
  }

  end(): void {
    this.conclude(false);
  }

  fail(): void {
    this.conclude(true);
  }

  private conclude(failed: boolean): void {
    this.source?.cancel();
    if (this.settle(failed)) this.done();
  }

  private settle(failed: boolean): boolean {
    if (this.over) return false;
    this.over = true;
    this.clock.cancel(this.timer);
    this.trace?.end(failed);
    return true;
  }
}
