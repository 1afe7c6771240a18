/** Traces, as a collector gets them by OTLP over HTTP. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { createLogger, type Logger } from '../../src/telemetry/index.ts';
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
import { authServer } from '../auth/auth-server.ts';
import { type Attributes, exportTraceServiceRequest, type Span } from './otlp.ts';

/** A receiver of OTLP/HTTP: strict about what the protocol says of its form. */
class Collector {
  readonly spans: Span[] = [];
  readonly requests: { path: string; headers: IncomingMessage['headers'] }[] = [];
  /** What the protocol forbids. */
  readonly wrongs: string[] = [];
  resource: Attributes = [];
  /** What it answers with. */
  statuses: number[] = [];
  says = '{}';
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
    if (status === 200) this.read(Buffer.concat(parts).toString());
    response.writeHead(status, { 'content-type': 'application/json' }).end(this.says);
  }

  private read(text: string): void {
    const { success, data, error } = exportTraceServiceRequest.safeParse(JSON.parse(text));
    if (!success) return void this.wrongs.push(error.message);
    for (const { resource, scopeSpans } of data.resourceSpans) {
      this.resource = resource.attributes;
      this.spans.push(...scopeSpans.flatMap(({ spans }) => spans));
    }
  }

  async some(count: number): Promise<Span[]> {
    await until(() => this.spans.length >= count, `${count} spans`);
    return this.spans;
  }
}

const at = (span: Span, key: string) => {
  const value = span.attributes.find((one) => one.key === key)?.value;
  return (
    value?.stringValue ??
    value?.boolValue ??
    (value?.intValue === undefined ? undefined : Number(value.intValue))
  );
};
const server = (spans: readonly Span[]) => spans.find(({ kind }) => kind === 2)!;
const tries = (spans: readonly Span[]) => spans.filter(({ kind }) => kind === 3);
const named = (spans: readonly Span[], name: string) => spans.filter((span) => span.name === name);

let collector: Collector;
let service: ScriptedOrigin;
let gateway: TestGateway;
afterEach(async () => {
  await gateway.close();
  await service.close();
  collector.close();
  expect(collector.wrongs).toEqual([]);
});

async function start(
  tracing: object = {},
  route: object = {},
  script?: Script | Script[],
  more: object = {},
  log?: Logger,
): Promise<void> {
  collector = new Collector();
  const otlp = await collector.open();
  service = await scriptedOrigin(script ?? answer(200, [], 'ok'));
  const config = {
    services: { shop: { url: service.url }, down: { url: 'http://127.0.0.1:9' } },
    routes: { all: { match: '/*', to: 'shop', ...route } },
    tracing: { otlp, ...tracing },
    ...more,
  };
  gateway = await startTestGateway(config, log === undefined ? {} : { log });
}

async function ask(head = 'GET /a?b=1', ...headers: string[]): Promise<number> {
  const client = await rawClient({ port: gateway.port });
  await client.send(`${[`${head} HTTP/1.1`, 'Host: shop.test', ...headers].join('\r\n')}\r\n\r\n`);
  const { status } = await client.response(head.split(' ')[0]!);
  client.close();
  return status;
}

