import { afterEach, describe, expect, it } from 'vitest';
import {
  certificates,
  dataFrame,
  ErrorCode,
  type Field,
  type FrameRequest,
  type FrameService,
  type FrameServiceOptions,
  FrameType,
  frameService,
  Gate,
  goawayFrame,
  headFrame,
  http2Origin,
  MAX_CONCURRENT_STREAMS,
  ManualClock,
  type RawResponse,
  rawClient,
  resetFrame,
  scriptedOrigin,
  settingsFrame,
  startTestGateway,
  type TestGateway,
  tempFolder,
  turn,
  until,
} from '../../src/testkit/index.ts';

const STATUS_200: Field = [':status', '200'];
const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

interface Stage {
  services: FrameService[];
  gateway: TestGateway;
  clock: ManualClock;
  config(settings?: object): object;
}

type Script = (request: FrameRequest) => void;

/** A gateway, with a clock moved by hand, in front of a service of frames with these targets. */
async function stage(
  scripts: Script[],
  settings: object = {},
  options: FrameServiceOptions = {},
): Promise<Stage> {
  const services = await Promise.all(scripts.map((script) => frameService(script, options)));
  const clock = new ManualClock();
  const config = (changed = settings) => ({
    services: { service: { targets: services.map(({ url }) => url), balance: 'roundRobin', ...changed } },
    routes: { all: { match: '/*', to: 'service' } },
  });
  const gateway = await startTestGateway(config(), { clock });
  closers.push(...services.map((service) => () => service.close()), () => gateway.close());
  return { services, gateway, clock, config };
}

async function ask(on: Stage, method = 'GET', body = ''): Promise<RawResponse> {
  await using client = await rawClient({ port: on.gateway.port });
  const length = body === '' ? '' : `Content-Length: ${body.length}\r\n`;
  await client.send(`${method} / HTTP/1.1\r\nHost: a\r\n${length}\r\n${body}`);
  return await client.response(method);
}

const codeOf = (response: RawResponse) => String(JSON.parse(response.body.toString()).code);

const answers: Script = ({ connection, stream }) => connection.send(headFrame(stream, [STATUS_200], true));
const hold: Script = () => {};
const answer = ({ connection, stream }: FrameRequest, body = 'ok') =>
  connection.send(headFrame(stream, [STATUS_200]), dataFrame(stream, body, true));

/** Every wait of the gateway's own sockets is over. */
async function settle(): Promise<void> {
  for (let i = 0; i < 20; i++) await turn();
}

