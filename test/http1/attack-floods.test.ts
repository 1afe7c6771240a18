import { afterEach, describe, expect, it } from 'vitest';
import { headerValue, until } from '../../src/testkit/index.ts';
import { post, request, type Stage, stage } from './stage.ts';

describe('a flood of tiny chunks', () => {
  let on: Stage;
  afterEach(() => on.close());
  const COUNT = 100_000;
  const flood = `${'1\r\nx\r\n'.repeat(COUNT)}0\r\n\r\n`;

  it('goes to the service in few pieces, every byte in its place', async () => {
    on = await stage();
    const client = await on.client(15_000);
    await client.send(post(['Transfer-Encoding: chunked'], flood));
    expect((await client.response()).status).toBe(200);
    const got = on.origin.requests[0]!;
    expect(got.body.equals(Buffer.alloc(COUNT, 'x'))).toBe(true);
    // Framed one by one they would be six bytes each.
    expect(got.raw.length).toBeLessThan(COUNT * 1.1);
  });

  it('goes to the client in few pieces, every byte in its place', async () => {
    on = await stage({ script: `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${flood}` });
    const client = await on.client(15_000);
    await client.send(request('GET / HTTP/1.1'));
    const response = await client.response();
    expect(headerValue(response, 'transfer-encoding')).toBe('chunked');
    expect(response.body.equals(Buffer.alloc(COUNT, 'x'))).toBe(true);
    await until(() => client.reader.received < COUNT * 1.1, 'few pieces');
  });
});
