import type { HostCertificate, Proofs } from '../acme/index.ts';
import type { SharedSeen } from '../auth/index.ts';
import type { SourceNews, WriteNote } from '../changes/index.ts';
import type { NodeClients } from '../http1/index.ts';
import {
  type Logger,
  logTo,
  type Moves,
  type NewsEntry,
  type RecentRequest,
  type WantedRequests,
} from '../telemetry/index.ts';
import type {
  BreakerChange,
  DrainedTarget,
  HealthReport,
  TargetEjection,
  Upstreams,
} from '../upstream/index.ts';
import type { Clock } from '../util/clock.ts';
import {
  type FenceNews,
  type SeenName,
  type Standing,
  TOPICS,
  type WorkerBus,
  type WorkerCacheState,
  type WorkerState,
} from '../workers/index.ts';

/** How long a request waits for what other workers have seen; ms. */
const SEEN_PATIENCE = 500;

/** What a node tells a gateway that is one of its workers, and asks it. */
export interface NodeMember {
  readonly upstreams: Upstreams;
  state(): WorkerState;
  cacheState(): WorkerCacheState;
  recentRequests(wanted: WantedRequests): RecentRequest[];
  reopenLogs(): void;
  /** Null: the node is ready. */
  hearUnready(why: string | null): void;
  hearFence(news: FenceNews): unknown;
  hearChanges(news: readonly SourceNews[]): void;
  hearWrite(note: WriteNote): void;
  showCertificates(all: readonly HostCertificate[]): void;
  prove(proofs: Proofs): void;
}

/**
 * Follows what the supervisor and the other workers find out, and tells them of targets. Resolves when it is known what
 * the node has drained, holds to be out, shows and proves: before that nothing may be taken in.
 */
export async function joinNode(bus: WorkerBus, member: NodeMember): Promise<void> {
  tellOfTargets(bus, member.upstreams);
  followTargets(bus, member.upstreams);
  bus.on(TOPICS.state, () => member.state());
  bus.on(TOPICS.cache, () => member.cacheState());
  bus.on(TOPICS.requests, (wanted) => member.recentRequests(wanted as WantedRequests));
  bus.on(TOPICS.reopen, () => member.reopenLogs());
  bus.on(TOPICS.fences, (news) => member.hearFence(news as FenceNews));
  bus.on(TOPICS.writes, (note) => member.hearWrite(note as WriteNote));
  const hearChanges = (news: unknown) => member.hearChanges(news as SourceNews[]);
  bus.on(TOPICS.changes, hearChanges);
  bus.ask(TOPICS.changes, null).then(hearChanges, () => {});
  await Promise.all([
    learnWhatStands(bus, member.upstreams),
    follow(bus, TOPICS.drained, (targets) => member.upstreams.drain(targets as DrainedTarget[])),
    follow(bus, TOPICS.ready, (why) => member.hearUnready(why as string | null)),
    follow(bus, TOPICS.certificates, (all) => member.showCertificates(all as HostCertificate[])),
    follow(bus, TOPICS.proofs, (proofs) => member.prove(proofs as Proofs)),
  ]);
}

function tellOfTargets(bus: WorkerBus, upstreams: Upstreams): void {
  const tell = (topic: string, value: unknown) => void bus.ask(topic, value).catch(() => {});
  upstreams.news = {
    ejected: (ejection) => tell(TOPICS.ejected, ejection),
    returned: (service, target) => tell(TOPICS.returned, { service, target } satisfies DrainedTarget),
    breaker: (change) => tell(TOPICS.breaker, change),
    failed: (service) => tell(TOPICS.failed, service),
  };
}

function followTargets(bus: WorkerBus, upstreams: Upstreams): void {
  const hear = (reports: unknown) => {
    for (const { service, target, up, why } of reports as HealthReport[])
      upstreams.reportHealth(service, target, up, why);
  };
  bus.on(TOPICS.health, hear);
  bus.ask(TOPICS.health, null).then(hear, () => {});
  bus.on(TOPICS.ejected, (ejection) => upstreams.reportEjected(ejection as TargetEjection));
  bus.on(TOPICS.breaker, (change) => upstreams.reportBreaker(change as BreakerChange));
  bus.on(TOPICS.failed, (service) => upstreams.reportFailed(service as string));
}

/**
 * What the other workers, or those before it, had found out when this one came; once it knows its targets. Where nobody
 * tells, it finds out by itself.
 */
async function learnWhatStands(bus: WorkerBus, upstreams: Upstreams): Promise<void> {
  await upstreams.ready();
  const standing = (await bus.ask(TOPICS.standing, null).catch(() => null)) as Standing | null;
  const { ejected, breakers } = standing ?? { ejected: [], breakers: [] };
  for (const ejection of ejected) upstreams.reportEjected(ejection);
  for (const { ago, ...change } of breakers) upstreams.reportBreaker(change, ago);
}

/** Hears of a topic from now on, and first where it stands; resolves then, and rejects where nobody tells. */
async function follow(bus: WorkerBus, topic: string, hear: (value: unknown) => void): Promise<void> {
  let told = false;
  bus.on(topic, (value) => {
    told = true;
    hear(value);
  });
  const answer = await bus.ask(topic, null);
  // News that came together with the answer is newer than it.
  if (!told) hear(answer);
}

/** A supervisor that can't be told is gone, and its series with it. */
export function tellSeries(bus: WorkerBus, moves: Moves): void {
  bus.ask(TOPICS.series, moves).catch(() => {});
}

/** The log of what other workers find out, too: the node tells it once. */
export function newsOnNode(bus: WorkerBus): Logger {
  return logTo((level, message, fields) => {
    bus.ask(TOPICS.news, { level, message, fields } satisfies NewsEntry).catch(() => {});
  });
}

/** What any worker of this node has seen: its supervisor knows. */
export function seenOnNode(bus: WorkerBus, clock: Clock): SharedSeen {
  return async (name, ms) => {
    try {
      const asked: SeenName = { name, until: clock.wall() + ms };
      return (await bus.ask(TOPICS.seen, asked, SEEN_PATIENCE)) === true ? 'first' : 'again';
    } catch {
      return 'away';
    }
  };
}

/** Connections of clients at any worker of this node: its supervisor counts them. */
export function clientsOnNode(bus: WorkerBus): NodeClients {
  return {
    entered: async (client) => {
      const count = await bus.ask(TOPICS.clientEntered, client).catch(() => null);
      return typeof count === 'number' ? count : null;
    },
    left: (client) => void bus.ask(TOPICS.clientLeft, client).catch(() => {}),
  };
}
