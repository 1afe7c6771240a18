import type { DiscoverConfig } from '../../config/model.ts';
import type { Clock, Timer } from '../../util/clock.ts';
import { inTime } from '../../util/in-time.ts';
import type { Random } from '../../util/random.ts';
import { ConsulWatch } from './consul.ts';
import { DnsWatch } from './dns.ts';
import { KubernetesWatch } from './kubernetes/watch.ts';
import { type Discover, type DiscoveredTarget, NothingThere } from './source.ts';

export interface DiscoveryParts {
  readonly clock: Clock;
  readonly random: Random;
  /** Told why nothing can be found, and null once something is again. `lasting`: what was known last goes on. */
  readonly tell?: (trouble: string | null, lasting: boolean) => void;
  /** In force until the first answer. */
  readonly known?: readonly DiscoveredTarget[];
}

const SHORTEST = 1_000;
const LONGEST = 300_000;
/** What asks once waits no longer. */
const LONGEST_ONCE = 15_000;

/**
 * Follows a name: asks again when its answer has run out. The last good answer stays in force for as long as
 * none can be had, so that a name server that is away takes no service with it.
 */
export class Discovery {
  readonly config: DiscoverConfig;
  private readonly parts: DiscoveryParts;
  private readonly discover: Discover;
  private readonly closing = new AbortController();
  private timer: Timer | null = null;
  private known: readonly DiscoveredTarget[];
  private answered = false;
  private readonly waiting: (() => void)[] = [];
  /** Told when the places have changed. */
  onChange: (() => void) | null = null;
  lastError: string | null = null;

  constructor(config: DiscoverConfig, parts: DiscoveryParts, discover: Discover = sourceOf(config, parts)) {
    this.config = config;
    this.parts = parts;
    this.discover = discover;
    this.known = parts.known ?? [];
    this.ask();
  }

  get targets(): readonly DiscoveredTarget[] {
    return this.known;
  }

  /** Calls back once there was a first answer, good or bad. */
  whenAnswered(done: () => void): void {
    if (this.answered) done();
    else this.waiting.push(done);
  }

  /** Ends what is asked, too. */
  close(): void {
    this.closing.abort();
    if (this.timer !== null) this.parts.clock.cancel(this.timer);
    this.timer = null;
  }

  private ask(): void {
    const { signal } = this.closing;
    this.timer = null;
    this.discover(
      this.config,
      (error, targets, again) => {
        if (signal.aborted) return;
        const wait = Math.min(Math.max(again, SHORTEST), LONGEST);
        this.timer = this.parts.clock.after(wait, () => this.ask());
        this.judge(error);
        if (error === null || error instanceof NothingThere) this.take(targets);
        this.answered = true;
        for (const done of this.waiting.splice(0)) done();
      },
      signal,
    );
  }

  /** Trouble is told of once, until it is over. */
  private judge(error: Error | null): void {
    const before = this.lastError;
    this.lastError = error?.message ?? null;
    if ((before === null) === (error === null)) return;
    this.parts.tell?.(this.lastError, !(error instanceof NothingThere));
  }

  private take(targets: DiscoveredTarget[]): void {
    const sorted = [...targets].sort((a, b) => a.host.localeCompare(b.host) || a.port - b.port);
    if (JSON.stringify(sorted) === JSON.stringify(this.known)) return;
    this.known = sorted;
    this.onChange?.();
  }
}

/** Where a name stands now, asked for once. */
export function discoverOnce(
  config: DiscoverConfig,
  { clock, random }: DiscoveryParts,
): Promise<DiscoveredTarget[]> {
  const closing = new AbortController();
  const found = new Promise<DiscoveredTarget[]>((resolve, reject) => {
    const heard = (error: Error | null, targets: DiscoveredTarget[]) =>
      error === null ? resolve(targets) : reject(error);
    sourceOf(config, { clock, random })(config, heard, closing.signal);
  });
  const late = () => {
    throw new Error(`no answer in ${LONGEST_ONCE} ms`);
  };
  return inTime(clock, LONGEST_ONCE, found, late).finally(() => closing.abort());
}

function sourceOf(
  config: DiscoverConfig,
  { clock, random }: Pick<DiscoveryParts, 'clock' | 'random'>,
): Discover {
  if (config.kind === 'dns') {
    const names = new DnsWatch(config, clock);
    return (_config, done) => names.ask(done);
  }
  const watch =
    config.kind === 'consul' ? new ConsulWatch(config, random) : new KubernetesWatch(config, random);
  return (_config, done, signal) => watch.ask(done, signal);
}
