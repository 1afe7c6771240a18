import {
  lookup,
  NODATA,
  NOTFOUND,
  type RecordWithTtl,
  resolve4,
  resolve6,
  resolveSrv,
  type SrvRecord,
} from 'node:dns';
import type { DnsDiscoverConfig } from '../../config/model.ts';
import type { Clock, Timer } from '../../util/clock.ts';
import { type Discovered, type DiscoveredTarget, NothingThere } from './source.ts';

/** Where an answer doesn't say how long it holds: the hosts file, and SRV records as Node gives them. */
const USUAL = 10_000;

/** How name servers are asked. Replaced in tests. */
export type NameServers = typeof SYSTEM;

const SYSTEM = { lookup, resolve4, resolve6, resolveSrv };

/** How much longer than the first kind of address the other one may take, in ms: some name servers never answer for AAAA. */
const OTHER_KIND = 500;

/** Asks the name servers. */
export class DnsWatch {
  private readonly config: DnsDiscoverConfig;
  private readonly clock: Clock;
  private readonly servers: NameServers;
  private readonly four = new Addresses();
  private readonly six = new Addresses();

  constructor(config: DnsDiscoverConfig, clock: Clock, servers = SYSTEM) {
    this.config = config;
    this.clock = clock;
    this.servers = servers;
  }

  ask(done: Discovered): void {
    if (this.config.type === 'SRV') this.askSrv(done);
    else this.askAddresses(done);
  }

  private askSrv(done: Discovered): void {
    const { name } = this.config;
    this.servers.resolveSrv(name, (error, records) => {
      if (error !== null) return done(error, [], 0);
      // RFC 2782: "." as the target is how a domain says that it does not have the service.
      const offered = records.filter((record) => record.name !== '' && record.name !== '.');
      if (offered.length > 0) done(null, targetsOf(offered), USUAL);
      else done(new NothingThere(`the SRV record of ${name} says that there is no such service`), [], USUAL);
    });
  }

  /** DNS with its TTL; a name that only the system knows (the hosts file) as that tells it. */
  private askAddresses(done: Discovered): void {
    const { four, six, clock, servers } = this;
    const { name } = this.config;
    let waiting: Timer | null = null;
    let over = false;
    const judge = () => {
      if (over) return;
      over = true;
      if (waiting !== null) clock.cancel(waiting);
      this.judge(done);
    };
    const heard = () => {
      if (four.answer !== undefined && six.answer !== undefined) judge();
      else if (four.areThere || six.areThere) waiting = clock.after(OTHER_KIND, judge);
    };
    four.ask(servers.resolve4, name, heard);
    six.ask(servers.resolve6, name, heard);
  }

  private judge(done: Discovered): void {
    const { four, six } = this;
    if (!four.areThere && !six.areThere) return this.askSystem(done);
    const records = [...four.known, ...six.known];
    const longest = four.answer && six.answer ? Number.POSITIVE_INFINITY : USUAL;
    const ttl = Math.min(...records.map((record) => record.ttl * 1000), longest);
    done(null, this.at(records), ttl);
  }

  private askSystem(done: Discovered): void {
    this.servers.lookup(this.config.name, { all: true }, (error, found) => {
      if (error === null) done(null, this.at(found), USUAL);
      else done(error, [], 0);
    });
  }

  private at(places: readonly { address: string }[]): DiscoveredTarget[] {
    const { port } = this.config;
    // A name server may list one twice.
    const hosts = new Set(places.map(({ address }) => address));
    return [...hosts].map((host) => ({ host, port, weight: 1 }));
  }
}

/** Addresses of one kind. */
class Addresses {
  /** What was answered last: where nobody can be asked now, no target goes away. */
  known: readonly RecordWithTtl[] = [];
  /** To the question that was asked last. Undefined: none has come yet; null: nobody could be asked. */
  answer: readonly RecordWithTtl[] | null | undefined;
  private asked = 0;

  get areThere(): boolean {
    return (this.answer?.length ?? 0) > 0;
  }

  ask(resolve: NameServers['resolve4' | 'resolve6'], name: string, heard: () => void): void {
    const question = ++this.asked;
    this.answer = undefined;
    resolve(name, { ttl: true }, (error, records) => {
      if (question !== this.asked) return;
      if (error === null) this.answer = records;
      else this.answer = error.code === NODATA || error.code === NOTFOUND ? [] : null;
      this.known = this.answer ?? this.known;
      heard();
    });
  }
}

/** Those of the lowest priority count (RFC 2782); they bring their own ports and weights. */
function targetsOf(records: readonly SrvRecord[]): DiscoveredTarget[] {
  const first = Math.min(...records.map(({ priority }) => priority));
  const places = new Map<string, DiscoveredTarget>();
  for (const { name: host, port, priority, weight } of records) {
    if (priority !== first) continue;
    const key = `${host.toLowerCase()} ${port}`;
    places.set(key, { host, port, weight: Math.max(places.get(key)?.weight ?? 1, weight) });
  }
  return [...places.values()];
}
