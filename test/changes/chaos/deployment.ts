import { writeFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { join } from 'node:path';
import {
  freePort,
  type LabProcess,
  type ProcessLab,
  processLab,
  processTree,
  type TempFolder,
  tempFolder,
  until,
} from '../../../src/testkit/index.ts';
import type { FollowedDatabase } from './databases.ts';

const MAIN = join(import.meta.dirname, '../../../src/cli/main.ts');

/** Which tags a row means, for the source and for the routes. A reload goes from one to the other. */
export type MappingName = 'item' | 'thing';

export interface Got {
  readonly status: number;
  readonly value: number;
  readonly cache: string;
}

export interface SourceState {
  readonly state: string;
  readonly position: string | null;
  readonly error: string | null;
  readonly events: number;
  readonly lagSeconds: number | null;
}

export interface DeploymentOptions {
  readonly database: FollowedDatabase;
  /** URL of the Redis that the nodes share; null: each stands alone. */
  readonly redis: string | null;
  readonly nodes?: number;
  readonly workers?: number;
  /** More of the source's config, and of the cache's. */
  readonly source?: object;
  readonly cache?: object;
}

/** Nodes as they are run: `tidegate run` in processes of its own, with a database that they follow behind them. */
export class Deployment {
  readonly nodes: DeployedNode[] = [];
  private readonly lab: ProcessLab = processLab();
  private readonly folder: TempFolder = tempFolder();

  static async start({ nodes = 2, ...options }: DeploymentOptions): Promise<Deployment> {
    const deployment = new Deployment();
    try {
      for (let i = 0; i < nodes; i++) {
        const ports = { port: await freePort(), admin: await freePort() };
        const file = join(deployment.folder.path, `node-${i}.json`);
        deployment.nodes.push(new DeployedNode(deployment.lab, file, ports, options));
      }
      await Promise.all(deployment.nodes.map((node) => node.start()));
    } catch (error) {
      await deployment.close();
      throw error;
    }
    return deployment;
  }

  async close(): Promise<void> {
    await this.lab.close();
    this.folder.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

export class DeployedNode {
  readonly port: number;
  readonly admin: number;
  mapping: MappingName = 'item';
  private readonly lab: ProcessLab;
  private readonly file: string;
  private readonly options: Omit<DeploymentOptions, 'nodes'>;
  private process: LabProcess | null = null;

  constructor(
    lab: ProcessLab,
    file: string,
    { port, admin }: { port: number; admin: number },
    options: Omit<DeploymentOptions, 'nodes'>,
  ) {
    this.lab = lab;
    this.file = file;
    this.port = port;
    this.admin = admin;
    this.options = options;
  }

  get output(): string {
    return this.process?.output ?? '';
  }

  get pid(): number {
    return this.process?.pid ?? 0;
  }

  /** Resolves once it serves. */
  async start(): Promise<void> {
    this.configure(this.mapping);
    const flags = ['--disable-warning=ExperimentalWarning'];
    const started = this.lab.node([...flags, MAIN, 'run', this.file]);
    this.process = started;
    await until(
      async () => started.exited !== null || (await this.state().catch(() => null)) !== null,
      'the node to serve',
      30_000,
    );
    if (started.exited !== null) throw new Error(started.output);
  }

  /** Its file changes, and it takes that over. */
  configure(mapping: MappingName): void {
    this.mapping = mapping;
    const { database, redis, workers = 2, source, cache } = this.options;
    const config = {
      listen: `127.0.0.1:${this.port}`,
      admin: `127.0.0.1:${this.admin}`,
      workers,
      ...(redis === null ? {} : { cache: { redis, ...cache } }),
      services: { origin: { url: database.origin } },
      changes: {
        shop: {
          ...database.reader,
          tables: { [database.table]: [`${mapping}:{row.id}`] },
          ...source,
        },
      },
      routes: {
        item: {
          match: '/items/{id:int}',
          to: 'origin',
          cache: { ttl: '1h', tags: [`${mapping}:{params.id}`] },
        },
      },
    };
    writeFileSync(this.file, JSON.stringify(config));
  }

  /** SIGKILL to all its processes, at once. */
  async kill(): Promise<void> {
    await this.process?.kill();
    this.process = null;
  }

  signal(name: NodeJS.Signals): void {
    this.process?.signal(name);
  }

  get runs(): boolean {
    return this.process !== null;
  }

  workers(): number[] {
    return this.process === null ? [] : processTree(this.process.pid).slice(1);
  }

  /** As `GET /v1/changes` has it. */
  async state(): Promise<SourceState> {
    const { body } = await ask(this.admin, '/v1/changes', {});
    const { sources } = JSON.parse(body) as { sources: SourceState[] };
    const [source] = sources;
    if (source === undefined) throw new Error('there is no source yet');
    return source;
  }

  /** Resolves once it answers from memory, and says that the source is followed. */
  async ready(ms = 30_000): Promise<void> {
    await until(
      async () => (await this.state().catch(() => null))?.state === 'streaming' && (await this.hits()),
      `the node to answer from its cache`,
      ms,
    ).catch(async (error: Error) => {
      const state = JSON.stringify(await this.state().catch(String));
      throw new Error(`${error.message}; ${state}\n${this.output.slice(-3000)}`);
    });
  }

  async hits(): Promise<boolean> {
    return (await this.read(1).catch(() => null))?.cache.includes('hit') ?? false;
  }

  /** A connection of its own each time, so that every worker is met. */
  async read(id: number, after?: string): Promise<Got> {
    const headers = after === undefined ? {} : { 'tidegate-after': `shop=${after}` };
    const { status, body, cache } = await ask(this.port, `/items/${id}`, headers);
    return { status, value: Number(body), cache };
  }
}

interface Answer {
  status: number;
  body: string;
  cache: string;
}

function ask(port: number, path: string, headers: Record<string, string>): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      { host: '127.0.0.1', port, path, headers, agent: false, timeout: 15_000 },
      (response) => {
        let body = '';
        response.setEncoding('utf8').on('data', (text: string) => {
          body += text;
        });
        response.on('end', () => {
          const cache = String(response.headers['cache-status'] ?? '');
          resolve({ status: response.statusCode ?? 0, body, cache });
        });
        response.on('error', reject);
      },
    );
    request.on('timeout', () => request.destroy(new Error('no answer')));
    request.on('error', reject);
    request.end();
  });
}
