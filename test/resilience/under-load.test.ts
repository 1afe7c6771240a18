import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import {
  freePort,
  type HttpOrigin,
  httpOrigin,
  startTestGateway,
  type TestGateway,
} from '../../src/testkit/index.ts';

/** The target that fails may be in for so long, from the first request on. */
const GRACE = 1000;
const RUN = 2200;

interface Outcome {
  method: string;
  id: string;
  at: number;
  status: number;
}

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** How often each id was seen by any target. */
const seen = new Map<string, number>();

function note(request: IncomingMessage): void {
  const id = request.headers['x-id'] as string;
  seen.set(id, (seen.get(id) ?? 0) + 1);
}

async function target(
  act: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<HttpOrigin> {
  const origin = await httpOrigin((request, response) => {
    note(request);
    act(request, response);
  });
  closers.push(() => origin.close());
  return origin;
}

const answers = (_request: IncomingMessage, response: ServerResponse) => void response.end('ok');

async function gatewayBefore(urls: string[]): Promise<TestGateway> {
  const gateway = await startTestGateway({
    services: {
      shop: {
        targets: urls,
        timeout: { firstByte: '150ms' },
        retries: { on: ['connectFailure', 'reset', 'timeout', 503], budget: '100%' },
      },
    },
    routes: { all: { match: '/*', to: 'shop' } },
  });
  closers.push(() => gateway.close());
  return gateway;
}

/** Sixteen clients, each sending one request after another. */
async function load(port: number): Promise<Outcome[]> {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 16 });
  const outcomes: Outcome[] = [];
  const begun = performance.now();
  let n = 0;
  const client = async (): Promise<void> => {
    while (performance.now() - begun < RUN) {
      const id = String(n++);
      const method = n % 4 === 0 ? 'POST' : 'GET';
      const at = performance.now() - begun;
      outcomes.push({ method, id, at, status: await send(agent, port, method, id) });
    }
  };
  await Promise.all(Array.from({ length: 16 }, client));
  agent.destroy();
  return outcomes;
}

function send(agent: http.Agent, port: number, method: string, id: string): Promise<number> {
  return new Promise((resolve) => {
    const request = http.request({ agent, port, method, path: '/', headers: { 'x-id': id } }, (response) => {
      response.resume();
      response.on('end', () => resolve(response.statusCode!));
      response.on('error', () => resolve(0));
    });
    request.on('error', () => resolve(0));
    request.end(method === 'POST' ? 'text' : undefined);
  });
}

const KINDS: [string, () => Promise<string>][] = [
  ['is dead', async () => `http://127.0.0.1:${await freePort()}`],
  ['hangs', async () => (await target(() => {})).url],
  ['resets', async () => (await target((request) => request.socket.resetAndDestroy())).url],
  [
    'answers 503',
    async () =>
      (
        await target((_request, response) => {
          response.statusCode = 503;
          response.end();
        })
      ).url,
  ],
];

describe('one of three targets', () => {
  it.each(KINDS)(
    '%s: no idempotent request fails once it is out, no unsafe one is sent twice',
    async (_, failing) => {
      seen.clear();
      const urls = [await failing(), (await target(answers)).url, (await target(answers)).url];
      const gateway = await gatewayBefore(urls);
      const outcomes = await load(gateway.port);
      const late = outcomes.filter(({ at }) => at > GRACE);
      expect(late.length).toBeGreaterThan(100);
      expect(late.filter(({ method, status }) => method === 'GET' && status !== 200)).toEqual([]);
      for (const { method, id } of outcomes)
        if (method === 'POST') expect(seen.get(id) ?? 0).toBeLessThanOrEqual(1);
    },
  );
});
