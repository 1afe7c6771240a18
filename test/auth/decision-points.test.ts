import { createHash } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  answer,
  type HttpOrigin,
  headerValue,
  httpOrigin,
  rawClient,
  type Script,
} from '../../src/testkit/index.ts';
import { code, type Stage, type StageOptions, stage } from './stage.ts';

const hash = (text: string) => `sha256:${createHash('sha256').update(text).digest('hex')}`;

let on: Stage;
let point: HttpOrigin;
let asked: { path: string; type: string | undefined; body: Record<string, unknown> }[];
let say: { status: number; body: string };

beforeEach(async () => {
  asked = [];
  point = await httpOrigin(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = JSON.parse(Buffer.concat(chunks).toString()) as Record<string, unknown>;
    asked.push({ path: request.url ?? '', type: request.headers['content-type'], body });
    response.writeHead(say.status, { 'content-type': 'application/json' }).end(say.body);
  });
});
afterEach(async () => {
  await on?.close();
  await point.close();
});

const start = async (auth: object, options: StageOptions = {}) => {
  on = await stage({
    auth: {
      keys: {
        apiKey: {
          keys: [{ hash: hash('a'), subject: 'alice', permissions: ['orders:read'] }, { hash: hash('n') }],
        },
      },
    },
    routes: { orders: { match: '/orders/{id}', to: 'shop', auth: { with: 'keys', ...auth } } },
    ...options,
  });
};
const ask = async (line = 'GET /orders/7?x=1', key = 'a') => await on.ask(line, `X-Api-Key: ${key}`);

describe('opa', () => {
  const opa = (more: object = {}) => ({ opa: { url: `${point.url}/v1/data/shop/allow`, ...more } });

  it('is asked about the request and whoever asks; true, or allow: true, lets it pass', async () => {
    await start(opa());
    say = { status: 200, body: '{"result":true}' };
    expect((await ask()).status).toBe(200);
    say.body = '{"result":{"allow":true,"why":"x"}}';
    expect((await ask()).status).toBe(200);
    expect(asked[0]).toEqual({
      path: '/v1/data/shop/allow',
      type: 'application/json',
      body: {
        input: {
          request: {
            method: 'GET',
            path: '/orders/7',
            host: 'shop.test',
            query: { x: ['1'] },
            ip: '127.0.0.1',
          },
          params: { id: '7' },
          auth: {
            subject: 'alice',
            permissions: ['orders:read'],
            scopes: [],
            claims: { sub: 'alice', permissions: ['orders:read'] },
            provider: 'keys',
          },
        },
      },
    });
  });

  it.each(['{"result":false}', '{}', '{"result":"true"}', '{"result":{"allow":"yes"}}', '{"result":1}'])(
    '%s is no',
    async (body) => {
      await start(opa());
      say = { status: 200, body };
      const response = await ask();
      expect([response.status, code(response)]).toEqual([403, 'TG_AUTH_FORBIDDEN']);
      expect(on.service.requests).toEqual([]);
    },
  );

  it.each([
    [500, '{"result":true}'],
    [200, 'true'],
    [200, '{"result":true'],
    [200, '{"result":false,"result":true}'],
  ])('%i with %s is no answer: 503', async (status, body) => {
    await start(opa());
    say = { status, body };
    expect((await ask()).status).toBe(503);
  });

  it('is asked what input says, and not at all where that fails or the route’s own rules refuse', async () => {
    await start({
      ...opa({ input: '{"who": auth.subject, "what": params.id}' }),
      permissions: ['orders:read'],
    });
    say = { status: 200, body: '{"result":true}' };
    expect((await ask()).status).toBe(200);
    expect(asked[0]!.body).toEqual({ input: { who: 'alice', what: '7' } });
    expect((await ask('GET /orders/7', 'n')).status).toBe(403);
    expect(asked.length).toBe(1);
  });

  it('is asked once for the same question where cache says so', async () => {
    await start(opa({ cache: '10s' }));
    say = { status: 200, body: '{"result":true}' };
    await ask();
    await ask();
    await ask('GET /orders/8');
    expect(asked.length).toBe(2);
    on.clock.advance(10_000);
    await ask();
    expect(asked.length).toBe(3);
  });
});

describe('authzen (Authorization API 1.0)', () => {
  it('is asked for an evaluation (§5)', async () => {
    await start({
      authzen: { url: `${point.url}/pdp/`, action: 'read', resourceType: 'order', resourceId: '{params.id}' },
    });
    say = { status: 200, body: '{"decision":true}' };
    expect((await ask()).status).toBe(200);
    expect(asked[0]).toMatchObject({
      path: '/pdp/access/v1/evaluation',
      body: {
        subject: { type: 'user', id: 'alice' },
        action: { name: 'read' },
        resource: { type: 'order', id: '7' },
      },
    });
    say.body = '{"decision":false}';
    expect((await ask()).status).toBe(403);
    say.body = '{"decision":"true"}';
    expect((await ask()).status).toBe(503);
  });

  it('is asked for several at once (§6), of which all must be allowed', async () => {
    await start({
      authzen: { url: point.url, evaluations: [{ action: 'read' }, { action: 'open', resourceId: 'shop' }] },
    });
    say = { status: 200, body: '{"evaluations":[{"decision":true},{"decision":true}]}' };
    expect((await ask()).status).toBe(200);
    expect(asked[0]!.path).toBe('/access/v1/evaluations');
    expect((asked[0]!.body.evaluations as unknown[]).length).toBe(2);
    say.body = '{"evaluations":[{"decision":false}]}';
    expect((await ask()).status).toBe(403);
    say.body = '{"evaluations":[{"decision":true}]}';
    expect((await ask()).status).toBe(503);
  });

  it('is not asked about nobody', async () => {
    await start({ authzen: { url: point.url } });
    expect((await ask('GET /orders/7', 'n')).status).toBe(403);
    expect(asked).toEqual([]);
  });
});

