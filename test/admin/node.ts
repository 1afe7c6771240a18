/** A gateway as it is run, with an admin listener, on free ports. */
import { request as askPlain, type IncomingHttpHeaders } from 'node:http';
import { request as askTls, type RequestOptions } from 'node:https';
import { stringify } from 'yaml';
import {
  freePort,
  type LabProcess,
  type ProcessLab,
  processLab,
  type TempFolder,
  tempFolder,
  until,
} from '../../src/testkit/index.ts';

export const BIN = new URL('../../bin/tidegate', import.meta.url).pathname;

export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  text: string;
}

/** Each request on a connection of its own. */
export function ask(port: number, path: string, options: AskOptions = {}): Promise<Answer> {
  const { ca, body, ...more } = options;
  const send = ca === undefined ? askPlain : askTls;
  return new Promise((resolve, reject) => {
    const request = send(
      {
        host: '127.0.0.1',
        port,
        path,
        agent: false,
        timeout: 10_000,
        ...more,
        ...(ca === undefined ? {} : { ca }),
      },
      (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk) => {
          text += chunk;
        });
        response.on('error', reject);
        response.on('end', () => resolve({ status: response.statusCode!, headers: response.headers, text }));
      },
    );
    request.on('timeout', () => request.destroy(new Error('no answer in 10 s')));
    request.on('error', reject);
    request.end(body);
  });
}

export interface AskOptions
  extends Pick<
    RequestOptions,
    'host' | 'method' | 'headers' | 'timeout' | 'minVersion' | 'maxVersion' | 'servername'
  > {
  /** Over TLS, trusting this authority. */
  ca?: string;
  body?: string | Buffer;
}

export class AdminNode implements AsyncDisposable {
  readonly folder: TempFolder = tempFolder();
  readonly lab: ProcessLab = processLab();
  port = 0;
  admin = 0;
  gateway!: LabProcess;

  /** Writes the config; `listen` and `admin.address` are the node's own. */
  write(config: object): void {
    this.folder.write('tidegate.yaml', stringify(this.whole(config)));
  }

  /** The config as it is written. */
  whole(config: object): object {
    const { admin, ...rest } = config as { admin?: object };
    return {
      listen: `127.0.0.1:${this.port}`,
      admin: { address: `127.0.0.1:${this.admin}`, ...admin },
      routes: { hello: { match: '/hello', respond: { body: 'hello' } } },
      ...rest,
    };
  }

  async start(config: object, env: Record<string, string> = {}): Promise<void> {
    [this.port, this.admin] = [await freePort(), await freePort()];
    this.write(config);
    await this.startAgain(env);
  }

  /** What has ended is started as it was. */
  async startAgain(env: Record<string, string> = {}): Promise<void> {
    this.gateway = this.lab.start(BIN, ['run', `${this.folder.path}/tidegate.yaml`], {
      // Under npm two signals at once are one wish.
      env: { npm_lifecycle_event: undefined, ...env },
    });
    await this.gateway.line(/"message":"serving"/, 15_000);
  }

  /** Entries of the log with this message. */
  logged(message: string): Record<string, unknown>[] {
    return this.gateway.stdout
      .split('\n')
      .filter((line) => line.includes(`"message":"${message}"`))
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  }

  /** Runs `change` and waits until the config was reloaded. */
  async reloaded(change: () => void): Promise<void> {
    const before = this.logged('the config was reloaded').length;
    change();
    await until(() => this.logged('the config was reloaded').length > before, 'the reload');
  }

  api(path: string, options: AskOptions = {}): Promise<Answer> {
    return ask(this.admin, path, options);
  }

  post(path: string, body: unknown, headers: Record<string, string> = {}): Promise<Answer> {
    return this.api(path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.lab.close();
    this.folder.close();
  }
}

export async function adminNode(config: object = {}, env: Record<string, string> = {}): Promise<AdminNode> {
  const node = new AdminNode();
  try {
    await node.start(config, env);
  } catch (error) {
    await node[Symbol.asyncDispose]();
    throw error;
  }
  return node;
}
