import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { answer, Gate, type OriginExchange } from '../../src/testkit/index.ts';
import { post, request, type Stage, stage } from './stage.ts';

const echo = async (exchange: OriginExchange) => {
  const body = await exchange.body();
  const { target, method } = exchange.request;
  if (method === 'HEAD') return await exchange.send('HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n');
  if (target === '/204') return await exchange.send('HTTP/1.1 204 No\r\n\r\n');
  if (target === '/304')
    return await exchange.send('HTTP/1.1 304 Not\r\netag: "a"\r\ncontent-length: 99\r\n\r\n');
  await exchange.send(answer(200, [], `${target} ${body}`));
};

describe('pipelined requests', () => {
  let on: Stage;
  beforeAll(async () => {
    on = await stage({ script: echo });
  });
  afterAll(() => on.close());

  const get = (target: string) => request(`GET ${target} HTTP/1.1`);

  it('are answered in order, each once (RFC 9112 §9.3.2)', async () => {
    on.origin.answerWith(echo);
    const client = await on.client();
    await client.send(get('/1') + get('/2') + get('/3'));
    const bodies: string[] = [];
    for (let i = 0; i < 3; i++) bodies.push((await client.response()).body.toString().trim());
    expect(bodies).toEqual(['/1', '/2', '/3']);
    client.end();
    expect((await client.rest()).length).toBe(0);
  });

  it('are answered in order when the first is the slowest', async () => {
    const gate = new Gate();
    on.origin.answerWith(async (exchange) => {
      if (exchange.request.target === '/slow') await gate.opened;
      await echo(exchange);
    });
    const client = await on.client();
    await client.send(get('/slow') + get('/fast'));
    await on.origin.nextHead();
    gate.open();
    expect((await client.response()).body.toString()).toContain('/slow');
    expect((await client.response()).body.toString()).toContain('/fast');
  });

  it('wait, where unsafe, until the one ahead has ended', async () => {
    const gate = new Gate();
    const begun: string[] = [];
    on.origin.answerWith(async (exchange) => {
      begun.push(exchange.request.target);
      await exchange.send('HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nab');
      if (exchange.request.target === '/ahead') await gate.opened;
      await exchange.send('cd');
    });
    const client = await on.client();
    await client.send(get('/ahead') + post(['Content-Length: 5'], 'hello'));
    await client.head();
    await client.bytes(2);
    expect(begun).toEqual(['/ahead']);
    gate.open();
    await client.bytes(2);
    expect((await client.response()).status).toBe(200);
    expect(begun).toEqual(['/ahead', '/post']);
  });

  it('keep their framing around answers without a body (RFC 9112 §6.3)', async () => {
    on.origin.answerWith(echo);
    const client = await on.client();
    await client.send(request('HEAD /h HTTP/1.1') + get('/204') + get('/304') + get('/last'));
    expect((await client.response('HEAD')).status).toBe(200);
    expect((await client.response()).status).toBe(204);
    expect((await client.response()).status).toBe(304);
    expect((await client.response()).body.toString()).toContain('/last');
  });

  it('may begin in the packet in which a body ends', async () => {
    on.origin.answerWith(echo);
    const client = await on.client();
    const chunked = post(['Transfer-Encoding: chunked'], '5\r\nworld\r\n0\r\n\r\n');
    await client.send(post(['Content-Length: 5'], 'hello') + chunked + get('/after'));
    expect((await client.response()).body.toString()).toBe('/post hello');
    expect((await client.response()).body.toString()).toBe('/post world');
    expect((await client.response()).body.toString()).toContain('/after');
  });

  it('are not read behind one that ends the connection (RFC 9112 §9.6)', async () => {
    on.origin.answerWith(echo);
    const client = await on.client();
    await client.send(request('GET /last HTTP/1.1', ['Host: a', 'Connection: close']) + get('/never'));
    expect((await client.response()).body.toString()).toContain('/last');
    expect((await client.rest()).length).toBe(0);
    expect(on.origin.requests.map((got) => got.target)).not.toContain('/never');
  });

  it('are answered before a broken one behind them is refused', async () => {
    on.origin.answerWith(echo);
    const client = await on.client();
    await client.send(`${get('/good')}GET / HTTP/1.1\r\nHost : a\r\n\r\n${get('/never')}`);
    expect((await client.response()).body.toString()).toContain('/good');
    expect((await client.response()).status).toBe(400);
    expect((await client.rest()).length).toBe(0);
    expect(on.origin.requests.map((got) => got.target)).not.toContain('/never');
  });

  it('are all answered, however many come at once', async () => {
    on.origin.answerWith(echo);
    const client = await on.client();
    const count = 500;
    await client.send(Array.from({ length: count }, (_, i) => get(`/n${i}`)).join(''));
    for (let i = 0; i < count; i++) expect((await client.response()).body.toString().trim()).toBe(`/n${i}`);
  });

  it('stop being read while the client takes no answers', async () => {
    const own = await stage({ script: answer(200, [], 'x'.repeat(100_000)) });
    try {
      const client = await own.client();
      client.pause();
      const count = 200;
      client.socket.write(Array.from({ length: count }, (_, i) => get(`/n${i}`)).join(''));
      await own.origin.nextRequest();
      client.resume();
      for (let i = 0; i < count; i++) expect((await client.response()).body.length).toBe(100_000);
    } finally {
      await own.close();
    }
  });
});
