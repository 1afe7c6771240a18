import { acmeListeners, NodeCertificates } from './acme/index.ts';
import { NodeSequence, queryRules } from './cache/index.ts';
import { type ChangeEvent, NodeChanges, notesTo } from './changes/index.ts';
import type { GatewayConfig } from './config/model.ts';
import { createGateway, type Gateway, OwnListeners, SYNC_EVERY } from './gateway/index.ts';
import { Counters, createLogger, type Logger, SharedNews, silentLogger } from './telemetry/index.ts';
import { ActiveChecks, checkPlans } from './upstream/index.ts';
import { type Clock, systemClock, type Timer } from './util/clock.ts';
import { keepStringsQuick } from './util/quick-strings.ts';
import { type Random, systemRandom } from './util/random.ts';

export interface StartOptions {
  /** What paths in the config are relative to. Default: the current folder. */
  folder?: string;
  /** `true`: the gateway's usual log on standard output. Default: silent. */
  log?: boolean | Logger;
  clock?: Clock;
  random?: Random;
  /** Hears of each change of a followed database, once it is applied, and of each change of a source's state. */
  onChange?: (event: ChangeEvent) => void;
}

/** A gateway that runs in the caller's process. */
export interface RunningGateway {
  /** Those of the config in force. */
  readonly listeners: readonly { name: string; host: string; port: number }[];
  /**
   * Swaps in another config: opens the addresses that are new, drains those that are gone. Rejects, and has changed
   * nothing, with a `ConfigError` if it is not valid, and where an address can't be listened on.
   */
  reload(definition: object): Promise<void>;
  /** Drains as the config's `drain` says. Resolves once nothing of the gateway is left. */
  close(): Promise<{ cut: number }>;
}

/** Everything that is wrong with a config, as text for people; `issues` for programs. */
export class ConfigError extends Error {
  readonly issues: readonly unknown[];

  constructor(report: string, issues: readonly unknown[]) {
    super(report);
    this.name = 'ConfigError';
    this.issues = issues;
  }
}

/**
 * Starts a gateway in this process, from what `defineGateway` gives.
 *
 * @throws ConfigError; the system's error where an address can't be listened on
 */
export async function startGateway(definition: object, options: StartOptions = {}): Promise<RunningGateway> {
  keepStringsQuick();
  const config = await read(definition, options);
  const clock = options.clock ?? systemClock;
  const random = options.random ?? systemRandom;
  const log = loggerOf(options.log);
  const news = new SharedNews(log, clock).log;
  const gateway = createGateway({
    config,
    clock,
    random,
    log,
    news,
    counters: new Counters(),
    invalidate: (what) => sequence.invalidate(what),
    wrote: (source, key) => changes.wrote(source, key),
  });
  const sequence: NodeSequence = new NodeSequence(
    {
      apply: async (number, what) => changes.counted([gateway.hearFence({ number, what })]),
      raiseFloor: async (number) => void gateway.hearFence({ number, what: null }),
      reset: async () => void gateway.hearFence({ reset: true }),
      notes: notesTo(() => changes),
    },
    { clock, random, log, news },
  );
  const changes: NodeChanges = new NodeChanges({
    clock,
    random,
    log,
    news,
    sequence,
    announce: async (news) => gateway.hearChanges(news),
    announceWrites: async (note) => gateway.hearWrite(note),
    ...(options.onChange === undefined ? {} : { publish: options.onChange }),
  });
  const certificates = new NodeCertificates({
    clock,
    random,
    log,
    show: async (all) => gateway.showCertificates(all),
    prove: async (proofs) => gateway.prove(proofs),
  });
  await sequence.follow(config.cache, queryRules(config));
  await changes.follow(config);
  await certificates.prepare(acmeListeners(config));
  const syncing = followSync(gateway, sequence, clock);
  const checks = new ActiveChecks(clock, random, ({ service, target, up, why }) =>
    gateway.upstreams.reportHealth(service, target, up, why),
  );
  checks.apply(checkPlans(config));
  const listeners = new OwnListeners(gateway);
  try {
    await listeners.start(config.listen);
  } catch (error) {
    checks.stop();
    syncing.stop();
    await changes.stop();
    await gateway.drain(0);
    await sequence.close();
    throw error;
  }
  certificates.follow(acmeListeners(config));
  let { drain } = config;
  let closed = false;
  return {
    get listeners() {
      return listeners.shown;
    },
    async reload(next) {
      const fresh = await read(next, options);
      if (closed) throw new Error('the gateway is closed: start another');
      await certificates.prepare(acmeListeners(fresh));
      await listeners.move(fresh.listen, () => gateway.reload(fresh));
      drain = fresh.drain;
      certificates.follow(acmeListeners(fresh));
      await sequence.follow(fresh.cache, queryRules(fresh));
      await changes.follow(fresh);
      syncing.tell();
      checks.apply(checkPlans(fresh));
    },
    async close() {
      closed = true;
      checks.stop();
      syncing.stop();
      await certificates.stop();
      const ended = await gateway.drain(drain.timeout);
      await changes.stop();
      await sequence.close();
      return ended;
    },
  };
}

/** Tells the cache, again and again, how long it may answer tagged entries. */
function followSync(gateway: Gateway, sequence: NodeSequence, clock: Clock): { tell(): void; stop(): void } {
  let timer: Timer | null = null;
  const stop = () => {
    if (timer !== null) clock.cancel(timer);
    timer = null;
  };
  const tell = () => {
    stop();
    const left = sequence.syncedFor();
    gateway.cache.startAt(sequence.state().sequence);
    gateway.cache.syncedTo(left === null ? Number.POSITIVE_INFINITY : clock.now() + left);
    if (left !== null) timer = clock.after(SYNC_EVERY, tell);
  };
  tell();
  return { tell, stop };
}

async function read(definition: object, options: StartOptions): Promise<GatewayConfig> {
  const { loadObject, renderIssues } = await import('./config/index.ts');
  const loaded = loadObject(definition, options.folder ?? process.cwd());
  if (loaded.config === null)
    throw new ConfigError(renderIssues(loaded.issues, loaded.source, { colour: false }), loaded.issues);
  if (loaded.config.workers !== 1) {
    throw new ConfigError(
      'workers: a gateway in your own process is one worker; leave it out, or use `tidegate run`',
      [],
    );
  }
  return loaded.config;
}

function loggerOf(log: StartOptions['log']): Logger {
  if (log === true) return createLogger();
  return log === undefined || log === false ? silentLogger : log;
}
