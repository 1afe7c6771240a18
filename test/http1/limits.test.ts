import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  headerValue,
  ManualClock,
  type RawClient,
  rawClient,
  startTestGateway,
  turn,
  until,
} from '../../src/testkit/index.ts';
import {
  expectProblem,
  expectRefused,
  post,
  type Refusal,
  refusal,
  request,
  type Stage,
  stage,
} from './stage.ts';

const LIMITS = { uri: '1KiB', head: '4KiB', headers: 20, body: '1KiB' };
const many = (count: number) => Array.from({ length: count }, (_, i) => `X-${i}: v`);

const OVER: Refusal[] = [
  refusal('a target over the limit', 'RFC 9110 §15.5.15', request(`GET /${'a'.repeat(1024)} HTTP/1.1`), 414),
  refusal('a query over the limit', 'RFC 9110 §15.5.15', request(`GET /?${'a'.repeat(1024)} HTTP/1.1`), 414),
  refusal('a target without an end', 'RFC 9110 §15.5.15', `GET /${'a'.repeat(100_000)}`, 414),
  refusal(
    'a head over the limit',
    'RFC 6585 §5',
    request('GET / HTTP/1.1', ['Host: a', `X-A: ${'b'.repeat(4096)}`]),
    431,
  ),
  refusal(
    'a head without an end',
    'RFC 6585 §5',
    `GET / HTTP/1.1\r\nHost: a\r\nX-A: ${'b'.repeat(100_000)}`,
    431,
  ),
  refusal(
    'many small headers over the limit of the head',
    'RFC 6585 §5',
    `GET / HTTP/1.1\r\nHost: a\r\n${'A: b\r\n'.repeat(20_000)}`,
    431,
  ),
  refusal(
    'a header name over the limit of the head',
    'RFC 6585 §5',
    request('GET / HTTP/1.1', ['Host: a', `${'X'.repeat(5000)}: b`]),
    431,
  ),
  refusal('one header too many', 'RFC 6585 §5', request('GET / HTTP/1.1', ['Host: a', ...many(20)]), 431),
  refusal('a declared body over the limit', 'RFC 9110 §15.5.14', post(['Content-Length: 1025'], 'x'), 413),
  refusal(
    'a declared body far over the limit',
    'RFC 9110 §15.5.14',
    post(['Content-Length: 999999999999999'], 'x'),
    413,
  ),
];

