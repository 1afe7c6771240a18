import type { Socket } from 'node:net';
import type { Explained, ExplainRequest } from '../snapshot/index.ts';
import { addRows, type Logger, type RecentRequest, settle, type WantedRequests } from '../telemetry/index.ts';
import { mergeDescriptions, type ServiceDescription } from '../upstream/index.ts';
import type { Clock } from '../util/clock.ts';
import { Backoff } from './backoff.ts';
import { TOPICS } from './bus-topics.ts';
import type { CachesTold, WorkerCacheState } from './cache-view.ts';
import { type Channel, RemoteError } from './channel.ts';
import { NodeCounts, type Told } from './node-counts.ts';
import type { AuthOutcomes, WorkerState } from './node-metrics.ts';
import { type Desired, WorkerProcess } from './worker-process.ts';

const WATCHDOG_TICK = 1000;
/** Ticks of silence after which a worker counts as hung. Ticks, not time: they stop when this process does. */
const SILENT_TICKS = 10;
/** How long a reload waits for its slowest worker. */
const RELOAD_PATIENCE = 5000;
const ACKNOWLEDGE_PATIENCE = 500;

export interface FleetOptions {
  entry: URL;
  clock: Clock;
  log: Logger;
  /** Answers what workers ask over the bus. */
  onRequest: (channel: Channel) => void;
  /** Set where the config is a program that each worker loads itself. */
  codeFile: string | null;
}

/** The worker processes: started, watched, replaced, reloaded, told, drained. */
export class Fleet {
  private readonly options: FleetOptions;
  private readonly log: Logger;
  /** By number, from 1. A retired worker is in `all` alone. */
  private readonly current = new Map<number, WorkerProcess>();
  private readonly all = new Set<WorkerProcess>();
  private readonly backoff = new Backoff();
  /** What workers that are gone have counted. */
  private readonly legacy = new Map<string, Float64Array>();
  private readonly counts = new NodeCounts();
  private desired: Desired = { version: 0, config: null, listeners: new Map() };
  private running = false;
  private watchdog: NodeJS.Timeout | undefined;

  constructor(options: FleetOptions) {
    this.options = options;
    this.log = options.log;
  }

  /** Workers that serve now. */
  get readyCount(): number {
    return [...this.current.values()].filter((worker) => worker.ready).length;
  }

  /** Process ids of the serving workers, by their number. */
  pids(): Map<number, number | undefined> {
    return new Map([...this.current].map(([number, worker]) => [number, worker.pid]));
  }

  /** Forks a worker that waits to be told what to run: it boots while the config is read. */
  fork(number = 1): WorkerProcess {
    const worker = new WorkerProcess(this.options.entry, number, this.options.clock, this.options.onRequest);
    this.all.add(worker);
    void worker.gone.then((how) => this.died(worker, how));
    return worker;
  }

  /** Brings up `count` workers, the first of them already forked; rejects if one can't start. */
  async start(desired: Desired, count: number, first: WorkerProcess): Promise<void> {
    this.desired = desired;
    this.passOn(desired.listeners);
    for (let number = 1; number <= count; number++)
      this.current.set(number, number === 1 ? first : this.fork(number));
    await Promise.all([...this.current.values()].map((worker) => this.bringUp(worker, worker === first)));
    this.running = true;
    this.watchdog = setInterval(() => this.watch(), WATCHDOG_TICK).unref();
  }

  /**
   * Swaps the config on all workers: on one first, and if that one can't, on none. Resolves when all have it,
   * or the slow ones have been waited for long enough.
   */
  async reload(desired: Desired): Promise<void> {
    const before = this.desired;
    const workers = [...this.current.values()].filter((worker) => !worker.dead);
    const first = workers.toSorted((a, b) => a.silence - b.silence)[0];
    if (first !== undefined) {
      try {
        await first.converge(desired);
      } catch (error) {
        await first.converge(before).catch(() => first.kill());
        throw error;
      }
    }
    this.desired = desired;
    this.passOn(desired.listeners);
    const others = workers.filter((worker) => worker !== first).map((worker) => this.follow(worker, desired));
    await withinTime(Promise.all(others), RELOAD_PATIENCE);
  }