describe('a connection of HTTP/2', () => {
  it('carries many requests at once, and the next ones too', async () => {
    const on = await stage([hold]);
    const [service] = on.services as [FrameService];
    const all = Array.from({ length: 60 }, () => ask(on));
    await until(() => service.requests.length === 60, 'all to be under way');
    for (const request of service.requests) answer(request);
    expect((await Promise.all(all)).map(({ status }) => status)).toEqual(Array(60).fill(200));
    const last = ask(on);
    await until(() => service.requests.length === 61, 'the next');
    answer(service.requests[60]!);
    expect((await last).status).toBe(200);
    expect(service.connections).toHaveLength(1);
  });

  it('carries no more than its service takes (RFC 9113 §5.1.2): others are made beside it', async () => {
    const on = await stage([hold], {}, { settings: { [MAX_CONCURRENT_STREAMS]: 3 } });
    const [service] = on.services as [FrameService];
    const all = Array.from({ length: 10 }, () => ask(on));
    await until(() => service.requests.length === 10, 'all to be under way');
    const loads = service.connections.map((one) => one.of(FrameType.headers).length);
    expect(Math.max(...loads)).toBe(3);
    expect(loads.reduce((sum, one) => sum + one)).toBe(10);
    for (const request of service.requests) answer(request);
    await Promise.all(all);
  });

  it('beyond pool.connections makes requests wait for a place, in their order', async () => {
    const options = { settings: { [MAX_CONCURRENT_STREAMS]: 2 } };
    const on = await stage([hold], { pool: { connections: 1 } }, options);
    const [service] = on.services as [FrameService];
    const done: number[] = [];
    const all: Promise<unknown>[] = [];
    for (let i = 0; i < 5; i++) {
      all.push(ask(on).then(() => done.push(i)));
      await settle();
    }
    for (let answered = 0; answered < 5; answered++) {
      await until(() => service.requests.length > answered, 'the next');
      await settle();
      expect(service.requests.length).toBe(Math.min(5, answered + 2));
      answer(service.requests[answered]!);
      await until(() => done.length > answered, 'its answer');
    }
    await Promise.all(all);
    expect(done).toEqual([0, 1, 2, 3, 4]);
    expect(service.connections).toHaveLength(1);
  });

  it('and breaker.maxPending of them alone: the next is 503', async () => {
    const options = { settings: { [MAX_CONCURRENT_STREAMS]: 1 } };
    const settings = { pool: { connections: 1 }, breaker: { maxPending: 1 }, retries: 'none' };
    const on = await stage([hold], settings, options);
    const [service] = on.services as [FrameService];
    const first = ask(on);
    await until(() => service.requests.length === 1, 'the first');
    const second = ask(on);
    await settle();
    const third = await ask(on);
    expect([third.status, codeOf(third)]).toEqual([503, 'TG_UPSTREAM_BUSY']);
    answer(service.requests[0]!);
    await until(() => service.requests.length === 2, 'the second');
    answer(service.requests[1]!);
    expect([(await first).status, (await second).status]).toEqual([200, 200]);
  });

  it('takes more as soon as its service says so, and none while it says 0', async () => {
    const on = await stage([hold], {}, { settings: { [MAX_CONCURRENT_STREAMS]: 0 } });
    const [service] = on.services as [FrameService];
    const all = [ask(on), ask(on)];
    await until(() => service.connections[0]?.of(FrameType.settings).length === 2, 'the connection');
    await settle();
    expect([service.requests.length, service.connections.length]).toEqual([0, 1]);
    service.connections[0]!.send(settingsFrame({ [MAX_CONCURRENT_STREAMS]: 1 }));
    for (const at of [0, 1]) {
      await until(() => service.requests.length === at + 1, 'the next');
      answer(service.requests[at]!);
    }
    await Promise.all(all);
    expect(new Set(service.requests.map(({ connection }) => connection)).size).toBe(1);
  });

  it('waits no longer than a request may wait for an answer', async () => {
    const settings = { timeout: '2s' };
    const on = await stage([hold], settings, { settings: { [MAX_CONCURRENT_STREAMS]: 0 } });
    const asked = ask(on);
    await until(() => on.services[0]!.connections[0]?.of(FrameType.settings).length === 2, 'the connection');
    await settle();
    on.clock.advance(2_001);
    const got = await asked;
    expect([got.status, codeOf(got)]).toEqual([504, 'TG_UPSTREAM_TIMEOUT']);
  });

  it('is closed with GOAWAY once idle for pool.idle, and not while it carries anything', async () => {
    const on = await stage([hold], { pool: { idle: '10s' } });
    const [service] = on.services as [FrameService];
    const first = ask(on);
    await until(() => service.requests.length === 1, 'the first');
    on.clock.advance(11_000);
    answer(service.requests[0]!);
    expect((await first).status).toBe(200);
    await settle();
    on.clock.advance(9_000);
    expect(service.connections[0]!.of(FrameType.goaway)).toEqual([]);
    on.clock.advance(1_001);
    await until(() => service.connections[0]!.of(FrameType.goaway).length > 0, 'GOAWAY');
    await until(() => service.connections[0]!.closed, 'its end');
  });

  it('that its service does not close after GOAWAY ends all the same', async () => {
    const on = await stage([answers], { pool: { idle: '10s' } }, { halfOpen: true });
    const [service] = on.services as [FrameService];
    await ask(on);
    const [connection] = service.connections;
    await settle();
    on.clock.advance(10_001);
    await until(() => connection!.of(FrameType.goaway).length > 0, 'GOAWAY');
    await settle();
    on.clock.advance(5_001);
    // Whoever writes to what is not there any more learns of it.
    await until(() => {
      connection!.send(settingsFrame());
      return connection!.closed;
    }, 'its end');
  });

  it('idle for a second is too old for a request that can’t be sent twice', async () => {
    const on = await stage([answers], { pool: { idle: '1m' } });
    const [service] = on.services as [FrameService];
    await ask(on, 'POST', 'x');
    on.clock.advance(900);
    await ask(on, 'POST', 'x');
    expect(service.connections).toHaveLength(1);
    on.clock.advance(1_100);
    await ask(on);
    expect(service.connections).toHaveLength(1);
    on.clock.advance(1_100);
    await ask(on, 'POST', 'x');
    expect(service.connections).toHaveLength(2);
  });

  it('on which many requests were given up is left for another, before its service takes that for an attack', async () => {
    const on = await stage([hold], { breaker: { maxRequests: 10_000 } });
    const [service] = on.services as [FrameService];
    const held = ask(on);
    await until(() => service.requests.length === 1, 'the first');
    for (let given = 50; given <= 200; given += 50) {
      const clients = await Promise.all(
        Array.from({ length: 50 }, async () => {
          const client = await rawClient({ port: on.gateway.port });
          await client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
          return client;
        }),
      );
      await until(() => service.requests.length === given + 1, 'them to be under way');
      for (const client of clients) client.close();
      await until(() => service.connections[0]!.of(FrameType.reset).length === given, 'all to be given up');
    }
    const next = ask(on);
    await until(() => service.requests.length === 202, 'the next');
    expect(service.requests[201]!.connection).toBe(service.connections[1]);
    for (const request of [service.requests[0]!, service.requests[201]!]) answer(request);
    expect([(await held).status, (await next).status]).toEqual([200, 200]);
    await until(() => service.connections[0]!.closed, 'the first connection to end');
  });

  it('is kept through a reload, and closed once nobody names its service', async () => {
    const on = await stage([hold]);
    const [service] = on.services as [FrameService];
    const first = ask(on);
    await until(() => service.requests.length === 1, 'the first');
    await on.gateway.reload(on.config({ timeout: '40s' }));
    const second = ask(on);
    await until(() => service.requests.length === 2, 'the second');
    expect(service.connections).toHaveLength(1);
    await on.gateway.reload({ routes: { all: { match: '/*', respond: { body: 'gone' } } } });
    for (const request of service.requests) answer(request, 'late');
    expect((await first).body.toString()).toBe('late');
    expect((await second).body.toString()).toBe('late');
    await until(() => service.connections[0]!.closed, 'its end');
  });
});

