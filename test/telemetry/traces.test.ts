/** Traces, as a collector gets them by OTLP over HTTP. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import {
  answer,
  headerValue,
  headerValues,
  rawClient,
  type Script,
  type ScriptedOrigin,
  scriptedOrigin,
  startTestGateway,
  type TestGateway,
  until,
} from '../../src/testkit/index.ts';

interface Value {
  stringValue?: string;
  intValue?: string;
}
interface Span {
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  traceState?: string;
  name: string;
  kind: number;
  startTimeUnixNano: string;
  endTimeUnixNano: string;
  attributes: { key: string; value: Value }[];
  status: { code?: number };
}

/** A receiver of OTLP/HTTP: strict about what the protocol says of its form. */
class Collector {
  readonly spans: Span[] = [];
  readonly requests: { path: string; headers: IncomingMessage['headers'] }[] = [];
  resource: { key: string; value: Value }[] = [];
  /** What it answers with. */
  statuses: number[] = [];
  hang = false;
  private readonly server: Server;

  constructor() {
    this.server = createServer((request, response) => void this.take(request, response));
  }

  async open(): Promise<string> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  close(): void {
    this.server.closeAllConnections();
    this.server.close();
  }

  private async take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    this.requests.push({ path: `${request.method} ${request.url}`, headers: request.headers });
    if (this.hang) return;
    const status = this.statuses.shift() ?? 200;
    if (status === 200) {
      const body = JSON.parse(Buffer.concat(parts).toString()) as {
        resourceSpans: { resource: { attributes: Collector['resource'] }; scopeSpans: { spans: Span[] }[] }[];
      };
      for (const { resource, scopeSpans } of body.resourceSpans) {
        this.resource = resource.attributes;
        for (const span of scopeSpans.flatMap(({ spans }) => spans)) this.check(span);
      }
    }
    response.writeHead(status, { 'content-type': 'application/json' }).end('{}');
  }

  private check(span: Span): void {
    expect(span.traceId).toMatch(/^[0-9a-f]{32}$/);
    expect(span.spanId).toMatch(/^[0-9a-f]{16}$/);
    expect(span.startTimeUnixNano).toMatch(/^\d{19}$/);
    expect(BigInt(span.endTimeUnixNano)).toBeGreaterThanOrEqual(BigInt(span.startTimeUnixNano));
    for (const { value } of span.attributes) expect(Object.keys(value)).toHaveLength(1);
    this.spans.push(span);
  }

  async some(count: number): Promise<Span[]> {
    await until(() => this.spans.length >= count, `${count} spans`);
    return this.spans;
  }
}

const at = (span: Span, key: string) => {
  const value = span.attributes.find((one) => one.key === key)?.value;
  return value?.stringValue ?? (value?.intValue === undefined ? undefined : Number(value.intValue));
};
const server = (spans: readonly Span[]) => spans.find(({ kind }) => kind === 2)!;
const tries = (spans: readonly Span[]) => spans.filter(({ kind }) => kind === 3);

let collector: Collector;
let service: ScriptedOrigin;
let gateway: TestGateway;
afterEach(async () => {
  await gateway.close();
  await service.close();
  collector.close();
});

async function start(
  tracing: object = {},
  route: object = {},
  script?: Script | Script[],
  more: object = {},
): Promise<void> {
  collector = new Collector();
  const otlp = await collector.open();
  service = await scriptedOrigin(script ?? answer(200, [], 'ok'));
  gateway = await startTestGateway({
    services: { shop: { url: service.url }, down: { url: 'http://127.0.0.1:9' } },
    routes: { all: { match: '/*', to: 'shop', ...route } },
    tracing: { otlp, ...tracing },
    ...more,
  });
}

async function ask(head = 'GET /a?b=1', ...headers: string[]): Promise<number> {
  const client = await rawClient({ port: gateway.port });
  await client.send(`${[`${head} HTTP/1.1`, 'Host: shop.test', ...headers].join('\r\n')}\r\n\r\n`);
  const { status } = await client.response(head.split(' ')[0]!);
  client.close();
  return status;
}

const PARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

