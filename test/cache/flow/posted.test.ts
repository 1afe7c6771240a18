import { afterEach, describe, expect, it } from 'vitest';
import { answer, Gate, headerValue, type RawResponse, rawClient } from '../../../src/testkit/index.ts';
import { type Stage, stage } from './stage.ts';

let on: Stage;
afterEach(() => on.close());

const FRESH: [string, string][] = [['Cache-Control', 'max-age=60']];
/** Longest body that stands in a key. */
const MOST = 64 * 1024;

async function setUp(...bodies: string[]): Promise<void> {
  on = await stage(
    bodies.map((body) => answer(200, FRESH, body)),
    { methods: ['POST'], key: { body: true } },
  );
}

const chunked = (pieces: readonly string[]) =>
  [...pieces.map((piece) => `${piece.length.toString(16)}\r\n${piece}\r\n`), '0\r\n\r\n'].join('');

/** A POST whose length is not told beforehand. */
async function post(pieces: readonly string[], ...headers: string[]): Promise<RawResponse> {
  const client = await rawClient({ port: on.gateway.port });
  try {
    const head = ['POST /a HTTP/1.1', 'Host: shop.test', 'Transfer-Encoding: chunked', ...headers];
    await client.send(`${head.join('\r\n')}\r\n\r\n${chunked(pieces)}`);
    return await client.response('POST');
  } finally {
    client.close();
  }
}

const told = (response: RawResponse) => [response.body.toString(), headerValue(response, 'cache-status')];

describe('a POST with its body in the key', () => {
  it('is answered from what another stored that told its length, and the other way round', async () => {
    await setUp('one', 'two');
    expect(told(await post(['q=', '1']))).toEqual(['one', 'tidegate; fwd=uri-miss; stored']);
    expect(told(await on.ask('/a', { method: 'POST', body: 'q=1' }))).toEqual([
      'one',
      'tidegate; hit; ttl=60',
    ]);
    expect(told(await on.ask('/a', { method: 'POST', body: 'q=2' }))[0]).toBe('two');
    expect(told(await post(['q', '=2']))).toEqual(['two', 'tidegate; hit; ttl=60']);
    expect(told(await post(['q=1']))).toEqual(['one', 'tidegate; hit; ttl=60']);
    expect(on.asked()).toHaveLength(2);
    expect(on.asked()[0]).toMatch(/Content-Length: 3\r\n(?:.*\r\n)?\r\nq=1$/is);
  });

  it('waits for the fill of another from the end of its body on, not from its head', async () => {
    const gate = new Gate();
    on = await stage(
      async (exchange) => {
        await gate.opened;
        await exchange.send(answer(200, FRESH, 'one'));
      },
      { methods: ['POST'], key: { body: true } },
      { timeout: '10s' },
    );
    await using client = await rawClient({ port: on.gateway.port });
    await client.send(
      'POST /a HTTP/1.1\r\nHost: shop.test\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n',
    );
    expect((await client.head()).status).toBe(100);
    on.clock.advance(9_000);
    const leader = on.ask('/a', { method: 'POST', body: 'q=1' });
    await on.origin.nextRequest();
    await client.send('q=1');
    await on.settled();
    on.clock.advance(5_000);
    gate.open();
    expect(told(await client.response('POST'))[0]).toBe('one');
    expect((await leader).status).toBe(200);
    expect(on.asked()).toHaveLength(1);
  });

  it('may come without a body, in chunks or not at all', async () => {
    await setUp('empty');
    expect(told(await post([]))[0]).toBe('empty');
    expect(told(await on.ask('/a', { method: 'POST', headers: ['Content-Length: 0'] }))[1]).toMatch(/hit/);
  });

  it('is stored up to 64 KiB, and goes past the cache with one byte more, whole', async () => {
    await setUp('most', 'longer', 'longer again');
    const most = 'x'.repeat(MOST);
    expect(told(await post([most]))).toEqual(['most', 'tidegate; fwd=uri-miss; stored']);
    expect(told(await post([most.slice(7), most.slice(0, 7)]))).toEqual(['most', 'tidegate; hit; ttl=60']);
    expect(told(await post([most, 'y']))).toEqual(['longer', 'tidegate; fwd=bypass; detail=body']);
    expect(told(await on.ask('/a', { method: 'POST', body: `${most}y` }))).toEqual([
      'longer again',
      'tidegate; fwd=bypass; detail=body',
    ]);
    expect(on.asked()).toHaveLength(3);
  });

  it('that is far longer comes through byte for byte', async () => {
    await setUp('long');
    const pieces = Array.from({ length: 200 }, (_, i) =>
      String.fromCharCode(97 + (i % 26)).repeat(5_000 + i),
    );
    expect(told(await post(pieces))).toEqual(['long', 'tidegate; fwd=bypass; detail=body']);
    const [asked] = on.origin.requests;
    expect(asked!.body.toString()).toBe(pieces.join(''));
  });

  it('that breaks off is no request to the service', async () => {
    await setUp('never');
    const client = await rawClient({ port: on.gateway.port });
    await client.send('POST /a HTTP/1.1\r\nHost: shop.test\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab');
    client.close();
    await on.settled();
    expect(on.asked()).toEqual([]);
  });

  it('is told to come where the client waits for that', async () => {
    await setUp('one');
    const client = await rawClient({ port: on.gateway.port });
    await client.send(
      'POST /a HTTP/1.1\r\nHost: shop.test\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n',
    );
    expect((await client.head()).status).toBe(100);
    await client.send(chunked(['q=1']));
    expect((await client.response('POST')).status).toBe(200);
    client.close();
  });
});
