import { type LookupAddress, lookup, resolve4, resolve6 } from 'node:dns';
import { isIP } from 'node:net';
import { Failure } from '../http/errors.ts';
import type { Clock } from '../util/clock.ts';
import { isSocketPath } from '../util/unix-socket.ts';

/** Hears what a name stands for. */
export type Resolved = (addresses: readonly string[] | Failure) => void;

/**
 * Asks the system once; hands back the addresses and how long they hold, in ms, and may do so again once that is
 * known better. Replaced in tests.
 */
export type Lookup = (
  name: string,
  done: (error: Error | null, addresses: string[], ttl: number) => void,
) => void;

/** Where nobody says how long an answer holds (the hosts file, say). */
const USUAL_TTL = 30_000;
const SHORTEST_TTL = 1_000;
const LONGEST_TTL = 300_000;
/** A name that could not be found is asked for again after this. */
const FAILED_TTL = 1_000;

interface Name {
  addresses: readonly string[] | null;
  failure: Failure | null;
  freshUntil: number;
  asking: boolean;
  /** The number of the last question. */
  question: number;
  waiting: Resolved[];
}

/**
 * Names to addresses, re-resolved by their TTL. An expired answer goes on serving while the next is fetched,
 * and for as long as none can be had: a name server that is away takes no service with it.
 */
export class Resolver {
  private readonly clock: Clock;
  private readonly lookup: Lookup;
  private readonly names = new Map<string, Name>();

  constructor(clock: Clock, lookup: Lookup = systemLookup) {
    this.clock = clock;
    this.lookup = lookup;
  }

  resolve(name: string, done: Resolved): void {
    if (isIP(name) !== 0 || isSocketPath(name)) return done([name]);
    const entry = this.entry(name);
    if (entry.freshUntil <= this.clock.now()) this.ask(name, entry);
    if (entry.addresses !== null) return done(entry.addresses);
    if (entry.asking) entry.waiting.push(done);
    else done(entry.failure ?? new Failure('TG_UPSTREAM_DNS', name));
  }

  private entry(name: string): Name {
    let entry = this.names.get(name);
    if (entry === undefined) {
      entry = { addresses: null, failure: null, freshUntil: 0, asking: false, question: 0, waiting: [] };
      this.names.set(name, entry);
    }
    return entry;
  }

  private ask(name: string, entry: Name): void {
    if (entry.asking) return;
    entry.asking = true;
    entry.question++;
    const { question } = entry;
    this.lookup(name, (error, addresses, ttl) => {
      // What is learned late of an answer says nothing once the name has been asked for anew.
      if (question !== entry.question) return;
      entry.asking = false;
      const found = error === null && addresses.length > 0;
      if (found) entry.addresses = addresses;
      entry.failure = found
        ? null
        : new Failure('TG_UPSTREAM_DNS', error?.message ?? `${name} has no address`);
      entry.freshUntil =
        this.clock.now() + (found ? Math.min(Math.max(ttl, SHORTEST_TTL), LONGEST_TTL) : FAILED_TTL);
      const waiting = entry.waiting;
      entry.waiting = [];
      for (const done of waiting) done(entry.addresses ?? entry.failure!);
    });
  }
}

export type System = typeof SYSTEM;

const SYSTEM = { lookup, resolve4, resolve6 };

/**
 * Addresses as the system finds them (hosts file, search domains and all), the TTL as DNS tells it where it
 * knows the name too: that is not waited for, since where no name server answers it takes long to give up.
 */
export function systemLookup(
  name: string,
  done: (error: Error | null, addresses: string[], ttl: number) => void,
  system = SYSTEM,
): void {
  system.lookup(name, { all: true, order: 'verbatim' }, (error, found: LookupAddress[]) => {
    if (error !== null) return done(error, [], 0);
    const addresses = found.map((entry) => entry.address);
    done(null, addresses, USUAL_TTL);
    if (!name.includes('.')) return;
    const family = found[0]?.family === 6 ? system.resolve6 : system.resolve4;
    family(name, { ttl: true }, (_error, records) => {
      const ttls = (records ?? []).map((record) => record.ttl * 1000);
      if (ttls.length > 0) done(null, addresses, Math.min(...ttls));
    });
  });
}
