import type { StartOptions } from '../../src/index.ts';
import {
  answer,
  headerValue,
  type OriginExchange,
  type RawResponse,
  rawClient,
  type Script,
  type ScriptedOrigin,
  scriptedOrigin,
  startTestGateway,
  type TestGateway,
} from '../../src/testkit/index.ts';

/** A gateway whose route `GET /page/*` is an aggregate, in front of scripted services. */
export interface Stage {
  readonly origins: Record<string, ScriptedOrigin>;
  readonly gateway: TestGateway;
  /** One request on a connection of its own. */
  ask(line?: string, headers?: readonly string[], body?: string): Promise<RawResponse>;
  /** Targets that a service was asked for, in their order. */
  asked(service: string): string[];
  close(): Promise<void>;
}

export interface StageOptions extends StartOptions {
  /** Keys of a service, beside its url. */
  services?: Record<string, object>;
  /** Keys of the route, beside match and aggregate. */
  route?: object;
  /** Other routes. */
  routes?: Record<string, object>;
  /** Keys of the config. */
  more?: object;
}

export async function stage(
  scripts: Record<string, Script | Script[]>,
  aggregate: object,
  { services = {}, route = {}, routes = {}, more = {}, ...options }: StageOptions = {},
): Promise<Stage> {
  const origins: Record<string, ScriptedOrigin> = {};
  for (const [name, script] of Object.entries(scripts)) origins[name] = await scriptedOrigin(script);
  const gateway = await startTestGateway(
    {
      services: Object.fromEntries(
        Object.entries(origins).map(([name, { url }]) => [name, { url, ...services[name] }]),
      ),
      routes: { page: { match: '/page/*', aggregate, ...route }, ...routes },
      ...more,
    },
    options,
  );
  return {
    origins,
    gateway,
    asked: (service) => origins[service]!.requests.map(({ target }) => target),
    async ask(line = 'GET /page/1', headers = [], body = '') {
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

/** An answer with this JSON; text is taken as it is. */
export function json(value: unknown, status = 200, headers: [string, string][] = []): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return answer(status, [['Content-Type', 'application/json'], ...headers], text);
}

/** Answers each request with what `reply` makes of its target. */
export function replying(reply: (target: string, exchange: OriginExchange) => string): Script {
  return async (exchange) => {
    await exchange.body();
    await exchange.send(reply(exchange.request.target, exchange));
  };
}

export function bodyOf(response: RawResponse): unknown {
  return JSON.parse(response.body.toString());
}

export function header(response: RawResponse, name: string): string | undefined {
  return headerValue(response, name);
}
