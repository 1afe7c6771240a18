import { lookup, resolve4, resolve6, resolveSrv } from 'node:dns';
import type { DiscoverConfig } from '../config/model.ts';
import type { Clock, Timer } from '../util/clock.ts';

/** A place that a name stands for now. */
export interface DiscoveredTarget {
  readonly host: string;
  readonly port: number;
  readonly weight: number;
}

/** Asks once; hands back what the name stands for, and for how many ms. Replaced in tests. */
export type Discover = (
  config: DiscoverConfig,
  done: (error: Error | null, targets: DiscoveredTarget[], ttl: number) => void,
) => void;

const SHORTEST = 1_000;
const LONGEST = 300_000;
/** Where an answer doesn't say how long it holds: the hosts file, and SRV records as Node gives them. */
const USUAL = 10_000;

/**
 * Follows a name: asks again when its answer has run out. The last good answer stays in force for as long as
 * none can be had, so that a name server that is away takes no service with it.
 */
export class Discovery {
  private readonly config: DiscoverConfig;
  private readonly clock: Clock;
  private readonly discover: Discover;
  private timer: Timer | null = null;
  private closed = false;
  private known: readonly DiscoveredTarget[] = [];
  private answered = false;
  private readonly waiting: (() => void)[] = [];
  /** Told when the places have changed. */
  onChange: (() => void) | null = null;
  lastError: string | null = null;

  constructor(config: DiscoverConfig, clock: Clock, discover: Discover = askDns) {
    this.config = config;
    this.clock = clock;
    this.discover = discover;
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

  close(): void {
    this.closed = true;
    if (this.timer !== null) this.clock.cancel(this.timer);
    this.timer = null;
  }

  private ask(): void {
    this.timer = null;
    this.discover(this.config, (error, targets, ttl) => {
      if (this.closed) return;
      this.lastError = error?.message ?? null;
      const wait = error === null ? Math.min(Math.max(ttl, SHORTEST), LONGEST) : SHORTEST;
      this.timer = this.clock.after(wait, () => this.ask());
      if (error === null && targets.length > 0) this.take(targets);
      this.answered = true;
      for (const done of this.waiting.splice(0)) done();
    });
  }

  private take(targets: DiscoveredTarget[]): void {
    const sorted = [...targets].sort((a, b) => a.host.localeCompare(b.host) || a.port - b.port);
    if (JSON.stringify(sorted) === JSON.stringify(this.known)) return;
    this.known = sorted;
    this.onChange?.();
  }
}

const askDns: Discover = (config, done) =>
  config.type === 'SRV' ? askSrv(config, done) : askAddresses(config, done);

/** Of SRV records those of the lowest priority count (RFC 2782); they bring their own ports and weights. */
function askSrv({ name }: DiscoverConfig, done: Parameters<Discover>[1]): void {
  resolveSrv(name, (error, records) => {
    if (error !== null) return done(error, [], 0);
    const first = Math.min(...records.map(({ priority }) => priority));
    const targets = records
      .filter(({ priority }) => priority === first)
      .map((record) => ({ host: record.name, port: record.port, weight: Math.max(record.weight, 1) }));
    done(null, targets, USUAL);
  });
}

/** DNS with its TTL; a name that only the system knows (the hosts file) as that tells it. */
function askAddresses({ name, port }: DiscoverConfig, done: Parameters<Discover>[1]): void {
  const target = (host: string): DiscoveredTarget => ({ host, port, weight: 1 });
  resolve4(name, { ttl: true }, (error4, four) => {
    resolve6(name, { ttl: true }, (error6, six) => {
      const records = [...(error4 === null ? four : []), ...(error6 === null ? six : [])];
      if (records.length > 0) {
        const ttl = Math.min(...records.map((record) => record.ttl)) * 1000;
        return done(
          null,
          records.map(({ address }) => target(address)),
          ttl,
        );
      }
      lookup(name, { all: true }, (error, found) => {
        if (error !== null) return done(error, [], 0);
        done(
          null,
          found.map(({ address }) => target(address)),
          USUAL,
        );
      });
    });
  });
}
