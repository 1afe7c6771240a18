import { afterEach, describe, expect, it } from 'vitest';
import { answer, Gate, ManualClock, rawClient } from '../../src/testkit/index.ts';
import { header, type Stage, stage } from './stage.ts';

let on: Stage;
afterEach(() => on.close());

const OK = answer(200, [], 'main');
/** The service is told who the body speaks of. */
const NAMED = { request: { headers: { set: { 'x-user': '{request.body.user}' } } } };

async function setUp(route: object = {}): Promise<void> {
  on = await stage({ main: OK }, { routes: { all: { match: '/*', to: 'main', ...NAMED, ...route } } });
}

/** Sends a body in chunks, each a packet of its own. */
async function sendChunked(chunks: readonly string[], headers: readonly string[] = []): Promise<number> {
  await using client = await rawClient({ port: on.gateway.port });
  const head = ['POST /x HTTP/1.1', 'Host: shop.test', 'Transfer-Encoding: chunked', ...headers];
  await client.send(`${head.join('\r\n')}\r\n\r\n`);
  for (const chunk of chunks) await client.send(`${chunk.length.toString(16)}\r\n${chunk}\r\n`);
  await client.send('0\r\n\r\n');
  return (await client.response('POST')).status;
}

describe('a route that mentions request.body', () => {
  it('reads it, and sends the bytes on as they came', async () => {
    await setUp();
    expect((await on.ask('POST /x', [], '{ "user": "ada" }')).status).toBe(200);
    const sent = await on.origins.main!.nextRequest();
    expect([header(sent as never, 'x-user'), sent.body.toString()]).toEqual(['ada', '{ "user": "ada" }']);
  });

  it('reads it from chunks, and says 100 itself to whoever waits for it', async () => {
    await setUp();
    expect(await sendChunked(['{"user":', '"ada"}'], ['Expect: 100-continue'])).toBe(200);
    const sent = await on.origins.main!.nextRequest();
    expect([header(sent as never, 'x-user'), header(sent as never, 'expect')]).toEqual(['ada', undefined]);
  });

  it('refuses one that is said to be too long at once, and does not ask for it first', async () => {
    await setUp();
    await using client = await rawClient({ port: on.gateway.port });
    await client.send(
      'POST /x HTTP/1.1\r\nHost: shop.test\r\nExpect: 100-continue\r\nContent-Length: 1048577\r\n\r\n',
    );
    const response = await client.response('POST');
    expect([response.interim, response.status]).toEqual([[], 413]);
  });

  it('takes a request without a body, whether its head or its end says so', async () => {
    await setUp();
    expect((await on.ask('POST /x', ['Content-Length: 0'])).status).toBe(200);
    expect(await sendChunked([])).toBe(200);
    for (let i = 0; i < 2; i++) {
      const sent = await on.origins.main!.nextRequest();
      expect([header(sent as never, 'x-user'), header(sent as never, 'content-length')]).toEqual([
        undefined,
        '0',
      ]);
    }
  });

  it('gives the service its whole time from the end of the body on, though it waits for a connection', async () => {
    const clock = new ManualClock();
    const gate = new Gate();
    on = await stage({ main: OK }, {}, { clock });
    const { main } = on.origins;
    await on.gateway.reload({
      services: { main: { url: main!.url, timeout: '2s', pool: { connections: 1 } } },
      routes: {
        all: { match: '/*', to: 'main', ...NAMED },
        first: { match: '/first', to: 'main', timeout: '1m' },
        ping: { match: '/ping', respond: { status: 204 } },
      },
    });
    main!.answerWith([(exchange) => gate.opened.then(() => exchange.send(OK)), OK]);
    const first = on.ask('GET /first');
    await main!.nextHead();
    await using client = await rawClient({ port: on.gateway.port });
    await client.send(
      'POST /x HTTP/1.1\r\nHost: shop.test\r\nExpect: 100-continue\r\nContent-Length: 14\r\n\r\n',
    );
    expect((await client.head()).status).toBe(100);
    await clock.advance(3_000);
    await client.send('{"user":"ada"}');
    // What was sent before is read before.
    for (let i = 0; i < 2; i++) await on.ask('GET /ping');
    await clock.advance(1_000);
    gate.open();
    expect((await client.response('POST')).status).toBe(200);
    expect((await first).status).toBe(200);
  });

  it('shows the same body at each try', async () => {
    await setUp({ retries: { attempts: 1, on: [503], methods: ['POST'] } });
    on.origins.main!.answerWith([answer(503, [], 'busy'), OK]);
    expect((await on.ask('POST /x', [], '{"user":"ada"}')).status).toBe(200);
    for (let i = 0; i < 2; i++) {
      const sent = await on.origins.main!.nextRequest();
      expect([header(sent as never, 'x-user'), sent.body.toString()]).toEqual(['ada', '{"user":"ada"}']);
    }
  });
});
