import http from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { postgresEvent } from '../../../src/changes/debezium/fixtures.ts';
import { type HttpOrigin, httpOrigin, type SeededRandom, seededRandom } from '../../../src/testkit/index.ts';
import { ask } from '../../workers/fixture/lab.ts';
import type { WholeNode } from './whole-node.ts';

const TOKEN = 'let-me-in';
const HOST = { host: 'shop.test' };
/** Begins the ids of readers' requests: one that the gateway makes by itself has another. */
const READER = 'reader-';

/** A service whose orders only ever grow, and that knows who has asked it: a reader, or the gateway by itself. */
export class Orders {
  readonly byReaders = new Map<number, number>();
  readonly byItself = new Map<number, number>();
  readonly changes = new Map<number, number>();
  /** How long an answer takes, in ms. */
  delay = 0;
  private readonly values = new Map<number, number>();
  private readonly origin: HttpOrigin;

  private constructor(origin: HttpOrigin) {
    this.origin = origin;
  }

  static async start(): Promise<Orders> {
    const origin = await httpOrigin(async ({ url = '', headers }, response) => {
      if (url === '/ids') return void response.end('[1, 2]');
      const id = Number(url.slice('/orders/'.length));
      const value = orders.value(id);
      const isReader = String(headers['x-request-id']).startsWith(READER);
      add(isReader ? orders.byReaders : orders.byItself, id);
      if (orders.delay > 0) await pause(orders.delay);
      response.end(String(value));
    });
    const orders = new Orders(origin);
    return orders;
  }

  /** Routes and services in front of it, and a source that is told of its changes. */
  config(more: object = {}): object {
    return {
      services: { orders: { url: this.origin.url } },
      changes: {
        feed: { http: { token: TOKEN }, tables: { 'public.orders': ['order:{row.id}', 'orders'] } },
      },
      routes: {
        order: {
          match: '/orders/{id:int}',
          to: 'orders',
          cache: { ttl: '1h', tags: ['order:{params.id}'], refresh: true },
        },
      },
      ...more,
    };
  }

  value(id: number): number {
    return this.values.get(id) ?? 0;
  }

  reads(id: number): { byReaders: number; byItself: number } {
    return { byReaders: this.byReaders.get(id) ?? 0, byItself: this.byItself.get(id) ?? 0 };
  }

  /** Its value changes, and the node is told. Resolves with the value once the change is applied there. */
  async change(id: number, { admin }: WholeNode): Promise<number> {
    const value = this.value(id) + 1;
    this.values.set(id, value);
    add(this.changes, id);
    const row = { id, customer_id: 1 };
    const { status, text } = await ask(admin, {
      path: '/v1/changes/feed',
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${TOKEN}` },
      body: JSON.stringify(postgresEvent('u', row, row)),
    });
    if (status !== 200) throw new Error(`${status} ${text}`);
    return value;
  }

  close(): Promise<void> {
    return this.origin.close();
  }
}

function add(counts: Map<number, number>, id: number): void {
  counts.set(id, (counts.get(id) ?? 0) + 1);
}

let requests = 0;

/** What a reader gets. */
export async function readAt({ port }: WholeNode, id: number, agent?: http.Agent) {
  const headers = { ...HOST, 'x-request-id': `${READER}${++requests}` };
  const answer = await ask(port, { path: `/orders/${id}`, headers, ...(agent && { agent }) });
  return { value: Number(answer.text), cache: String(answer.headers['cache-status']), status: answer.status };
}

/** Readers and changes at random, until stopped. */
export class RefreshedLoad {
  readonly stale: string[] = [];
  hits = 0;
  private readonly random: SeededRandom = seededRandom(11);
  private readonly agent = new http.Agent({ keepAlive: true });
  private readonly orders: Orders;
  private readonly nodes: readonly WholeNode[];
  /** By node and order: what it has to answer at least. */
  private readonly least: Map<number, number>[];
  private readonly loops: Promise<void>[];
  private stopped = false;

  /** @param keys So many orders, of which the first are read most. */
  constructor(orders: Orders, nodes: readonly WholeNode[], keys: number, maxUnsynced: number) {
    this.orders = orders;
    this.nodes = nodes;
    this.least = nodes.map(() => new Map());
    const key = () => Math.floor(keys * this.random.number() ** 2);
    this.loops = nodes.flatMap((_, node) => [
      ...Array.from({ length: 4 }, () => this.repeat(() => this.read(node, key()), 4)),
      this.repeat(() => this.change(node, key(), maxUnsynced), 60),
    ]);
  }

  async stop(): Promise<void> {
    this.stopped = true;
    await Promise.all(this.loops);
    this.agent.destroy();
  }

  private async repeat(step: () => Promise<void>, most: number): Promise<void> {
    while (!this.stopped) {
      await step();
      await pause(this.random.below(most));
    }
  }

  private async read(node: number, id: number): Promise<void> {
    const least = this.least[node]!.get(id) ?? 0;
    const { value, cache } = await readAt(this.nodes[node]!, id, this.agent);
    if (!(value >= least)) this.stale.push(`order ${id} at ${node}: ${value}, not ${least}; ${cache}`);
    if (cache.includes('; hit')) this.hits++;
  }

  private async change(node: number, id: number, maxUnsynced: number): Promise<void> {
    const value = await this.orders.change(id, this.nodes[node]!);
    this.expect(node, id, value);
    await pause(0);
    setTimeout(() => {
      for (const other of this.nodes.keys()) this.expect(other, id, value);
    }, maxUnsynced).unref();
  }

  private expect(node: number, id: number, value: number): void {
    const least = this.least[node]!;
    least.set(id, Math.max(least.get(id) ?? 0, value));
  }
}
