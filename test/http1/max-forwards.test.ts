import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { headerValue } from '../../src/testkit/index.ts';
import { request, type Stage, stage } from './stage.ts';

describe('Max-Forwards (RFC 9110 §7.6.2)', () => {
  let on: Stage;
  beforeEach(async () => {
    on = await stage();
  });
  afterEach(() => on.close());

  async function ask(method: string, ...headers: string[]) {
    const client = await on.client();
    await client.send(request(`${method} /x?y HTTP/1.1`, ['Host: shop.test', ...headers]));
    return await client.response(method);
  }

  async function forwarded(method: string, value: string) {
    expect((await ask(method, `Max-Forwards: ${value}`)).status).toBe(200);
    const [got] = on.origin.requests;
    return got!.headers.filter(([name]) => name.toLowerCase() === 'max-forwards').map(([, one]) => one);
  }

  it('0 on OPTIONS: the gateway answers, the service hears nothing', async () => {
    expect((await ask('OPTIONS', 'Max-Forwards: 0')).status).toBe(204);
    expect(on.origin.requests).toHaveLength(0);
  });

  it('0 on TRACE: the gateway shows what came, without credentials', async () => {
    const response = await ask(
      'TRACE',
      'Max-Forwards: 0',
      'Via: 1.1 edge',
      'Cookie: id=secret',
      'Authorization: Bearer secret',
      'X-Api-Key: secret',
    );
    expect(response.status).toBe(200);
    expect(headerValue(response, 'content-type')).toBe('message/http');
    expect(response.body.toString()).toBe(
      'TRACE /x?y HTTP/1.1\r\nHost: shop.test\r\nMax-Forwards: 0\r\nVia: 1.1 edge\r\n\r\n',
    );
    expect(on.origin.requests).toHaveLength(0);
  });

  it.each([
    ['OPTIONS', '1', '0'],
    ['TRACE', '5', '4'],
    ['OPTIONS', '99999999999999999999', '254'],
    ['OPTIONS', 'many', 'many'],
    ['GET', '5', '5'],
    ['GET', '0', '0'],
  ])('on %s, %s is %s to the service', async (method, sent, got) => {
    expect(await forwarded(method, sent)).toEqual([got]);
  });
});