describe('allowResponse', () => {
  const owned = (owner: string, more: [string, string][] = []) =>
    answer(
      200,
      [['Content-Type', 'application/json'], ['ETag', '"1"'], ...more],
      JSON.stringify({ owner, id: 7 }),
    );
  const auth = { allowResponse: 'response.body.owner == auth.subject' };

  it('lets an answer out only where it is true of it', async () => {
    await start(auth, { script: [owned('alice'), owned('bob')] });
    const mine = await ask();
    expect([mine.status, mine.body.toString(), headerValue(mine, 'etag')]).toEqual([
      200,
      '{"owner":"alice","id":7}',
      '"1"',
    ]);
    const other = await ask();
    expect([other.status, code(other)]).toEqual([403, 'TG_AUTH_FORBIDDEN']);
    expect(other.body.toString()).not.toContain('bob');
  });

  it('asks for the whole answer, as it is', async () => {
    await start(auth, { script: owned('alice') });
    await on.ask('GET /orders/7', 'X-Api-Key: a', 'Range: bytes=0-3', 'Accept-Encoding: gzip');
    expect(headerValue(on.got(), 'range')).toBeUndefined();
    expect(headerValue(on.got(), 'accept-encoding')).toBeUndefined();
  });

  it.each([
    ['', {}],
    [', from the cache', { cache: { ttl: '60s', private: true } }],
  ])(
    'never tells whoever asks that they have the answer already, which nobody could look at%s',
    async (_, defaults) => {
      const script: Script = (exchange) =>
        exchange.send(
          headerValue(exchange.request, 'if-none-match') === undefined
            ? owned('bob')
            : 'HTTP/1.1 304 Not Modified\r\nETag: "1"\r\n\r\n',
        );
      await start(auth, { script, defaults });
      for (let i = 0; i < 2; i++)
        expect((await on.ask('GET /orders/7', 'X-Api-Key: a', 'If-None-Match: "1"')).status).toBe(403);
    },
  );

  it('withholds what is no JSON, and what is too long', async () => {
    await start(auth, { script: [answer(200, [], 'owner: alice'), owned('alice'.padEnd(1_100_000))] });
    expect((await ask()).status).toBe(403);
    expect((await ask()).status).toBe(403);
  });

  it('needs no JSON where it looks at status and headers alone, and lets what it allows pass as it comes', async () => {
    const page = '<html>'.padEnd(1_100_000);
    const of = (owner: string) => answer(200, [['X-Owner', owner]], page);
    await start(
      { allowResponse: 'response.headers["x-owner"] == auth.subject' },
      { script: [of('alice'), of('bob'), answer(200, [], '{}')] },
    );
    const mine = await ask();
    expect([mine.status, mine.body.length]).toEqual([200, page.length]);
    expect((await ask()).status).toBe(403);
    expect((await ask()).status).toBe(403);
  });

  it('opens no tunnel: nobody could look at what goes through it', async () => {
    const upgraded = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';
    await start(auth, { script: (exchange) => exchange.send(`${upgraded}owner: bob`) });
    const response = await on.ask(
      'GET /orders/7',
      'X-Api-Key: a',
      'Connection: Upgrade',
      'Upgrade: websocket',
    );
    expect([response.status, code(response)]).toEqual([403, 'TG_AUTH_FORBIDDEN']);
  });

  it('lets no early hints out, before it is known that there is an answer', async () => {
    const hints = 'HTTP/1.1 103 Early Hints\r\nLink: </orders-of-bob.css>\r\n\r\n';
    await start(auth, { script: (exchange) => exchange.send(hints + owned('alice')) });
    const client = await rawClient({ port: on.gateway.port });
    await client.send('GET /orders/7 HTTP/1.1\r\nHost: shop.test\r\nX-Api-Key: a\r\n\r\n');
    expect((await client.head()).status).toBe(200);
    client.close();
  });

  it('looks at what another service answers in its place (onStatus), too', async () => {
    const to = { service: 'shop', path: '/backup' };
    const script: Script = (exchange) =>
      exchange.send(exchange.request.target === '/backup' ? owned('bob') : answer(500, [], 'down'));
    await start(auth, { script, defaults: { onStatus: { '500': { to } } } });
    const response = await ask('GET /orders/7');
    expect([response.status, code(response)]).toEqual([403, 'TG_AUTH_FORBIDDEN']);
    expect(on.service.requests.map(({ target }) => target)).toEqual(['/orders/7', '/backup']);
  });

  it('lets failures of the service pass, and never sends an unsafe request', async () => {
    await start(auth, { script: answer(404, [], 'gone') });
    expect((await ask()).status).toBe(404);
    expect((await on.ask('DELETE /orders/7', 'X-Api-Key: a')).status).toBe(403);
    expect(on.service.requests.length).toBe(1);
  });
});
