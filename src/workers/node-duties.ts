import { NodeCertificates } from '../acme/index.ts';
import { type Invalidation, NodeSequence } from '../cache/index.ts';
import { NodeChanges } from '../changes/index.ts';
import { type Logger, type Moves, type NewsEntry, Series, SharedNews } from '../telemetry/index.ts';
import { ActiveChecks } from '../upstream/index.ts';
import type { Clock } from '../util/clock.ts';
import { systemRandom } from '../util/random.ts';
import { SeenNames } from '../util/seen-names.ts';
import { type SeenName, type SequenceNews, TOPICS, type Wrote } from './bus-topics.ts';
import type { Channel } from './channel.ts';
import type { ConfigOutline } from './config-reading.ts';
import { holdersOf } from './fence-holders.ts';
import type { Fleet } from './fleet.ts';
import { NodeClients } from './node-clients.ts';
import { NodeEvents } from './node-events.ts';
import { NodeTargets } from './node-targets.ts';
import { Readiness } from './readiness.ts';

/** What is done once on a node, for all of its workers: they ask it over the bus, and are told over it. */
export class NodeDuties {
  readonly events: NodeEvents;
  readonly series: Series;
  readonly targets: NodeTargets;
  readonly readiness: Readiness;
  /** Numbers the invalidations of this node. */
  readonly sequence: NodeSequence;
  /** Reads the change sources. */
  readonly changes: NodeChanges;
  /** Gets the certificates that no file holds. */
  readonly certificates: NodeCertificates;
  private readonly checks: ActiveChecks;
  /** What counts once on this node. */
  private readonly seen = new SeenNames();
  private readonly clients = new NodeClients();
  private readonly clock: Clock;
  /** What workers find out alike, and the log is told once. */
  private readonly news: SharedNews;

  constructor(fleet: Fleet, clock: Clock, log: Logger) {
    const random = systemRandom;
    this.clock = clock;
    this.news = new SharedNews(log, clock);
    const news = this.news.log;
    this.events = new NodeEvents(clock.wall());
    this.series = new Series(clock);
    this.series.onSample((sample) => this.events.pass('sample', sample));
    this.checks = new ActiveChecks(clock, random, (report) => {
      const { service, target, up, why } = report;
      this.events.publish('health', { service, target, state: up ? 'in' : 'out', why });
      void fleet.broadcast(TOPICS.health, [report]);
    });
    this.targets = new NodeTargets({
      clock,
      events: this.events,
      broadcast: (topic, value) => fleet.broadcast(topic, value),
      tellOthers: (channel, topic, value) => fleet.tellOthers(channel, topic, value),
      services: () => fleet.services(),
    });
    this.readiness = new Readiness(clock, (why) => void fleet.broadcast(TOPICS.ready, why));
    this.sequence = new NodeSequence(
      holdersOf(fleet, () => this.changes),
      { clock, log, news, random },
    );
    this.changes = new NodeChanges({
      clock,
      log,
      news,
      random,
      sequence: this.sequence,
      announce: (news) => fleet.broadcast(TOPICS.changes, news),
      announceWrites: (note) => fleet.broadcast(TOPICS.writes, note),
      publish: ({ type, data }) => this.events.publish(type, data),
    });
    this.certificates = new NodeCertificates({
      clock,
      log,
      random,
      show: (all) => fleet.broadcast(TOPICS.certificates, all),
      prove: (proofs) => fleet.broadcast(TOPICS.proofs, proofs),
    });
  }

  /** What one worker asks and tells. */
  serve(channel: Channel): void {
    this.targets.serve(channel);
    this.clients.serve(channel);
    channel.on(TOPICS.health, () => this.checks.reports());
    channel.on(TOPICS.ready, () => this.readiness.why);
    channel.on(TOPICS.invalidate, (what) => this.sequence.invalidate(what as Invalidation));
    channel.on(TOPICS.sequence, () => this.sequenceNews());
    channel.on(TOPICS.changes, () => this.changes.news());
    channel.on(TOPICS.wrote, (wrote) => {
      const { source, key } = wrote as Wrote;
      return this.changes.wrote(source, key);
    });
    channel.on(TOPICS.certificates, () => this.certificates.certificates);
    channel.on(TOPICS.proofs, () => this.certificates.proofs);
    channel.on(TOPICS.news, (entry) => this.news.tell(entry as NewsEntry));
    channel.on(TOPICS.series, (moves) => this.series.add(moves as Moves));
    channel.on(TOPICS.seen, (asked) => {
      const { name, until } = asked as SeenName;
      return this.seen.isNew(name, until, this.clock.wall());
    });
  }

  /** From now on invalidations are numbered as the config says. */
  async number({ cache, queryRules }: ConfigOutline): Promise<void> {
    await this.sequence.follow(cache, queryRules);
  }

  /** What the first config says, once workers serve it. */
  async begin(outline: ConfigOutline): Promise<void> {
    await this.followChanges(outline);
    this.checks.apply(outline.checks);
    this.certificates.follow(outline.acme);
  }

  /** What the config says that has come in its place. */
  follow(outline: ConfigOutline): void {
    this.certificates.follow(outline.acme);
    this.checks.apply(outline.checks);
    this.targets.follow(outline);
    void this.followChanges(outline);
  }

  /** Requests are welcome at once, where `awaited` is false, else as soon as the sources are followed. */
  welcome(awaited: boolean): void {
    if (awaited) this.readiness.welcomeOnce(() => this.missing());
    else this.readiness.set(null);
  }

  /** Once no worker is left. */
  async stop(): Promise<void> {
    this.checks.stop();
    this.series.stop();
    this.readiness.stop();
    await this.certificates.stop();
    await this.changes.stop();
    await this.sequence.close();
  }

  private async followChanges(outline: ConfigOutline): Promise<void> {
    await this.number(outline);
    await this.changes.follow(outline);
  }

  private sequenceNews(): SequenceNews {
    const { sequence: number, connected } = this.sequence.state();
    const { at: place } = this.sequence;
    return { number, distrust: connected === false, syncedFor: this.sequence.syncedFor(), place };
  }

  /** A source that is stopped does not come by itself: nobody waits for it. */
  private missing(): string | null {
    const waits = this.changes.describe().filter(({ state }) => state === 'connecting' || state === 'lost');
    return waits.length === 0 ? null : `not followed yet: ${waits.map(({ name }) => name).join(', ')}`;
  }
}