  /** Replaces every worker by a fresh one, one after another; `first` has loaded the config already. */
  async roll(desired: Desired, first: WorkerProcess): Promise<void> {
    const before = this.desired;
    this.desired = desired;
    try {
      await first.converge(desired);
    } catch (error) {
      this.desired = before;
      first.kill();
      throw error;
    }
    this.passOn(desired.listeners);
    this.succeed(first);
    for (const number of this.current.keys()) {
      if (number === first.number) continue;
      const fresh = this.fork(number);
      try {
        await this.bringUp(fresh);
        this.succeed(fresh);
      } catch (error) {
        this.log.error('a fresh worker could not take over; the old one goes on', { worker: number, error });
        fresh.kill();
      }
    }
  }

  private succeed(fresh: WorkerProcess): void {
    const old = this.current.get(fresh.number);
    this.current.set(fresh.number, fresh);
    if (old !== undefined) void this.retire(old);
  }

  /**
   * Tells every worker. Resolves when each has acknowledged, is gone, or is sure to know that its lease has run
   * out: until it acknowledges it gets no other.
   */
  async broadcast(topic: string, value: unknown, patience = ACKNOWLEDGE_PATIENCE): Promise<unknown[]> {
    return await Promise.all([...this.all].map((worker) => this.tell(worker, topic, value, patience)));
  }

  /** Tells every worker but one, and waits for none: what is worth little to who hears it late. */
  tellOthers(than: Channel, topic: string, value: unknown): void {
    for (const { channel } of this.all)
      if (channel !== than) channel.call('broadcast', { topic, value }).catch(() => {});
  }

  /** Counters of all routes, summed over the workers there are and were. */
  async counters(): Promise<Map<string, Float64Array>> {
    await Promise.all([...this.all].map((worker) => worker.count()));
    // One that died meanwhile has left what it counted, and must not be counted twice.
    const sum = new Map([...this.legacy].map(([name, row]) => [name, row.slice()]));
    for (const { counted } of this.all) addRows(sum, counted);
    return sum;
  }

  /** Every service as all workers together know it. */
  async services(): Promise<ServiceDescription[]> {
    const told = await this.askAll((worker) => worker.services());
    const services = mergeDescriptions(told.map(([, own]) => own ?? []));
    this.counts.inServices(services, told);
    return services;
  }

  /** What each worker that can say so tells of its cache, and what all have counted. */
  async caches(): Promise<CachesTold> {
    const told = await this.askAll((worker) => worker.ask(TOPICS.cache) as Promise<WorkerCacheState>);
    return { states: present(told), counts: this.counts.ofCaches(told) };
  }

  /** Requests that workers remember; the newest first. */
  async recent(wanted: WantedRequests): Promise<RecentRequest[]> {
    const told = await Promise.all([...this.all].map((worker) => worker.ask(TOPICS.requests, wanted)));
    const all = told.flatMap((found) => (found as RecentRequest[] | undefined) ?? []);
    return all.sort((a, b) => (a.at < b.at ? 1 : -1)).slice(0, wanted.limit);
  }

  /** How each worker that can say so is doing, and what providers made of credentials in all of them. */
  async states(): Promise<{ workers: WorkerState[]; auth: AuthOutcomes }> {
    const told = await this.askAll((worker) => worker.ask(TOPICS.state) as Promise<WorkerState>);
    const auth = this.counts.ofProviders(told.map(([worker, state]) => [worker, state?.auth] as const));
    return { workers: present(told), auth };
  }

  private askAll<T>(question: (worker: WorkerProcess) => Promise<T | undefined>): Promise<Told<T>> {
    return Promise.all([...this.all].map(async (worker) => [worker, await question(worker)] as const));
  }

  /** Any worker that serves can tell what would become of a request. */
  async explain(request: ExplainRequest): Promise<Explained> {
    const worker = [...this.current.values()].find(({ ready, dead }) => ready && !dead);
    if (worker === undefined) throw new Error('no worker is ready');
    return worker.explain(request);
  }

