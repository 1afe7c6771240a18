import type { StartOptions } from '../../src/index.ts';
import {
  headerValue,
  type RawResponse,
  rawClient,
  type Script,
  type ScriptedOrigin,
  scriptedOrigin,
  startTestGateway,
  type TestGateway,
} from '../../src/testkit/index.ts';

/** A gateway in front of services that are named by letters, each scripted. */
export interface Stage {
  readonly origins: Record<string, ScriptedOrigin>;
  readonly gateway: TestGateway;
  ask(line: string, headers?: readonly string[], body?: string): Promise<RawResponse>;
  close(): Promise<void>;
}

export async function stage(
  scripts: Record<string, Script | Script[]>,
  config: object,
  options: StartOptions = {},
): Promise<Stage> {
  const origins: Record<string, ScriptedOrigin> = {};
  for (const [name, script] of Object.entries(scripts)) origins[name] = await scriptedOrigin(script);
  const services = Object.fromEntries(Object.entries(origins).map(([name, { url }]) => [name, { url }]));
  const gateway = await startTestGateway({ services, ...config }, options);
  return {
    origins,
    gateway,
    async ask(line, headers = [], body = '') {
      const client = await rawClient({ port: gateway.port });
      const length = body === '' ? [] : [`Content-Length: ${Buffer.byteLength(body)}`];
      await client.send(
        `${[`${line} HTTP/1.1`, 'Host: shop.test', ...headers, ...length].join('\r\n')}\r\n\r\n${body}`,
      );
      const response = await client.response(line.split(' ')[0]);
      client.close();
      return response;
    },
    async close() {
      await gateway.close();
      for (const origin of Object.values(origins)) await origin.close();
    },
  };
}

export function header(response: RawResponse, name: string): string | undefined {
  return headerValue(response, name);
}

export function json(response: RawResponse): unknown {
  return JSON.parse(response.body.toString());
}