describe('GOAWAY (RFC 9113 §6.8)', () => {
  it('lets what is under way end, and sends what comes next elsewhere', async () => {
    const on = await stage([hold]);
    const [service] = on.services as [FrameService];
    const first = ask(on);
    await until(() => service.requests.length === 1, 'the first');
    service.connections[0]!.send(goawayFrame(2 ** 31 - 1, ErrorCode.noError));
    await until(() => service.connections[0]!.of(FrameType.goaway).length > 0, 'the gateway’s own');
    const second = ask(on);
    await until(() => service.requests.length === 2, 'the second');
    expect(service.requests[1]!.connection).toBe(service.connections[1]);
    for (const request of service.requests) answer(request);
    expect([(await first).status, (await second).status]).toEqual([200, 200]);
    await until(() => service.connections[0]!.closed, 'its end');
  });

  it.each(['GET', 'POST'])(
    'lets a %s that it passed over be sent again, outside of count and budget',
    async (method) => {
      const on = await stage([hold], { retries: 'none' });
      const [service] = on.services as [FrameService];
      const first = ask(on);
      await until(() => service.requests.length === 1, 'the first');
      const second = ask(on, method, method === 'POST' ? 'body' : '');
      await until(() => service.requests.length === 2, 'the second');
      service.connections[0]!.send(goawayFrame(1, ErrorCode.noError));
      await until(() => service.requests.length === 3, 'it to come again');
      const again = service.requests[2]!;
      expect(again.connection).toBe(service.connections[1]);
      if (method === 'POST')
        await until(() => again.connection.of(FrameType.data)[0]?.payload.toString() === 'body', 'its body');
      answer(service.requests[0]!, 'first');
      answer(again, 'second');
      expect((await first).body.toString()).toBe('first');
      expect((await second).body.toString()).toBe('second');
    },
  );

  it('with an error ends what it covers: only what may be repeated is', async () => {
    const on = await stage([hold], { retries: 'none' });
    const [service] = on.services as [FrameService];
    const warm = ask(on);
    await until(() => service.requests.length === 1, 'the first');
    answer(service.requests[0]!);
    await warm;
    const get = ask(on);
    await until(() => service.requests.length === 2, 'the GET');
    const post = ask(on, 'POST', 'x');
    await until(() => service.requests.length === 3, 'the POST');
    service.connections[0]!.send(goawayFrame(5, ErrorCode.enhanceYourCalm));
    await until(() => service.requests.length === 4, 'the GET again');
    answer(service.requests[3]!);
    expect((await get).status).toBe(200);
    expect((await post).status).toBe(502);
  });
});