  /** Ends all workers within `timeout` ms; resolves with the number of connections that had to be cut. */
  async drain(timeout: number): Promise<number> {
    this.running = false;
    clearInterval(this.watchdog);
    const cut = await Promise.all([...this.all].map((worker) => worker.drain(timeout)));
    return cut.reduce((sum, count) => sum + count, 0);
  }

  /** Ends all workers now. */
  async kill(): Promise<void> {
    this.running = false;
    clearInterval(this.watchdog);
    const workers = [...this.all];
    for (const worker of workers) worker.kill();
    await Promise.all(workers.map((worker) => worker.gone));
  }

  private async bringUp(worker: WorkerProcess, loaded = false): Promise<void> {
    if (this.options.codeFile !== null && !loaded) await worker.load(this.options.codeFile);
    await worker.converge(this.desired);
  }

  private async follow(worker: WorkerProcess, desired: Desired): Promise<void> {
    try {
      await worker.converge(desired);
    } catch (error) {
      if (worker.dead) return;
      this.log.error('a worker could not take over the new config and is replaced', {
        worker: worker.number,
        error,
      });
      worker.kill();
    }
  }

  private async retire(worker: WorkerProcess): Promise<void> {
    if (worker.dead) return;
    worker.retired = true;
    await worker.drain(Number.POSITIVE_INFINITY);
  }

  private died(worker: WorkerProcess, how: string): void {
    this.all.delete(worker);
    addRows(this.legacy, worker.counted);
    settle(this.legacy);
    if (!this.running || this.current.get(worker.number) !== worker) return;
    const wait = this.backoff.wait(this.options.clock.now());
    const fields = { worker: worker.number, pid: worker.pid, ...(wait > 0 ? { replacedInMs: wait } : {}) };
    this.log.warn(`a worker ${how} and is replaced`, fields);
    setTimeout(() => void this.replace(worker.number), wait).unref();
  }

  private async replace(number: number): Promise<void> {
    if (!this.running) return;
    const worker = this.fork(number);
    this.current.set(number, worker);
    try {
      await this.bringUp(worker);
      this.log.info('the new worker serves', { worker: number, pid: worker.pid });
    } catch (error) {
      if (worker.dead || !this.running) return;
      this.log.error('a worker could not start', { worker: number, error });
      worker.kill();
    }
  }

  private watch(): void {
    for (const worker of this.all) {
      if (++worker.silence <= SILENT_TICKS) continue;
      this.log.error('a worker has not responded for 10 s and is killed', {
        worker: worker.number,
        pid: worker.pid,
      });
      worker.kill();
    }
  }

  /** What the worker has answered; undefined where it has not. */
  private async tell(
    worker: WorkerProcess,
    topic: string,
    value: unknown,
    patience: number,
  ): Promise<unknown> {
    let acknowledged = false;
    let answer: unknown;
    const heard = worker.channel.call('broadcast', { topic, value }).then(
      (given) => {
        acknowledged = true;
        answer = given;
      },
      (error) => {
        if (!(error instanceof RemoteError)) return;
        // It knows that something changed but not what: it may not go on.
        this.log.error('a worker failed to follow a change and is replaced', {
          worker: worker.number,
          topic,
          error,
        });
        worker.kill();
      },
    );
    const over = Promise.race([heard, worker.gone]);
    await withinTime(over, patience);
    if (acknowledged || worker.dead) return answer;
    worker.lease.withhold();
    void heard.then(() => worker.lease.restore());
    await withinTime(over, worker.lease.left());
    return answer;
  }

  /** Only where handles can't be handed over: each connection goes to the next worker. */
  private passOn(listeners: Desired['listeners']): void {
    let turn = 0;
    for (const [name, listener] of listeners) {
      if (listener.handle !== null) continue;
      listener.onConnection = (socket: Socket) => {
        const ready = [...this.current.values()].filter((worker) => worker.ready);
        const next = ready[turn++ % ready.length];
        if (next === undefined) socket.destroy();
        else next.pass(name, socket);
      };
    }
  }
}

function present<T>(told: Told<T>): T[] {
  return told.flatMap(([, own]) => (own === undefined ? [] : [own]));
}

async function withinTime(work: Promise<unknown>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([work, late]);
  clearTimeout(timer);
}
