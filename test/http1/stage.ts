import { expect } from 'vitest';
import {
  answer,
  headerValue,
  type Pairs,
  type RawClient,
  type RawResponse,
  rawClient,
  type Script,
  type ScriptedOrigin,
  scriptedOrigin,
  startTestGateway,
  type TestGateway,
} from '../../src/testkit/index.ts';
import type { Clock } from '../../src/util/clock.ts';

/** A gateway in front of one scripted origin, to which it sends everything. */
export interface Stage {
  readonly origin: ScriptedOrigin;
  readonly gateway: TestGateway;
  /** A new connection to the gateway; closed with the stage. */
  client(patience?: number): Promise<RawClient>;
  close(): Promise<void>;
}

export interface StageOptions {
  script?: Script | Script[];
  /** Of the listener. */
  limits?: Record<string, unknown>;
  /** Beside the service's url. */
  service?: Record<string, unknown>;
  /** In place of the one route. */
  routes?: Record<string, unknown>;
  clock?: Clock;
}

export async function stage(options: StageOptions = {}): Promise<Stage> {
  const origin = await scriptedOrigin(options.script ?? answer(200, [], 'ok'));
  const gateway = await startTestGateway(
    {
      listen: [{ name: 'front', address: '127.0.0.1:0', limits: options.limits ?? {} }],
      services: { origin: { url: origin.url, ...options.service } },
      routes: options.routes ?? { all: { match: '/*', to: 'origin' } },
    },
    options.clock === undefined ? {} : { clock: options.clock },
  );
  const clients: RawClient[] = [];
  return {
    origin,
    gateway,
    async client(patience) {
      const port = gateway.port;
      const client = await rawClient(patience === undefined ? { port } : { port, patience });
      clients.push(client);
      return client;
    },
    async close() {
      for (const client of clients) client.close();
      await gateway.close();
      await origin.close();
    },
  };
}

/** A request from its lines and body, CRLF between them. */
export function lines(...parts: string[]): string {
  return parts.join('\r\n');
}

/** A request line and header lines; `body` follows as it is. */
export function request(line: string, headers: readonly string[] = ['Host: shop.test'], body = ''): string {
  return `${[line, ...headers].join('\r\n')}\r\n\r\n${body}`;
}

export function post(headers: readonly string[], body: string): string {
  return request('POST /post HTTP/1.1', ['Host: shop.test', ...headers], body);
}

/** What an attacker hopes that the service takes for a request of its own. */
export const SMUGGLED = 'GET /smuggled HTTP/1.1\r\nHost: shop.test\r\n\r\n';

/** A row of a table: the promise, the section that rules it, the bytes. */
export interface Refusal {
  name: string;
  rfc: string;
  bytes: string;
  /** Any of these; default 400. */
  status?: number[];
}

export function refusal(name: string, rfc: string, bytes: string, ...status: number[]): Refusal {
  return { name, rfc, bytes, status: status.length === 0 ? [400] : status };
}

/**
 * Sends the bytes with a smuggled request behind them: there must be one answer, a problem document of
 * the status, then the end of the connection, and nothing of it may have reached the service as a request.
 */
export async function expectRefused(on: Stage, row: Refusal): Promise<void> {
  const before = on.origin.requests.length;
  const client = await on.client();
  await client.send(row.bytes + SMUGGLED);
  const response = await client.response();
  expect(row.status).toContain(response.status);
  expectProblem(response);
  expect(headerValue(response, 'connection')?.toLowerCase()).toBe('close');
  expect((await client.rest()).toString('latin1')).toBe('');
  expect(on.origin.requests.slice(before).map((one) => one.target)).toEqual([]);
  client.close();
}

/** As `expectRefused`, for a body that breaks after the head has gone to the service: it never gets it whole. */
export async function expectBodyRefused(on: Stage, row: Refusal): Promise<void> {
  const before = on.origin.requests.length;
  const client = await on.client();
  await client.send(row.bytes + SMUGGLED);
  const response = await client.response();
  expect(row.status).toContain(response.status);
  expectProblem(response);
  expect((await client.rest()).toString('latin1')).toBe('');
  for (const got of on.origin.requests.slice(before)) {
    expect(got.target).toBe('/post');
    expect(await got.complete).toBe(false);
  }
  client.close();
}

/** The gateway's own errors are problem documents (RFC 9457) and name no internal address. */
export function expectProblem(response: RawResponse): void {
  expect(headerValue(response, 'content-type')).toBe('application/problem+json');
  const document = JSON.parse(response.body.toString()) as Record<string, unknown>;
  expect(document.status).toBe(response.status);
  expect(document.title).toBeTypeOf('string');
  expect(response.body.toString()).not.toMatch(/127\.0\.0\.1/);
}

/** Names of a message's headers, in lower case. */
export function names(message: { headers: Pairs }): string[] {
  return message.headers.map(([name]) => name.toLowerCase());
}