describe('a request that is recorded', () => {
  it('is a span, with one for the try at its service, which is told of it', async () => {
    await start();
    await ask('GET /a?b=1&access_token=hunter2', 'User-Agent: probe', 'X-Request-Id: id-1');
    const spans = await collector.some(2);
    const own = server(spans);
    const [one] = tries(spans);
    expect(own.name).toBe('GET all');
    expect(own.parentSpanId).toBeUndefined();
    expect(Object.fromEntries(own.attributes.map(({ key }) => [key, at(own, key)]))).toMatchObject({
      'http.request.method': 'GET',
      'http.response.status_code': 200,
      'url.path': '/a',
      'url.query': 'b=1&access_token=***',
      'server.address': 'shop.test',
      'client.address': '127.0.0.1',
      'user_agent.original': 'probe',
      'tidegate.route': 'all',
      'tidegate.request.id': 'id-1',
    });
    expect([one!.traceId, one!.parentSpanId]).toEqual([own.traceId, own.spanId]);
    expect(at(one!, 'tidegate.service')).toBe('shop');
    expect(at(one!, 'server.port')).toBe(Number(new URL(service.url).port));
    expect(headerValues(service.requests[0]!, 'traceparent')).toEqual([
      `00-${own.traceId}-${one!.spanId}-01`,
    ]);
    expect(collector.requests[0]!.path).toBe('POST /v1/traces');
    expect(JSON.stringify(collector.resource)).toContain('tidegate');
  });

  it('goes on with the trace that it came with', async () => {
    await start();
    await ask('GET /', `traceparent: ${PARENT}`, 'tracestate: vendor=1');
    const spans = await collector.some(2);
    expect(server(spans)).toMatchObject({
      traceId: PARENT.slice(3, 35),
      parentSpanId: PARENT.slice(36, 52),
      traceState: 'vendor=1',
    });
    expect(headerValue(service.requests[0]!, 'tracestate')).toBe('vendor=1');
    expect(headerValue(service.requests[0]!, 'traceparent')).toBe(
      `${PARENT.slice(0, 36)}${tries(spans)[0]!.spanId}-01`,
    );
  });

  it('has a span for each try, and says what failed', async () => {
    await start({}, { retries: { attempts: 1, on: ['503'] } }, [answer(503), answer(200)]);
    expect(await ask()).toBe(200);
    const [first, second] = tries(await collector.some(3));
    expect([at(first!, 'http.response.status_code'), at(second!, 'http.response.status_code')]).toEqual([
      503, 200,
    ]);
    expect([first!.status.code, second!.status.code]).toEqual([2, undefined]);
  });

  it('of a service that is down says so', async () => {
    await start({}, { to: 'down', retries: 'none' });
    expect(await ask()).toBe(502);
    const spans = await collector.some(2);
    expect(server(spans).status.code).toBe(2);
    expect(at(server(spans), 'error.type')).toBe('TG_UPSTREAM_REFUSED');
    expect(at(tries(spans)[0]!, 'error.type')).toBe('TG_UPSTREAM_REFUSED');
  });

  it('that is answered from the cache has none but its own', async () => {
    await start({}, { cache: { ttl: '60s' } });
    await ask();
    await ask();
    const spans = await collector.some(3);
    expect(tries(spans)).toHaveLength(1);
    expect(spans.filter(({ kind }) => kind === 2).map((span) => at(span, 'tidegate.cache'))).toEqual([
      'miss',
      'hit',
    ]);
  });

  it('to an aggregate has one for each call', async () => {
    await start({}, {}, answer(200, [['Content-Type', 'application/json']], '{}'), {
      routes: {
        page: {
          match: '/page',
          aggregate: { calls: { a: { to: 'shop', path: '/a' }, b: { to: 'shop', path: '/b' } } },
        },
      },
    });
    expect(await ask('GET /page')).toBe(200);
    const spans = await collector.some(3);
    expect(
      tries(spans)
        .map((span) => at(span, 'url.path'))
        .sort(),
    ).toEqual(['/a', '/b']);
    for (const span of tries(spans)) expect(span.parentSpanId).toBe(server(spans).spanId);
  });
});

describe('what is not recorded', () => {
  it('what comes with a parent that is not; it goes on as it came', async () => {
    await start();
    const parent = `${PARENT.slice(0, 53)}00`;
    await ask('GET /quiet', `traceparent: ${parent}`);
    await ask('GET /loud');
    const spans = await collector.some(2);
    expect(spans.map((span) => at(span, 'url.path'))).not.toContain('/quiet');
    expect(headerValue(service.requests[0]!, 'traceparent')).toBe(parent);
  });

  it('the share that is not chosen', async () => {
    await start({ sample: '0.000001%' });
    for (let i = 0; i < 20; i++) await ask();
    await ask('GET /last', `traceparent: ${PARENT}`);
    const spans = await collector.some(2);
    expect(spans).toHaveLength(2);
  });
});

describe('a collector', () => {
  it('that is busy gets the same spans again', async () => {
    await start();
    collector.statuses = [503];
    await ask();
    await until(() => collector.requests.length >= 1, 'the first try');
    await collector.some(2);
    expect(collector.spans).toHaveLength(2);
  }, 15_000);

  it('that hangs costs no request', async () => {
    await start();
    collector.hang = true;
    for (let i = 0; i < 50; i++) expect(await ask()).toBe(200);
  });

  it('is shown who the gateway is', async () => {
    await start({ headers: { authorization: 'Bearer sesame' }, serviceName: 'edge' });
    await ask();
    await collector.some(2);
    expect(collector.requests[0]!.headers.authorization).toBe('Bearer sesame');
    expect(JSON.stringify(collector.resource)).toContain('"edge"');
  });
});
