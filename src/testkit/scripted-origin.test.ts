import { afterEach, describe, expect, it } from 'vitest';
import {
  answer,
  cuttingProxy,
  Gate,
  httpOrigin,
  rawClient,
  type Script,
  scriptedOrigin,
  until,
} from './index.ts';

const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
});

function kept<T extends { close(): unknown }>(thing: T): T {
  open.push(thing);
  return thing;
}

async function pair(script?: Script | Script[]) {
  const origin = kept(await scriptedOrigin(script));
  const client = kept(await rawClient(origin.port));
  return { origin, client };
}

describe('a scripted origin', () => {
  it('records the exact bytes and what they mean', async () => {
    const { origin, client } = await pair();
    const bytes =
      'POST /a?b HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nsum: 1\r\n\r\n';
    await client.send(bytes);
    const request = await origin.nextRequest();
    expect(request.raw.toString()).toBe(bytes);
    expect(request).toMatchObject({ method: 'POST', target: '/a?b', version: '1.1' });
    expect(request.headers).toContainEqual(['Host', 'x']);
    expect(request.body.toString()).toBe('hi');
    expect(request.trailers).toEqual([['sum', '1']]);
    expect((await client.response()).body.toString()).toBe('ok');
    expect(origin.violations).toEqual([]);
  });

  it('answers the nth request by the nth script and goes on with the last', async () => {
    const { client } = await pair([answer(201), answer(202)]);
    const statuses: number[] = [];
    for (let i = 0; i < 3; i++) {
      await client.send('GET / HTTP/1.1\r\n\r\n');
      statuses.push((await client.response()).status);
    }
    expect(statuses).toEqual([201, 202, 202]);
  });

  it('waits at a gate until the test opens it', async () => {
    const gate = new Gate();
    const { client } = await pair(async (exchange) => {
      await exchange.send('HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nab');
      await gate.opened;
      await exchange.send('cd');
    });
    await client.send('GET / HTTP/1.1\r\n\r\n');
    await client.head();
    expect((await client.bytes(2)).toString()).toBe('ab');
    gate.open();
    expect((await client.bytes(2)).toString()).toBe('cd');
  });

  it('hands out a request whose body is still on its way, and tells when it broke off', async () => {
    const { origin, client } = await pair(() => {});
    await client.send('POST / HTTP/1.1\r\ncontent-length: 10\r\n\r\nhalf');
    const request = await origin.nextHead();
    expect(request.method).toBe('POST');
    client.reset();
    expect(await request.complete).toBe(false);
    expect(await request.connection.closed()).toBe('reset');
  });

  it('gives the bytes after an upgrade to the script', async () => {
    const { client } = await pair(async (exchange) => {
      const reader = exchange.takeOver();
      await exchange.send('HTTP/1.1 101 Switching\r\nupgrade: echo\r\nconnection: upgrade\r\n\r\n');
      await exchange.send(await reader.exactly(4));
    });
    await client.send('GET / HTTP/1.1\r\nupgrade: echo\r\nconnection: upgrade\r\n\r\n');
    expect((await client.response()).framing).toBe('tunnel');
    await client.send('ping');
    expect((await client.bytes(4)).toString()).toBe('ping');
  });

  it('names what is no valid request', async () => {
    const { origin, client } = await pair();
    await client.send('GET /\tx HTTP/1.1\r\n\r\n');
    await client.closed();
    expect(origin.violations.join()).toMatch(/request line/);
  });

  it('says what it has when no request comes', async () => {
    const { origin, client } = await pair();
    await client.send('GET / HT');
    await origin.connectionAt(0);
    await expect(origin.nextRequest(50)).rejects.toThrow(/request 1 did not reach the origin/);
  });
});

describe('a cutting proxy', () => {
  async function line() {
    const origin = kept(await httpOrigin((_, response) => void response.end('hello')));
    const proxy = kept(await cuttingProxy(origin.port));
    const client = kept(await rawClient({ port: proxy.port, patience: 2000 }));
    return { origin, proxy, client };
  }
  const GET = 'GET / HTTP/1.1\r\nhost: x\r\n\r\n';

  it('passes bytes and half-closes on', async () => {
    const { client, origin } = await line();
    await client.send(GET);
    expect((await client.response()).body.toString()).toBe('hello');
    client.end();
    expect(await client.closed()).toBe('fin');
    expect(origin.count()).toBe(1);
  });

  it('moves nothing while frozen', async () => {
    const { client, proxy, origin } = await line();
    await client.send(GET);
    await client.response();
    proxy.freeze();
    await client.send(GET);
    proxy.thaw();
    expect((await client.response()).status).toBe(200);
    expect(origin.count()).toBe(2);
  });

  it('cuts with FIN, resets with RST, and refuses', async () => {
    const cut = await line();
    await until(() => cut.proxy.open === 1, 'the connection');
    cut.proxy.cut();
    expect(await cut.client.closed()).toBe('fin');
    cut.proxy.refuse();
    const refused = rawClient(cut.proxy.port).then((client) => kept(client).closed());
    expect(await refused.catch((error: Error) => error.message)).toMatch(/reset/i);
    const torn = await line();
    await until(() => torn.proxy.open === 1, 'the connection');
    torn.proxy.reset();
    expect(await torn.client.closed()).toBe('reset');
  });
});
