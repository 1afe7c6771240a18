import type {
  BreakerChange,
  DrainedTarget,
  ServiceDescription,
  TargetEjection,
  TargetMode,
} from '../upstream/index.ts';
import type { Clock } from '../util/clock.ts';
import { type Standing, TOPICS } from './bus-topics.ts';
import type { Channel } from './channel.ts';
import type { ConfigOutline } from './config-reading.ts';
import type { NodeEvents } from './node-events.ts';

/** A worker tells that a time out is over when it is: so long, in ms, it is still waited for. */
const GRACE = 60_000;

export interface NodeTargetsParts {
  readonly clock: Clock;
  readonly events: NodeEvents;
  broadcast(topic: string, value: unknown): Promise<unknown>;
  /** Tells all workers but the one at the other end of the channel; waits for none. */
  tellOthers(channel: Channel, topic: string, value: unknown): void;
  /** Every service as all workers together know it. */
  services(): Promise<ServiceDescription[]>;
}

/** What a node knows of targets beyond what its checks find: what workers tell each other, and what is drained. */
export class NodeTargets {
  private readonly parts: NodeTargetsParts;
  private readonly ejected = new Map<string, { ejection: TargetEjection; until: number }>();
  /** What was heard last of each breaker. */
  private readonly changes = new Map<string, { change: BreakerChange; at: number }>();
  private readonly breakers = new Map<string, string>();
  private drained: readonly DrainedTarget[] = [];

  constructor(parts: NodeTargetsParts) {
    this.parts = parts;
  }

  /** What workers tell and ask. */
  serve(channel: Channel): void {
    channel.on(TOPICS.ejected, (ejection) => this.heardEjected(ejection as TargetEjection));
    channel.on(TOPICS.returned, (target) => this.heardReturned(target as DrainedTarget));
    channel.on(TOPICS.breaker, (change) => {
      this.parts.tellOthers(channel, TOPICS.breaker, change);
      return this.heardBreaker(change as BreakerChange);
    });
    channel.on(TOPICS.failed, (service) => this.parts.tellOthers(channel, TOPICS.failed, service));
    channel.on(TOPICS.drained, () => this.drained);
    channel.on(TOPICS.standing, () => this.standing());
  }

  /** For a worker that comes, or a successor. */
  standing(): Standing {
    const now = this.parts.clock.now();
    const ejected = [...this.ejected.values()].filter(({ until }) => until > now);
    const breakers = [...this.changes.values()].filter(({ change }) => change.state !== 'closed');
    return {
      ejected: ejected.map(({ ejection, until }) => ({ ...ejection, forMs: until - now })),
      breakers: breakers.map(({ change, at }) => ({ ...change, ago: now - at })),
    };
  }

  /**
   * Drains a target, or takes it in again; resolves once every worker does so. Null: no service has such a target.
   *
   * @param target Its name, or its host and port alone where that tells it apart.
   */
  async steer(service: string, target: string, mode: TargetMode): Promise<DrainedTarget | null> {
    const found = targetIn(await this.parts.services(), service, target);
    if (found === null) return null;
    const others = this.drained.filter((other) => !isSame(other, found));
    const was: TargetMode = others.length < this.drained.length ? 'drain' : 'active';
    this.drained = mode === 'drain' ? [...others, found] : others;
    await this.parts.broadcast(TOPICS.drained, this.drained);
    const state = mode === 'drain' ? 'out' : 'in';
    const why = mode === 'drain' ? 'drained by an operator' : 'taken in again by an operator';
    if (was !== mode) this.parts.events.publish('health', { ...found, state, why });
    return found;
  }

  /** What a new config does not have is forgotten: under that name it would be another target. */
  follow({ targets }: ConfigOutline): void {
    const stays = ({ service, target }: DrainedTarget) => {
      const names = Object.hasOwn(targets, service) ? targets[service] : [];
      return names === null || names!.includes(target);
    };
    const left = this.drained.filter(stays);
    if (left.length === this.drained.length) return;
    this.drained = left;
    void this.parts.broadcast(TOPICS.drained, left);
  }

  /** For a successor. */
  get inDrain(): readonly DrainedTarget[] {
    return this.drained;
  }

  /** What a predecessor had drained and knew; before workers ask. */
  inherit({ drained, standing }: { drained: readonly DrainedTarget[]; standing: Standing }): void {
    const now = this.parts.clock.now();
    this.drained = drained;
    for (const ejection of standing.ejected)
      this.ejected.set(keyOf(ejection), { ejection, until: now + ejection.forMs });
    for (const { ago, ...change } of standing.breakers)
      this.changes.set(change.service, { change, at: now - ago });
  }

  private heardEjected(ejection: TargetEjection): void {
    const { service, target, forMs, why } = ejection;
    const now = this.parts.clock.now();
    for (const [key, { until }] of this.ejected) if (until + GRACE < now) this.ejected.delete(key);
    this.ejected.set(keyOf(ejection), { ejection, until: now + forMs });
    const seconds = Math.round(forMs / 1000);
    this.parts.events.publish('health', { service, target, state: 'out', why, seconds });
    void this.parts.broadcast(TOPICS.ejected, ejection);
  }

  /** Every worker tells of it: the first is believed. */
  private heardReturned(target: DrainedTarget): void {
    if (!this.ejected.delete(keyOf(target))) return;
    this.parts.events.publish('health', { ...target, state: 'in', why: 'its time out is over' });
  }

  /** Each worker has a breaker of its own, which follows the others; the worst of them is shown. */
  private async heardBreaker(change: BreakerChange): Promise<void> {
    const { service } = change;
    this.changes.set(service, { change, at: this.parts.clock.now() });
    const found = (await this.parts.services()).find(({ name }) => name === service);
    if (found === undefined || found.breaker === (this.breakers.get(service) ?? 'closed')) return;
    this.breakers.set(service, found.breaker);
    this.parts.events.publish('breaker', { service, state: found.breaker });
  }
}

function targetIn(
  services: readonly ServiceDescription[],
  service: string,
  target: string,
): DrainedTarget | null {
  const names = services.find(({ name }) => name === service)?.targets.map(({ name }) => name) ?? [];
  const short = names.filter((name) => authorityOf(name) === target);
  const found = names.includes(target) ? target : short.length === 1 ? short[0]! : null;
  return found === null ? null : { service, target: found };
}

function authorityOf(name: string): string {
  return /^[a-z]+:\/\/([^/]*)/.exec(name)?.[1] ?? name;
}

function isSame(a: DrainedTarget, b: DrainedTarget): boolean {
  return a.service === b.service && a.target === b.target;
}

function keyOf({ service, target }: DrainedTarget): string {
  return `${service} ${target}`;
}
