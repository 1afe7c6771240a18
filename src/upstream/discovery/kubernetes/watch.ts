import type { IncomingMessage } from 'node:http';
import type { KubernetesDiscoverConfig } from '../../../config/model.ts';
import type { Random } from '../../../util/random.ts';
import { Backoff } from '../backoff.ts';
import type { Discovered } from '../source.ts';
import { POD } from './access.ts';
import { EndpointSliceApi } from './api.ts';
import { linesOf } from './lines.ts';
import { Refusal } from './refusal.ts';
import { Slices } from './slices.ts';
import { targetsOf } from './targets.ts';

/** In ms. Replaced in tests. */
export interface KubernetesTimes {
  /** To the end of a list, and to the head of a watch. */
  readonly grace: number;
  /** A watch that says nothing for so long is taken for dead: the API sends a bookmark about once a minute. */
  readonly silence: number;
  /** One that ends sooner without a word was no watch. */
  readonly shortest: number;
}

const TIMES: KubernetesTimes = { grace: 10_000, silence: 90_000, shortest: 1_000 };

/**
 * Follows a service by its EndpointSlices: a list, and a watch that goes on from where the list ends. A watch that
 * ends is taken up where it ended; after trouble the slices are listed anew.
 */
export class KubernetesWatch {
  private readonly config: KubernetesDiscoverConfig;
  private readonly api: EndpointSliceApi;
  private readonly slices: Slices;
  private readonly backoff: Backoff;
  private readonly times: KubernetesTimes;
  /** The slices are whole: a watch can go on from them. */
  private listed = false;
  /** No list could be had that is no older than what is known. */
  private lost = false;
  private watching = false;
  /** Something has changed while nobody was waiting for it. */
  private news = false;
  private waiting: Discovered | null = null;

  constructor(config: KubernetesDiscoverConfig, random: Random, times = TIMES, pod = POD) {
    this.config = config;
    this.api = new EndpointSliceApi(config, random, pod, times.grace);
    this.slices = new Slices(config);
    this.backoff = new Backoff(random);
    this.times = times;
  }

  /** The first time, and after an end, at once; else as soon as something has changed since. */
  ask(done: Discovered, signal: AbortSignal): void {
    this.waiting = done;
    if (!this.watching) void this.watch(signal);
    else if (this.news) this.tell();
  }

  private async watch(signal: AbortSignal): Promise<void> {
    this.watching = true;
    try {
      if (!this.listed) await this.list(signal);
      const events = await this.api.watch(this.slices.version, signal);
      this.tell();
      await this.follow(events);
      this.rest();
    } catch (error) {
      if (this.listed && isGone(error)) this.restAnew();
      else this.fail(error as Error);
    }
  }

  private async list(signal: AbortSignal): Promise<void> {
    this.slices.replace(await this.api.list(this.lost ? null : this.slices.version, signal));
    this.listed = true;
    this.lost = false;
  }

  private async follow(events: IncomingMessage): Promise<void> {
    const begun = performance.now();
    let heard = false;
    const silence = setTimeout(() => events.destroy(), this.times.silence).unref();
    try {
      for await (const lines of linesOf(events)) {
        silence.refresh();
        heard = true;
        for (const line of lines) this.slices.apply(line);
        this.backoff.reset();
        this.tell();
      }
    } catch (error) {
      if (!isOfConnection(error)) throw error;
    } finally {
      clearTimeout(silence);
      events.destroy();
    }
    if (!heard && performance.now() - begun < this.times.shortest)
      throw new Error('each watch is ended at once: does something between here and the API cut it?');
    this.backoff.reset();
  }

  /** The watch is over, as each is sooner or later. */
  private rest(): void {
    this.watching = false;
    this.tell(this.backoff.shortest());
  }

  /** What has changed since the last word is no longer known to the API. */
  private restAnew(): void {
    this.listed = false;
    this.rest();
  }

  private fail(error: Error): void {
    this.watching = false;
    this.listed = false;
    // A version of before etcd was restored is in the future, and one that is long gone can't be had either.
    this.lost = isGone(error) || (error instanceof Refusal && error.status === 504);
    this.answer((done) => done(error, [], this.backoff.next()));
  }

  private tell(again = 0): void {
    this.news = true;
    this.answer((done) => {
      this.news = false;
      const found = targetsOf(this.slices.all, this.config);
      if (found instanceof Error) done(found, [], again);
      else done(null, found, again);
    });
  }

  /** Each who asks hears once. */
  private answer(by: (done: Discovered) => void): void {
    const { waiting } = this;
    this.waiting = null;
    if (waiting !== null) by(waiting);
  }
}

function isGone(error: unknown): boolean {
  return error instanceof Refusal && error.status === 410;
}

/** It has broken, or was ended for its silence. */
function isOfConnection(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code !== undefined;
}