describe('a refused stream (RFC 9113 §8.7)', () => {
  const refuse: Script = ({ connection, stream }) =>
    connection.send(resetFrame(stream, ErrorCode.refusedStream));

  it.each(['GET', 'POST'])('is tried again on another target, a %s too', async (method) => {
    const on = await stage([refuse, answers]);
    const got = await Promise.all([
      ask(on, method, method === 'POST' ? 'body' : ''),
      ask(on, method, method === 'POST' ? 'body' : ''),
    ]);
    expect(got.map(({ status }) => status)).toEqual([200, 200]);
    expect(on.services[1]!.connections[0]!.of(FrameType.headers)).toHaveLength(2);
    if (method === 'POST')
      expect(on.services[1]!.connections[0]!.of(FrameType.data).map(({ payload }) => `${payload}`)).toContain(
        'body',
      );
  });

  it('is not where retries.on does not name connectFailure, or its body is gone by', async () => {
    const none = await stage([refuse, answers], { retries: { on: ['reset'] } });
    const results = [await ask(none), await ask(none)];
    expect(results.map(({ status }) => status).sort()).toEqual([200, 502]);
    const late: Script = ({ connection, stream }) => {
      until(() => connection.of(FrameType.data, stream).length > 3, 'content').then(() =>
        connection.send(resetFrame(stream, ErrorCode.refusedStream)),
      );
    };
    const large = await stage([late]);
    const got = await ask(large, 'POST', 'x'.repeat(70_000));
    expect([got.status, codeOf(got)]).toEqual([502, 'TG_UPSTREAM_REFUSED']);
  });

  it('again and again takes its target out', async () => {
    const on = await stage([refuse, answers], { health: { panic: '0%' }, retries: { budget: '100%' } });
    for (let i = 0; i < 20; i++) expect((await ask(on)).status).toBe(200);
    expect(on.services[0]!.requests).toHaveLength(5);
  });
});

describe('a reset by the service', () => {
  it('before the answer counts as a reset: tried again where that is safe', async () => {
    const cancel: Script = ({ connection, stream }) => connection.send(resetFrame(stream, ErrorCode.cancel));
    const on = await stage([cancel, answers]);
    const gets = await Promise.all([ask(on), ask(on)]);
    expect(gets.map(({ status }) => status)).toEqual([200, 200]);
    const posts = [await ask(on, 'POST', 'x'), await ask(on, 'POST', 'x')];
    expect(posts.map(({ status }) => status).sort()).toEqual([200, 502]);
  });

  it('on a kept connection is no sign that it was stale: it counts among the tries', async () => {
    const on = await stage(
      [
        ({ connection, stream, number }) => {
          if (number === 0) return connection.send(headFrame(stream, [STATUS_200], true));
          connection.send(resetFrame(stream, ErrorCode.internalError));
        },
      ],
      { retries: 'none' },
    );
    expect((await ask(on)).status).toBe(200);
    expect((await ask(on)).status).toBe(502);
    expect(on.services[0]!.requests).toHaveLength(2);
  });
});

describe('a connection that is lost', () => {
  it('on which others went before is taken for stale: what may be repeated is, once, on one fresh connection', async () => {
    const on = await stage([hold], { retries: 'none' });
    const [service] = on.services as [FrameService];
    const warm = ask(on);
    await until(() => service.requests.length === 1, 'the first');
    answer(service.requests[0]!);
    await warm;
    const gets = Array.from({ length: 5 }, () => ask(on));
    await until(() => service.requests.length === 6, 'the GETs');
    const post = ask(on, 'POST', 'x');
    await until(() => service.requests.length === 7, 'the POST');
    service.connections[0]!.socket.resetAndDestroy();
    const lost = await post;
    expect([lost.status, codeOf(lost)]).toEqual([502, 'TG_UPSTREAM_RESET']);
    await until(() => service.requests.length === 12, 'the GETs again');
    for (const request of service.requests.slice(7)) answer(request);
    expect((await Promise.all(gets)).map(({ status }) => status)).toEqual(Array(5).fill(200));
    expect(service.connections).toHaveLength(2);
  });
});

