/** Hosts that an authority of the test kit looks at, and logs to be read. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type AcmeListener, NodeCertificates, type Proofs } from '../../src/acme/index.ts';
import type { AcmeConfig } from '../../src/config/model.ts';
import type { LogFields, Logger } from '../../src/telemetry/index.ts';
import {
  type AcmeServer,
  acmeServer,
  type ManualClock,
  type TempFolder,
  turn,
  until,
} from '../../src/testkit/index.ts';
import { systemRandom } from '../../src/util/random.ts';

const DAY = 86_400_000;
/** What is waited for while something is under way, ms: an answer, the next sign of life, the next look. */
const SHORT_WAITS = [30_000, 3_000, 1_000];

type Entry = { level: 'info' | 'warn' | 'error'; message: string } & LogFields;

/** A log whose entries are kept. */
export function keptLog(): { entries: Entry[]; log: Logger } {
  const entries: Entry[] = [];
  const at = (level: Entry['level']) => (message: string, fields?: LogFields) =>
    void entries.push({ level, message, ...fields });
  const log: Logger = { info: at('info'), warn: at('warn'), error: at('error'), with: () => log };
  return { entries, log };
}

/** What port 80 of all hosts is: it shows the proofs that it was given. */
export class ProofHost implements AsyncDisposable {
  proofs: Proofs = { http: {}, tls: {} };
  /** It shows none of them. */
  blind = false;
  /** Tokens that were asked for. */
  readonly asked: string[] = [];
  private readonly server: Server;

  constructor(server: Server) {
    this.server = server;
    server.on('request', ({ url }, response) => {
      const token = url!.split('/').at(-1)!;
      this.asked.push(token);
      const answer = this.blind ? undefined : this.proofs.http[token];
      response.writeHead(answer === undefined ? 404 : 200).end(answer);
    });
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

export async function proofHost(): Promise<ProofHost> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return new ProofHost(server);
}

export function acmeConfig(ca: AcmeServer, storage: string, more: Partial<AcmeConfig> = {}): AcmeConfig {
  return {
    email: 'ops@example.com',
    hosts: ['shop.test'],
    directory: ca.directory,
    storage,
    challenge: 'http-01',
    ca: ca.ca,
    eab: null,
    ...more,
  };
}

/** The certificates of a node whose clock a test moves, an authority that goes by the same clock, and a host. */
export class Stage implements AsyncDisposable {
  readonly clock: ManualClock;
  readonly folder: TempFolder;
  readonly ca: AcmeServer;
  readonly host: ProofHost;
  readonly nodes: NodeCertificates[] = [];

  constructor(clock: ManualClock, folder: TempFolder, ca: AcmeServer, host: ProofHost) {
    this.clock = clock;
    this.folder = folder;
    this.ca = ca;
    this.host = host;
  }

  /** Made with the first order. */
  get storage(): string {
    return join(this.folder.path, 'acme');
  }

  listeners(more: Partial<AcmeConfig> = {}): AcmeListener[] {
    return [{ name: 'front', acme: acmeConfig(this.ca, this.storage, more) }];
  }

  /** A node that begins its life: it has looked at what is kept, and sees to its hosts from now on. */
  async node(more: Partial<AcmeConfig> = {}, clock = this.clock) {
    const kept = keptLog();
    const shown: string[][] = [];
    const certificates = new NodeCertificates({
      clock,
      random: { ...systemRandom, number: () => 0 },
      log: kept.log,
      show: async (all) => void shown.push(all.map(({ cert }) => cert)),
      prove: async (proofs) => {
        this.host.proofs = proofs;
      },
    });
    this.nodes.push(certificates);
    await certificates.prepare(this.listeners(more));
    certificates.follow(this.listeners(more));
    return { certificates, shown, entries: kept.entries, ends: () => certificates.stop() };
  }

  /** Waits until each of so many hosts sleeps: nothing of theirs is under way. */
  async rests(hosts = 1): Promise<void> {
    const { clock } = this;
    await turn();
    await until(() => clock.pending === hosts && !SHORT_WAITS.includes(clock.nextIn), 'rest');
  }

  /** Moves on, but never while a question is under way, which would run into its time limit. */
  async pass(ms: number, step = DAY): Promise<void> {
    for (let left = ms; left > 0; left -= step) {
      await this.rests();
      this.clock.advance(Math.min(left, step));
    }
    await this.rests();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const node of this.nodes) await node.stop();
    await this.ca.close();
    await this.host[Symbol.asyncDispose]();
    this.folder.close();
  }
}

export async function stage(clock: ManualClock, folder: TempFolder): Promise<Stage> {
  const host = await proofHost();
  const ca = await acmeServer({ reach: () => host.port, wall: () => clock.wall() });
  return new Stage(clock, folder, ca, host);
}
