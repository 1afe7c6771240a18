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
import { type Discovered, type DiscoveredTarget, NothingThere } from './source.ts';

/** Where an answer doesn't say how long it holds: the hosts file, and SRV records as Node gives them. */
const USUAL = 10_000;

/** How name servers are asked. Replaced in tests. */
export type NameServers = typeof SYSTEM;

const SYSTEM = { lookup, resolve4, resolve6, resolveSrv };

/** Addresses of one kind: null where nobody could be asked. */
type Answer = readonly RecordWithTtl[] | null;

/** Asks the name servers. */
export class DnsWatch {
  private readonly config: DnsDiscoverConfig;
  private readonly servers: NameServers;
  /** What was answered last of each kind: one that can't be had now takes no target away. */
  private four: readonly RecordWithTtl[] = [];
  private six: readonly RecordWithTtl[] = [];

  constructor(config: DnsDiscoverConfig, servers = SYSTEM) {
    this.config = config;
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
    const { name } = this.config;
    this.servers.resolve4(name, { ttl: true }, (error4, four) => {
      this.servers.resolve6(name, { ttl: true }, (error6, six) => {
        this.judge(answerOf(error4, four), answerOf(error6, six), done);
      });
    });
  }

  private judge(four: Answer, six: Answer, done: Discovered): void {
    if (!four?.length && !six?.length) return this.askSystem(done);
    this.four = four ?? this.four;
    this.six = six ?? this.six;
    const records = [...this.four, ...this.six];
    const longest = four === null || six === null ? USUAL : Number.POSITIVE_INFINITY;
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

function answerOf(error: NodeJS.ErrnoException | null, records: readonly RecordWithTtl[]): Answer {
  if (error === null) return records;
  return error.code === NODATA || error.code === NOTFOUND ? [] : null;
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