describe('limits of a listener', () => {
  let on: Stage;
  beforeAll(async () => {
    on = await stage({ limits: LIMITS });
  });
  afterAll(() => on.close());

  it.each(OVER)('refuses $name ($rfc)', (row) => expectRefused(on, row));

  it('refuses a chunked body once it is over the limit, and never completes it (RFC 9110 §15.5.14)', async () => {
    const client = await on.client();
    const chunk = `200\r\n${'x'.repeat(512)}\r\n`;
    await client.send(post(['Transfer-Encoding: chunked'], `${chunk.repeat(3)}0\r\n\r\n`));
    const response = await client.response();
    expect(response.status).toBe(413);
    expectProblem(response);
    expect((await client.rest()).length).toBe(0);
    const got = on.origin.requests.at(-1);
    if (got?.target === '/post') expect(await got.complete).toBe(false);
  });

  it.each([
    ['a target', request(`GET /${'a'.repeat(1023)} HTTP/1.1`)],
    ['a number of headers', request('GET / HTTP/1.1', ['Host: a', ...many(19)])],
    ['a declared body', post(['Content-Length: 1024'], 'x'.repeat(1024))],
    ['a chunked body', post(['Transfer-Encoding: chunked'], `400\r\n${'x'.repeat(1024)}\r\n0\r\n\r\n`)],
    ['a head', request('GET / HTTP/1.1', ['Host: a', `X-A: ${'b'.repeat(4096 - 35)}`])],
  ])('takes %s exactly at its limit', async (_, bytes) => {
    const client = await on.client();
    await client.send(bytes);
    expect((await client.response()).status).toBe(200);
  });

  it("refuses a body over a route's own maxBody", async () => {
    const own = await stage({
      routes: {
        small: { match: '/small/*', to: 'origin', maxBody: '10B' },
        all: { match: '/*', to: 'origin' },
      },
    });
    try {
      const client = await own.client();
      await client.send(request('POST /small/x HTTP/1.1', ['Host: a', 'Content-Length: 11'], 'hello world'));
      expect((await client.response()).status).toBe(413);
      const other = await own.client();
      await other.send(request('POST /x HTTP/1.1', ['Host: a', 'Content-Length: 11'], 'hello world'));
      expect((await other.response()).status).toBe(200);
    } finally {
      await own.close();
    }
  });

  it('answers whole, half-closes, and reads on while a refused body still comes (RFC 9112 §9.6)', async () => {
    const client = await on.client();
    await client.send(post(['Content-Length: 100000000'], 'x'.repeat(1000)));
    const sending = (async () => {
      for (let i = 0; i < 50; i++) await client.send('y'.repeat(64 * 1024));
    })();
    expect((await client.response()).status).toBe(413);
    await sending;
    expect(await client.closed()).toBe('fin');
  });

  it('refuses a declared body under the id that its client gave, and without content where it is HEAD', async () => {
    const client = await on.client();
    await client.send(
      request('HEAD / HTTP/1.1', ['Host: a', 'X-Request-Id: id-1', 'Content-Length: 1025'], 'x'),
    );
    const response = await client.response('HEAD');
    expect([response.status, headerValue(response, 'x-request-id')]).toEqual([413, 'id-1']);
    expect((await client.rest()).toString('latin1')).toBe('');
  });

  it('stops reading a refused body after 5 seconds', async () => {
    const client = await on.client(8_000);
    const begun = performance.now();
    await client.send(post(['Content-Length: 100000000'], 'x'));
    expect((await client.response()).status).toBe(413);
    const gone = new Promise<void>((resolve) => client.socket.once('close', () => resolve()));
    const drip = setInterval(() => void client.send('x'), 50);
    await gone;
    clearInterval(drip);
    expect(performance.now() - begun).toBeGreaterThan(4_000);
    expect(performance.now() - begun).toBeLessThan(7_000);
  });

  it('cuts a body that drips below minRate, over 10 seconds', async () => {
    const clock = new ManualClock();
    const own = await stage({ limits: { minRate: '1KiB/s' }, clock });
    try {
      const client = await own.client();
      await client.send(post(['Content-Length: 1000000'], 'x'));
      const got = await own.origin.nextHead();
      // Each step keeps bodyTimeout away; only the rate is too low.
      for (let second = 0; second < 11 && client.reader.received === 0; second++) {
        clock.advance(1_000);
        await client.send('y');
        await turn();
      }
      expect((await client.response()).status).toBe(408);
      expect(await got.complete).toBe(false);
    } finally {
      await own.close();
    }
  });

  it('lets a body at minRate go on', async () => {
    const clock = new ManualClock();
    const own = await stage({ limits: { minRate: '1KiB/s' }, clock });
    try {
      const client = await own.client();
      await client.send(post([`Content-Length: ${30 * 2048}`], ''));
      for (let second = 0; second < 30; second++) {
        clock.advance(1_000);
        await client.send('y'.repeat(2048));
        await turn();
      }
      expect((await client.response()).status).toBe(200);
    } finally {
      await own.close();
    }
  });

  it('counts connections from before connectionsPerClient was said', async () => {
    const config = (limits: object) => ({
      listen: [{ name: 'main', address: '127.0.0.1:0', limits }],
      routes: { all: { match: '/*', respond: { body: 'ok' } } },
    });
    await using gateway = await startTestGateway(config({}));
    const ask = async () => {
      const client = await rawClient({ port: gateway.port });
      await client.send(request('GET / HTTP/1.1'));
      const status = await client.response().then(
        (response) => response.status,
        () => 'closed',
      );
      return { client, status };
    };
    const before = [await ask(), await ask(), await ask()];
    await gateway.reload(config({ connectionsPerClient: 2 }));
    expect((await ask()).status).toBe('closed');
    for (const { client } of before.splice(0, 2)) client.close();
    await until(async () => (await ask()).status === 200, 'a place');
    before[0]!.client.close();
  });

  it('takes no more than connectionsPerClient from one address, until one is closed', async () => {
    const own = await stage({ limits: { connectionsPerClient: 2 } });
    const answers = async (client: RawClient) => {
      await client.send(request('GET / HTTP/1.1'));
      return (await client.response()).status;
    };
    try {
      const [one, two] = [await own.client(), await own.client()];
      expect([await answers(one), await answers(two)]).toEqual([200, 200]);
      expect((await (await own.client()).rest()).length).toBe(0);
      one.close();
      await until(async () => (await answers(await own.client()).catch(() => 0)) === 200, 'a place');
    } finally {
      await own.close();
    }
  });

  it('holds a connection that is open already to a minRate that a reload brings', async () => {
    const clock = new ManualClock();
    const config = (limits: object) => ({
      listen: [{ name: 'main', address: '127.0.0.1:0', limits }],
      routes: { all: { match: '/*', respond: { body: 'ok' }, mirror: { to: 'gone' } } },
      services: { gone: { url: 'http://127.0.0.1:1' } },
    });
    await using gateway = await startTestGateway(config({}), { clock });
    await using client = await rawClient({ port: gateway.port });
    await client.send(request('GET / HTTP/1.1'));
    expect((await client.response()).status).toBe(200);
    await gateway.reload(config({ minRate: '1KiB/s' }));
    // A body that is to be copied is read, and answered once it is here.
    await client.send(post(['Content-Length: 100000'], 'x'));
    const before = client.reader.received;
    for (let second = 0; second < 12 && client.reader.received === before; second++) {
      await turn();
      clock.advance(1_000);
      await client.send('y');
    }
    expect((await client.response()).status).toBe(408);
  });
});
