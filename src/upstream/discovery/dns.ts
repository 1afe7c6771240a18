import { lookup, resolve4, resolve6, resolveSrv } from 'node:dns';
import type { DnsDiscoverConfig } from '../../config/model.ts';
import type { Discovered, DiscoveredTarget } from './source.ts';

/** Where an answer doesn't say how long it holds: the hosts file, and SRV records as Node gives them. */
const USUAL = 10_000;

/** Asks the name servers. */
export function askDns(config: DnsDiscoverConfig, done: Discovered): void {
  if (config.type === 'SRV') askSrv(config, done);
  else askAddresses(config, done);
}

/** Of SRV records those of the lowest priority count (RFC 2782); they bring their own ports and weights. */
function askSrv({ name }: DnsDiscoverConfig, done: Discovered): void {
  resolveSrv(name, (error, records) => {
    if (error !== null) return done(error, [], 0);
    if (records.length === 0) return done(new Error(`${name} has no SRV record`), [], 0);
    const first = Math.min(...records.map(({ priority }) => priority));
    const targets = records
      .filter(({ priority }) => priority === first)
      .map((record) => ({ host: record.name, port: record.port, weight: Math.max(record.weight, 1) }));
    done(null, targets, USUAL);
  });
}

/** DNS with its TTL; a name that only the system knows (the hosts file) as that tells it. */
function askAddresses({ name, port }: DnsDiscoverConfig, done: Discovered): void {
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
