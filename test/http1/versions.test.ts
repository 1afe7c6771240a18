import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { answer, headerValue } from '../../src/testkit/index.ts';
import { request, type Stage, stage } from './stage.ts';

describe('when a connection is kept', () => {
  let on: Stage;
  beforeAll(async () => {
    on = await stage();
  });
  afterAll(() => on.close());

  async function twice(line: string, headers: string[]) {
    on.origin.answerWith(answer(200, [], 'ok'));
    const client = await on.client();
    await client.send(request(line, headers));
    const first = await client.response();
    return { client, first };
  }

  it('HTTP/1.1 keeps it (RFC 9112 §9.3)', async () => {
    const { client } = await twice('GET / HTTP/1.1', ['Host: a']);
    await client.send(request('GET / HTTP/1.1'));
    expect((await client.response()).status).toBe(200);
  });

  it.each(['close', 'Close', 'x, close', 'keep-alive, close'])(
    'HTTP/1.1 with Connection: %s ends it, and says so (RFC 9112 §9.6)',
    async (option) => {
      const { client, first } = await twice('GET / HTTP/1.1', ['Host: a', `Connection: ${option}`]);
      expect(headerValue(first, 'connection')?.toLowerCase()).toBe('close');
      expect((await client.rest()).length).toBe(0);
    },
  );

  it('HTTP/1.0 ends it (RFC 9112 §9.3)', async () => {
    const { client } = await twice('GET / HTTP/1.0', ['Host: a']);
    expect((await client.rest()).length).toBe(0);
  });

  it('HTTP/1.0 with keep-alive keeps it, and says so (RFC 9112 §9.3)', async () => {
    const { client, first } = await twice('GET / HTTP/1.0', ['Host: a', 'Connection: keep-alive']);
    expect(headerValue(first, 'connection')?.toLowerCase()).toBe('keep-alive');
    await client.send(request('GET / HTTP/1.0', ['Host: a', 'Connection: keep-alive']));
    expect((await client.response()).status).toBe(200);
  });

  it('a chunked answer to HTTP/1.0 comes without chunks and ends with the connection (RFC 9112 §6.1)', async () => {
    on.origin.answerWith('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n');
    const client = await on.client();
    await client.send(request('GET / HTTP/1.0', ['Host: a', 'Connection: keep-alive']));
    const response = await client.response();
    expect(response.framing).toBe('close');
    expect(response.body.toString()).toBe('hello');
  });

  it('HTTP/1.0 may do without Host (RFC 9112 §3.2)', async () => {
    on.origin.answerWith(answer(200, [], 'ok'));
    const client = await on.client();
    await client.send('GET /nohost HTTP/1.0\r\n\r\n');
    expect([200, 400]).toContain((await client.response()).status);
    expect((await client.rest()).length).toBe(0);
  });

  it('no interim answer goes to HTTP/1.0 (RFC 9110 §15.2)', async () => {
    on.origin.answerWith(`HTTP/1.1 103 Early\r\nlink: x\r\n\r\n${answer(200, [], 'ok')}`);
    const client = await on.client();
    await client.send(request('GET / HTTP/1.0', ['Host: a']));
    expect((await client.response()).interim).toEqual([]);
  });
});
