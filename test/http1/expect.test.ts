import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { answer, headerValue, type OriginExchange } from '../../src/testkit/index.ts';
import { post, request, type Stage, stage } from './stage.ts';

const EXPECT = ['Expect: 100-continue', 'Content-Length: 5'];

async function continues(exchange: OriginExchange): Promise<void> {
  await exchange.send('HTTP/1.1 100 Continue\r\n\r\n');
  await exchange.send(answer(200, [], `got ${await exchange.body()}`));
}

async function justWaits(exchange: OriginExchange): Promise<void> {
  await exchange.send(answer(200, [], `got ${await exchange.body()}`));
}

describe('Expect: 100-continue (RFC 9110 §10.1.1)', () => {
  let on: Stage;
  beforeAll(async () => {
    on = await stage({
      routes: {
        own: { match: '/own', respond: { status: 200, body: 'own' } },
        all: { match: '/*', to: 'origin' },
      },
    });
  });
  afterAll(() => on.close());

  it("passes the service's 100 before a byte of the body has come", async () => {
    on.origin.answerWith(continues);
    const client = await on.client();
    await client.send(post(EXPECT, ''));
    expect((await client.head()).status).toBe(100);
    await client.send('hello');
    const response = await client.response();
    expect([response.status, response.body.toString()]).toEqual([200, 'got hello']);
  });

  it('shows the expectation to the service', async () => {
    on.origin.answerWith(continues);
    const client = await on.client();
    await client.send(post(EXPECT, 'hello'));
    await client.response();
    expect(headerValue(on.origin.requests.at(-1)!, 'expect')?.toLowerCase()).toBe('100-continue');
  });

  it("passes the service's refusal, after which the body is neither awaited nor sent on", async () => {
    on.origin.answerWith((exchange) => exchange.send(answer(417, [], 'no')));
    const client = await on.client();
    await client.send(post(EXPECT, ''));
    const response = await client.response();
    expect([response.status, response.interim]).toEqual([417, []]);
    expect(on.origin.requests.at(-1)!.body.length).toBe(0);
  });

  it('passes a final answer that came in place of 100', async () => {
    on.origin.answerWith((exchange) => exchange.send(answer(401, [], 'who')));
    const client = await on.client();
    await client.send(post(EXPECT, ''));
    expect((await client.response()).status).toBe(401);
  });

  it('takes a body from a client that does not wait', async () => {
    on.origin.answerWith(continues);
    const client = await on.client();
    await client.send(post(EXPECT, 'hello'));
    expect((await client.response()).body.toString()).toBe('got hello');
  });

  it('takes a body when the service never says 100', async () => {
    on.origin.answerWith(justWaits);
    const client = await on.client();
    await client.send(post(EXPECT, ''));
    await on.origin.connectionAt(0);
    await client.send('hello');
    const response = await client.response();
    expect([response.interim, response.body.toString()]).toEqual([[], 'got hello']);
  });

  it('works with a chunked body', async () => {
    on.origin.answerWith(continues);
    const client = await on.client();
    await client.send(post(['Expect: 100-Continue', 'Transfer-Encoding: chunked'], ''));
    expect((await client.head()).status).toBe(100);
    await client.send('5\r\nhello\r\n0\r\n\r\n');
    expect((await client.response()).body.toString()).toBe('got hello');
  });

  it('answers at once, and once, what the gateway answers by itself', async () => {
    const client = await on.client();
    await client.send(request('POST /own HTTP/1.1', ['Host: a', ...EXPECT]));
    const response = await client.response();
    expect([response.status, response.interim, response.body.toString()]).toEqual([200, [], 'own']);
  });

  it('refuses any other expectation with 417', async () => {
    const client = await on.client();
    await client.send(post(['Expect: tea', 'Content-Length: 5'], 'hello'));
    expect((await client.response()).status).toBe(417);
  });

  it('sends no 100 to HTTP/1.0', async () => {
    on.origin.answerWith(continues);
    const client = await on.client();
    await client.send(request('POST /old HTTP/1.0', ['Host: a', ...EXPECT], 'hello'));
    const response = await client.response();
    expect([response.interim, response.body.toString()]).toEqual([[], 'got hello']);
  });

  it('keeps the connection in order after a refusal: no byte of a late body is a request', async () => {
    on.origin.answerWith((exchange) => exchange.send(answer(417, [], 'no')));
    const client = await on.client();
    const smuggled = 'GET /late HTTP/1.1\r\nHost: a\r\n\r\n';
    await client.send(post(['Expect: 100-continue', `Content-Length: ${smuggled.length}`], ''));
    expect((await client.response()).status).toBe(417);
    await client.send(smuggled);
    expect((await client.rest()).length).toBe(0);
    expect(on.origin.requests.map((got) => got.target)).not.toContain('/late');
  });
});