describe('a connection that nothing is heard of', () => {
  /** PINGs that are no answers. */
  const pings = (service: FrameService, at = 0) => service.connections[at]!.of(FrameType.ping).length;

  it('is asked with PING once a request has waited in vain, and ended where it does not answer', async () => {
    const on = await stage([hold], { timeout: '10s', retries: 'none' }, { deaf: true });
    const [service] = on.services as [FrameService];
    const first = ask(on);
    await until(() => service.requests.length === 1, 'the first');
    on.clock.advance(8_000);
    const second = ask(on);
    await until(() => service.requests.length === 2, 'the second');
    on.clock.advance(2_001);
    expect((await first).status).toBe(504);
    await until(() => pings(service) === 1, 'PING');
    // Nothing more is entrusted to it meanwhile.
    const third = ask(on);
    await until(() => service.requests.length === 3, 'the third');
    expect(service.requests[2]!.connection).toBe(service.connections[1]);
    on.clock.advance(5_001);
    // It may have gone stale, and a GET is repeated where it had been used before.
    await until(() => service.requests.length === 4, 'the second again');
    expect(
      service.connections[0]!.closed || (await until(() => service.connections[0]!.closed, 'its end')),
    ).toBe(true);
    for (const request of service.requests.slice(2)) answer(request);
    expect([(await second).status, (await third).status]).toEqual([200, 200]);
  });

  it('goes on in use where it answers the PING', async () => {
    const on = await stage([hold], { timeout: '10s', retries: 'none' });
    const [service] = on.services as [FrameService];
    const first = ask(on);
    await until(() => service.requests.length === 1, 'the first');
    on.clock.advance(10_001);
    expect((await first).status).toBe(504);
    await until(() => pings(service) === 1, 'PING');
    await settle();
    on.clock.advance(3_000);
    const second = ask(on);
    await until(() => service.requests.length === 2, 'the second');
    answer(service.requests[1]!);
    expect((await second).status).toBe(200);
    expect(service.connections).toHaveLength(1);
  });

  it('is not asked where others were answered meanwhile: it is just that request', async () => {
    const on = await stage([hold], { timeout: '10s', retries: 'none' });
    const [service] = on.services as [FrameService];
    const first = ask(on);
    await until(() => service.requests.length === 1, 'the first');
    on.clock.advance(5_000);
    const second = ask(on);
    await until(() => service.requests.length === 2, 'the second');
    answer(service.requests[1]!);
    await second;
    on.clock.advance(5_001);
    expect((await first).status).toBe(504);
    await settle();
    expect(pings(service)).toBe(0);
  });

  it('for ten seconds is asked together with the next request: streams may be silent, services must not be pestered', async () => {
    const on = await stage([hold], { timeout: { response: 'none', idle: 'none' } });
    const [service] = on.services as [FrameService];
    const silent = ask(on);
    await until(() => service.requests.length === 1, 'the silent one');
    on.clock.advance(600_000);
    await settle();
    expect(pings(service)).toBe(0);
    const second = ask(on);
    await until(() => service.requests.length === 2, 'the second');
    await until(() => pings(service) === 1, 'PING');
    for (const request of service.requests) answer(request);
    expect([(await silent).status, (await second).status]).toEqual([200, 200]);
    expect(service.connections).toHaveLength(1);
  });
});