function logTo(lines: string[]): Logger {
  const writer = { write: (line: string) => void lines.push(line), flush: () => Promise.resolve(true) };
  return createLogger({ writer, format: 'json' });
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
      'server.port': 80,
      'client.address': '127.0.0.1',
      'user_agent.original': 'probe',
      'tidegate.route': 'all',
      'tidegate.request.id': 'id-1',
    });
    expect([one!.traceId, one!.parentSpanId]).toEqual([own.traceId, own.spanId]);
    expect(at(one!, 'tidegate.service')).toBe('shop');
    expect(at(one!, 'server.port')).toBe(Number(new URL(service.url).port));
    expect(at(one!, 'url.full')).toBe(`${service.url}/a?b=1&access_token=***`);
    expect(headerValues(service.requests[0]!, 'traceparent')).toEqual([
      `00-${own.traceId}-${one!.spanId}-01`,
    ]);
    expect(collector.requests[0]!.path).toBe('POST /v1/traces');
    expect(JSON.stringify(collector.resource)).toContain('tidegate');
  });

  it('with a method of its own makes no name of it', async () => {
    await start();
    await ask('FROB /a');
    const spans = await collector.some(2);
    for (const [span, name] of [
      [server(spans), 'HTTP all'],
      [tries(spans)[0]!, 'HTTP'],
    ] as const) {
      expect(span.name).toBe(name);
      expect(at(span, 'http.request.method')).toBe('_OTHER');
      expect(at(span, 'http.request.method_original')).toBe('FROB');
    }
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

  it('has its look into the cache as a step: the fill has one of its own, a hit none', async () => {
    await start({}, { cache: { ttl: '60s' } });
    await ask();
    await ask();
    const spans = await collector.some(6);
    const [miss, hit] = spans.filter(({ kind }) => kind === 2);
    expect([at(miss!, 'tidegate.cache'), at(hit!, 'tidegate.cache')]).toEqual(['miss', 'hit']);
    const looks = named(spans, 'cache');
    expect(looks.map((span) => at(span, 'tidegate.cache'))).toEqual(['miss', 'hit']);
    expect(looks.map(({ parentSpanId }) => parentSpanId)).toEqual([miss!.spanId, hit!.spanId]);
    const [fill] = named(spans, 'cache fill');
    expect(fill!.parentSpanId).toBe(miss!.spanId);
    expect(tries(spans).map(({ parentSpanId }) => parentSpanId)).toEqual([fill!.spanId]);
  });

  it("that waits for another's fill is linked to it", async () => {
    let open = () => {};
    const opened = new Promise<void>((resolve) => {
      open = resolve;
    });
    const whole = answer(200, [], 'ok');
    await start(
      {},
      { cache: { ttl: '60s' } },
      async (exchange) => {
        await opened;
        await exchange.connection.send(whole as string);
      },
      {
        routes: {
          all: { match: '/a', to: 'shop', cache: { ttl: '60s' } },
          own: { match: '/own', respond: {} },
        },
      },
    );
    const first = ask();
    await until(() => service.requests.length === 1, 'the fill');
    const second = await rawClient({ port: gateway.port });
    await second.send('GET /a?b=1 HTTP/1.1\r\nHost: shop.test\r\n\r\n');
    // What was sent after it has been answered, so it has been read.
    await ask('GET /own');
    open();
    await first;
    expect((await second.response('GET')).status).toBe(200);
    second.close();
    expect(service.requests).toHaveLength(1);
    const spans = await collector.some(7);
    const [fill] = named(spans, 'cache fill');
    const looks = named(spans, 'cache');
    const joined = looks.find(({ links }) => links !== undefined)!;
    expect(joined.links).toEqual([{ traceId: fill!.traceId, spanId: fill!.spanId }]);
    expect(joined.traceId).not.toBe(fill!.traceId);
    expect(at(joined, 'tidegate.cache')).toBe('collapsed');
    expect(looks).toHaveLength(2);
  });

  it('whose client leaves is recorded with its look into the cache', async () => {
    await start({}, { cache: { ttl: '60s' } }, () => new Promise<void>(() => {}));
    const client = await rawClient({ port: gateway.port });
    await client.send('GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n');
    await until(() => service.requests.length === 1, 'the fill');
    client.close();
    const spans = await collector.some(2);
    expect(named(spans, 'cache')[0]!.parentSpanId).toBe(server(spans).spanId);
  });

  it('is none that the gateway makes by itself: what it refreshes is a trace of its own', async () => {
    let version = 1;
    await start({}, { cache: { ttl: '10m', refresh: true } }, ({ connection, request }) => {
      if (request.method === 'PUT') version++;
      return connection.send(answer(request.method === 'PUT' ? 204 : 200, [], `v${version}`));
    });
    for (let i = 0; i < 4; i++) await ask();
    await ask('PUT /a?b=1', 'Content-Length: 0');
    const refreshed = await until(() => named(collector.spans, 'cache refresh')[0], 'the trace of a refresh');
    expect(refreshed).toMatchObject({ kind: 1 });
    expect(refreshed.parentSpanId).toBeUndefined();
    expect(at(refreshed, 'tidegate.route')).toBe('all');
    const own = collector.spans.filter(({ traceId }) => traceId === refreshed.traceId);
    const [fill] = named(own, 'cache fill');
    expect(fill!.parentSpanId).toBe(refreshed.spanId);
    expect(tries(own).map(({ parentSpanId }) => parentSpanId)).toEqual([fill!.spanId]);
    expect(server(own)).toBeUndefined();
  });

  it('has each decision of a provider as a step, below it what an auth server was asked', async () => {
    const auth = await authServer();
    await using _ = { [Symbol.asyncDispose]: () => auth.origin.close() };
    const corp = {
      introspection: {
        endpoint: `${auth.origin.url}/introspect`,
        clientId: 'gw',
        clientSecret: 'pw',
        cache: '60s',
      },
    };
    await start({}, { auth: { with: 'corp' } }, undefined, { auth: { corp } });
    for (let i = 0; i < 2; i++) expect(await ask('GET /', 'Authorization: Bearer abc')).toBe(200);
    auth.say = () => ({ active: false });
    expect(await ask('GET /', 'Authorization: Bearer def')).toBe(401);
    const spans = await collector.some(10);
    const steps = named(spans, 'auth corp');
    expect(
      steps.map((span) => [at(span, 'tidegate.auth.decision'), at(span, 'tidegate.auth.outcome')]),
    ).toEqual([
      ['asked', 'allowed'],
      ['kept', 'allowed'],
      ['asked', 'refused'],
    ]);
    const questions = tries(spans).filter((span) => at(span, 'tidegate.service') === 'auth corp');
    expect(questions.map(({ parentSpanId }) => parentSpanId)).toEqual([steps[0]!.spanId, steps[2]!.spanId]);
    expect(questions.map((span) => at(span, 'url.path'))).toEqual(['/introspect', '/introspect']);
    expect(auth.asked.map(({ headers }) => headers.traceparent)).toEqual(
      questions.map(({ traceId, spanId }) => `00-${traceId}-${spanId}-01`),
    );
    const servers = spans.filter(({ kind }) => kind === 2);
    expect(steps.map(({ parentSpanId }) => parentSpanId)).toEqual(servers.map(({ spanId }) => spanId));
  });

  it('has a copy that was sent elsewhere as a step', async () => {
    const copies = await scriptedOrigin(answer(200, [], 'copied'));
    await using _ = { [Symbol.asyncDispose]: () => copies.close() };
    await start({}, { mirror: { to: 'twin' } }, undefined, {
      services: { shop: { url: 'http://127.0.0.1:9' }, twin: { url: copies.url } },
    });
    await ask();
    const spans = await collector.some(4);
    const [mirror] = named(spans, 'mirror');
    expect(mirror!.parentSpanId).toBe(server(spans).spanId);
    const below = tries(spans).filter(({ parentSpanId }) => parentSpanId === mirror!.spanId);
    expect(below.map((span) => at(span, 'tidegate.service'))).toEqual(['twin']);
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

  it.each([
    [415, '', /answers 415: it takes no OTLP in JSON/],
    [400, '{"code":3,"message":"no such field"}', /answers 400: .*\(no such field\)$/],
    [404, 'page not found', /answers 404: .*mostly \/v1\/traces \(page not found\)$/],
  ])('that answers %i is told of once, and why', async (status, says, why) => {
    const lines: string[] = [];
    const log = logTo(lines);
    await start({}, {}, undefined, {}, log);
    collector.says = says;
    collector.statuses = [status, status];
    await ask();
    await until(() => collector.requests.length === 1, 'the first batch');
    await ask();
    await until(() => collector.requests.length === 2, 'the second batch');
    await ask();
    await collector.some(2);
    await until(() => lines.some((line) => line.includes('taken again')), 'the end of it');
    const told = lines.map((line) => JSON.parse(line)).filter(({ message }) => /^traces/.test(message));
    expect(told.map(({ message }) => message)).toEqual(['traces are refused', 'traces are taken again']);
    expect(told[0].why).toMatch(why);
  });

  it('that takes a part alone is told of', async () => {
    const lines: string[] = [];
    const log = logTo(lines);
    await start({}, {}, undefined, {}, log);
    collector.says = '{"partialSuccess":{"rejectedSpans":"2","errorMessage":"too old"}}';
    await ask();
    await until(() => lines.some((line) => line.includes('too old')), 'a line of the log');
    expect(JSON.parse(lines.at(-1)!)).toMatchObject({
      message: 'traces are refused',
      why: 'it takes only a part (too old)',
      spans: 2,
    });
  });

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
