import { monitorEventLoopDelay } from 'node:perf_hooks';

/** How a worker is doing. */
export interface ProcessState {
  /** Seconds that its event loop was late, in 99 of 100 looks since it was last asked. */
  readonly delay: number;
  /** Bytes. */
  readonly heap: number;
  readonly resident: number;
}

/** Milliseconds between two looks at the event loop. */
const RESOLUTION = 20;

/** Watches this process. The owner stops it. */
export class ProcessWatch {
  private readonly delay: ReturnType<typeof monitorEventLoopDelay> = monitorEventLoopDelay({
    resolution: RESOLUTION,
  });

  constructor() {
    this.delay.enable();
  }

  state(): ProcessState {
    const late = this.delay.count === 0 ? 0 : this.delay.percentile(99) / 1e9 - RESOLUTION / 1000;
    this.delay.reset();
    const { heapUsed: heap, rss: resident } = process.memoryUsage();
    return { delay: Math.max(0, late), heap, resident };
  }

  stop(): void {
    this.delay.disable();
  }
}