describe('an h2: service', () => {
  it('is spoken to over TLS, with ALPN h2, and its certificate is checked', async () => {
    const folder = tempFolder();
    closers.push(async () => folder.close());
    const authority = await certificates();
    folder.write('ca.pem', authority.ca);
    const { cert, key } = await authority.leaf(['127.0.0.1']);
    const seen: unknown[] = [];
    await using service = await http2Origin(
      ({ stream, headers }) => {
        seen.push([stream.session?.alpnProtocol, headers[':scheme'], headers[':authority']]);
        stream.respond({ ':status': 200 });
        stream.end('secret');
      },
      { cert, key },
    );
    const run = (tls: object) =>
      startTestGateway(
        {
          services: { service: { url: service.url, tls, host: 'service' } },
          routes: { all: { match: '/*', to: 'service' } },
        },
        { folder: folder.path },
      );
    const get = async (gateway: TestGateway) => {
      await using client = await rawClient({ port: gateway.port });
      await client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
      return await client.response();
    };
    await using trusting = await run({ ca: 'ca.pem' });
    expect((await get(trusting)).body.toString()).toBe('secret');
    expect(seen).toEqual([['h2', 'https', `127.0.0.1:${service.port}`]]);
    await using wary = await run({});
    const refused = await get(wary);
    expect([refused.status, codeOf(refused)]).toEqual([502, 'TG_UPSTREAM_TLS']);
  });

  it('that speaks HTTP/1.1 alone is told so, before any request is sent', async () => {
    const authority = await certificates();
    const pair = await authority.leaf(['127.0.0.1']);
    for (const ALPNProtocols of [['http/1.1'], undefined]) {
      await using old = await scriptedOrigin(undefined, {
        tls: ALPNProtocols === undefined ? pair : { ...pair, ALPNProtocols },
      });
      await using gateway = await startTestGateway({
        services: { service: { url: `h2://127.0.0.1:${old.port}`, tls: { verify: false } } },
        routes: { all: { match: '/*', to: 'service' } },
      });
      await using client = await rawClient({ port: gateway.port });
      await client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
      const got = await client.response();
      expect([got.status, codeOf(got)]).toEqual([502, 'TG_UPSTREAM_TLS']);
      expect(old.requests).toEqual([]);
    }
  });
});

describe('targets of HTTP/2', () => {
  it('stand beside those of HTTP/1.1 in one service, and the least busy is asked', async () => {
    const gate = new Gate();
    await using old = await scriptedOrigin(async (exchange) => {
      await gate.opened;
      await exchange.send('HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nold');
    });
    await using service = await http2Origin(({ stream }) => {
      gate.opened.then(() => {
        stream.respond({ ':status': 200 });
        stream.end('new');
      });
    });
    await using gateway = await startTestGateway({
      services: { both: { targets: [old.url, service.url] } },
      routes: { all: { match: '/*', to: 'both' } },
    });
    const bodies = Array.from({ length: 20 }, async () => {
      await using client = await rawClient({ port: gateway.port });
      await client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
      return (await client.response()).body.toString();
    });
    await until(() => old.requests.length + service.requests.length === 20, 'all');
    expect(Math.abs(old.requests.length - service.requests.length)).toBeLessThanOrEqual(2);
    gate.open();
    expect(new Set(await Promise.all(bodies))).toEqual(new Set(['old', 'new']));
  });

  it.each(['h2c', 'h2'])('are checked in HTTP/2: %s', async (scheme) => {
    const pair = await (await certificates()).leaf(['127.0.0.1']);
    let status = 200;
    const paths: unknown[] = [];
    const handler = ({ stream, headers }: Parameters<Parameters<typeof http2Origin>[0]>[0]) => {
      if (headers[':path'] === '/base/healthz') paths.push([headers[':method'], headers[':authority']]);
      stream.respond({ ':status': headers[':path'] === '/base/healthz' ? status : 200 });
      stream.end('ok');
    };
    await using service = await http2Origin(handler, scheme === 'h2' ? pair : {});
    await using gateway = await startTestGateway({
      services: {
        service: {
          url: `${service.url}/base`,
          tls: { verify: false },
          health: { path: '/healthz', interval: '20ms', unhealthyAfter: 2, healthyAfter: 2, panic: '0%' },
        },
      },
      routes: { all: { match: '/*', to: 'service' } },
    });
    const get = async () => {
      await using client = await rawClient({ port: gateway.port });
      await client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
      return (await client.response()).status;
    };
    await until(() => paths.length > 2, 'checks');
    expect(paths[0]).toEqual(['GET', `127.0.0.1:${service.port}`]);
    expect(await get()).toBe(200);
    status = 500;
    await until(async () => (await get()) === 503, 'it to be out');
    status = 200;
    await until(async () => (await get()) === 200, 'it to be in');
  });

  it('that do not speak it are out by their checks, in words', async () => {
    await using old = await scriptedOrigin();
    await using gateway = await startTestGateway({
      services: {
        service: {
          url: `h2c://127.0.0.1:${old.port}`,
          health: { path: '/', interval: '20ms', unhealthyAfter: 1, panic: '0%' },
        },
      },
      routes: { all: { match: '/*', to: 'service' } },
    });
    const get = async () => {
      await using client = await rawClient({ port: gateway.port });
      await client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
      return (await client.response()).status;
    };
    await until(async () => (await get()) === 503, 'it to be out');
  });
});
