import http from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { type HttpOrigin, httpOrigin, type SeededRandom, seededRandom } from '../../../src/testkit/index.ts';
import { ask } from '../../workers/fixture/lab.ts';
import { purgeAt, type WholeNode } from '../flow/whole-node.ts';

const KEYS = 12;
const CLIENTS = 3;
/** `cache.maxUnsynced`: until then another node may answer what was purged at one, in ms. */
const MAX_UNSYNCED = 1000;

/** A service whose values only ever grow: whoever gets less than was there at a purge has got what was purged. */
export class GrowingOrigin {
  readonly values = new Array<number>(KEYS).fill(0);
  private readonly origin: HttpOrigin;

  private constructor(origin: HttpOrigin) {
    this.origin = origin;
  }

  static async start(): Promise<GrowingOrigin> {
    const origin = await httpOrigin(({ url = '' }, response) => {
      response.setHeader('cache-control', 'max-age=600');
      response.end(String(growing.values[Number(url.slice('/key/'.length))] ?? 0));
    });
    const growing = new GrowingOrigin(origin);
    return growing;
  }

  /** Services and routes in front of it. */
  get config(): object {
    return {
      services: { shop: { url: this.origin.url } },
      routes: { all: { match: '/key/{key}', to: 'shop', cache: { tags: ['key:{params.key}'] } } },
    };
  }

  close(): Promise<void> {
    return this.origin.close();
  }
}

/** Clients and purgers at whole nodes, until stopped. */
export class GatewayLoad {
  /** Answers older than a purge that reached their node, and requests without the service's answer. Neither may be. */
  readonly stale: string[] = [];
  readonly failed: string[] = [];
  hits = 0;
  purged = 0;
  /** Purges of which the other nodes could not be told. */
  refused = 0;
  private readonly nodes: readonly WholeNode[];
  private readonly origin: GrowingOrigin;
  private readonly random: SeededRandom = seededRandom(5);
  private readonly agent = new http.Agent({ keepAlive: true });
  private readonly times: number[] = [];
  /** By node and key: what it has to answer at least. */
  private readonly least: number[][];
  private readonly silent: boolean;
  private readonly loops: Promise<void>[];
  private stopped = false;

  /** @param silent Nothing is purged when it changes: the mistake that this is to find. */
  constructor(nodes: readonly WholeNode[], origin: GrowingOrigin, silent = false) {
    this.silent = silent;
    this.nodes = nodes;
    this.origin = origin;
    this.least = nodes.map(() => new Array<number>(KEYS).fill(0));
    this.loops = nodes.flatMap((_, node) => [
      ...Array.from({ length: CLIENTS }, () => this.repeat(() => this.read(node), 3)),
      this.repeat(() => this.purge(node), 40),
    ]);
  }

  async stop(): Promise<void> {
    this.stopped = true;
    await Promise.all(this.loops);
    this.agent.destroy();
  }

  /** Milliseconds that a hundredth of all requests took longer than. */
  get p99(): number {
    return this.times.toSorted((a, b) => a - b)[Math.floor(this.times.length * 0.99)] ?? 0;
  }

  get requests(): number {
    return this.times.length;
  }

  private async repeat(step: () => Promise<void>, most: number): Promise<void> {
    while (!this.stopped) {
      await step();
      await pause(this.random.below(most));
    }
  }

  private async read(node: number): Promise<void> {
    const key = this.random.below(KEYS);
    const least = this.least[node]![key]!;
    const began = performance.now();
    try {
      const options = { path: `/key/${key}`, agent: this.agent, headers: { host: 'shop.test' } };
      const { status, text, headers } = await ask(this.nodes[node]!.port, options);
      const line = headers['cache-status'];
      if (status !== 200) this.failed.push(`${status} ${text}`);
      else if (Number(text) < least) this.stale.push(`key ${key} at ${node}: ${text}, not ${least}; ${line}`);
      if (String(line).includes('; hit')) this.hits++;
    } catch (error) {
      this.failed.push(String(error));
    }
    this.times.push(performance.now() - began);
  }

  private async purge(node: number): Promise<void> {
    const key = this.random.below(KEYS);
    const value = ++this.origin.values[key]!;
    const status = this.silent ? 200 : await purgeAt(this.nodes[node]!, { tags: [`key:${key}`] });
    // What could not be told to others is done here all the same.
    this.expect(node, key, value);
    if (status !== 200) {
      this.refused++;
      return;
    }
    this.purged++;
    setTimeout(() => {
      for (const other of this.nodes.keys()) this.expect(other, key, value);
    }, MAX_UNSYNCED).unref();
  }

  private expect(node: number, key: number, value: number): void {
    this.least[node]![key] = Math.max(this.least[node]![key]!, value);
  }
}
