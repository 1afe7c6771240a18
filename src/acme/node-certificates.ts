import { join } from 'node:path';
import type { Logger } from '../telemetry/index.ts';
import type { Clock } from '../util/clock.ts';
import type { Random } from '../util/random.ts';
import { CertificateStore } from './certificate-store.ts';
import {
  type AcmeListener,
  type Authority,
  type HostCertificate,
  NO_PROOFS,
  type Proofs,
} from './contract.ts';
import { HostKeeper } from './host-keeper.ts';
import type { StoredCertificate } from './stored-certificate.ts';

export interface NodeCertificatesParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** Hands out all certificates there are. */
  readonly show: (all: readonly HostCertificate[]) => Promise<unknown>;
  /** Hands out all proofs that are looked for now; resolves once everyone can show them. */
  readonly prove: (proofs: Proofs) => Promise<unknown>;
}

/** What came of orders, by host. */
export interface OrderCount {
  readonly host: string;
  readonly result: 'ok' | 'failed';
  readonly count: number;
}

/** Certificates that the node gets by itself, for all its workers; without any it does nothing. */
export class NodeCertificates {
  private readonly parts: NodeCertificatesParts;
  private readonly keepers = new Map<string, HostKeeper>();
  private readonly stores = new Map<string, CertificateStore>();
  private readonly shown = new Map<string, StoredCertificate>();
  private readonly counts = new Map<string, Record<OrderCount['result'], number>>();
  private listeners: readonly AcmeListener[] = [];
  private asked: Proofs = NO_PROOFS;
  private stopped = false;

  constructor(parts: NodeCertificatesParts) {
    this.parts = parts;
  }

  /** For a worker that starts. */
  get certificates(): HostCertificate[] {
    return [...this.shown.values()].map(({ host, cert, key }) => ({ host, cert, key }));
  }

  get proofs(): Proofs {
    return this.asked;
  }

  /** Before a config is in force: what is kept of its hosts is shown from the first handshake on. */
  async prepare(listeners: readonly AcmeListener[]): Promise<void> {
    const fresh = [...wantedOf(listeners)].filter(([host]) => !this.shown.has(host));
    const kept = await Promise.all(
      fresh.map(([host, authority]) =>
        this.store(authority)
          .read(host)
          .catch(() => null),
      ),
    );
    const found = kept.filter((certificate) => certificate !== null);
    for (const certificate of found) this.shown.set(certificate.host, certificate);
    if (found.length > 0) await this.parts.show(this.certificates);
  }

  /** Once a config is in force: sees to the hosts that it names, and to no others. */
  follow(listeners: readonly AcmeListener[]): void {
    if (this.stopped) return;
    this.listeners = listeners;
    const wanted = wantedOf(listeners);
    for (const [host, keeper] of this.keepers) {
      if (isSame(wanted.get(host), keeper.authority)) continue;
      this.keepers.delete(host);
      if (!wanted.has(host)) this.forget(host);
      void keeper.stop();
    }
    for (const [host, authority] of wanted) if (!this.keepers.has(host)) this.keep(host, authority);
  }

  /** What listeners show, host by host; `until` in milliseconds since 1970, null where there is nothing yet. */
  describe(): { listener: string; name: string; until: number | null }[] {
    return this.listeners.flatMap(({ name: listener, acme }) =>
      acme.hosts.map((name) => ({ listener, name, until: this.shown.get(name)?.until ?? null })),
    );
  }

  orders(): OrderCount[] {
    return [...this.counts].flatMap(([host, counts]) =>
      (['ok', 'failed'] as const).map((result) => ({ host, result, count: counts[result] })),
    );
  }

  /** Breaks off what is under way, for whoever takes over. */
  async stop(): Promise<void> {
    this.stopped = true;
    await Promise.all([...this.keepers.values()].map((keeper) => keeper.stop()));
  }

  private keep(host: string, authority: Authority): void {
    const { clock, random, log } = this.parts;
    const counts = this.counts.get(host) ?? { ok: 0, failed: 0 };
    this.counts.set(host, counts);
    const keeper: HostKeeper = new HostKeeper(host, authority, {
      clock,
      random,
      log,
      store: this.store(authority),
      show: (certificate) => {
        // One that was let go may still be at its last order.
        if (this.keepers.get(host) === keeper) this.show(certificate);
      },
      prove: (proofs) => this.prove(proofs),
      ordered: (result) => {
        counts[result]++;
      },
    });
    this.keepers.set(host, keeper);
    keeper.start();
  }

  private forget(host: string): void {
    this.shown.delete(host);
    this.counts.delete(host);
  }

  private store({ storage, directory }: Authority): CertificateStore {
    const key = join(storage, directory);
    const store = this.stores.get(key) ?? new CertificateStore({ storage, directory }, this.parts.clock);
    this.stores.set(key, store);
    return store;
  }

  private show(certificate: StoredCertificate): void {
    const { host, cert } = certificate;
    if (this.stopped || this.shown.get(host)?.cert === cert) return;
    this.shown.set(host, certificate);
    void this.parts.show(this.certificates);
  }

  private async prove(proofs: Proofs): Promise<() => void> {
    this.asked = { http: { ...this.asked.http, ...proofs.http }, tls: { ...this.asked.tls, ...proofs.tls } };
    await this.parts.prove(this.asked);
    return () => {
      this.asked = {
        http: without(this.asked.http, Object.keys(proofs.http)),
        tls: without(this.asked.tls, Object.keys(proofs.tls)),
      };
      void this.parts.prove(this.asked);
    };
  }
}

/** A host is got from one authority, the first that is named for it. */
function wantedOf(listeners: readonly AcmeListener[]): Map<string, Authority> {
  const wanted = new Map<string, Authority>();
  for (const { acme } of listeners) {
    const { hosts, ...authority } = acme;
    for (const host of hosts) if (!wanted.has(host)) wanted.set(host, authority);
  }
  return wanted;
}

function isSame(a: Authority | undefined, b: Authority): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function without<T>(all: Readonly<Record<string, T>>, names: readonly string[]): Record<string, T> {
  return Object.fromEntries(Object.entries(all).filter(([name]) => !names.includes(name)));
}
