import { expect, it } from 'vitest';
import { freePort, httpOrigin, scriptedOrigin } from '../../testkit/index.ts';
import { Collector } from './collector.ts';

const BATCH = Buffer.from('{}');

it('posts on one connection, with its headers', async () => {
  const ports = new Set<number>();
  await using origin = await httpOrigin((request, response) => {
    ports.add(request.socket.remotePort!);
    response.writeHead(429, { 'retry-after': '7' }).end(request.headers.authorization);
  });
  const collector = new Collector(`${origin.url}/v1/traces`, { authorization: 'me' });
  for (let i = 0; i < 3; i++)
    expect(await collector.post(BATCH, 5_000)).toEqual({ status: 429, text: 'me', retryAfter: '7' });
  expect(ports.size).toBe(1);
  collector.close();
});

it('hears the beginning of what is said', async () => {
  await using origin = await httpOrigin((_, response) => void response.end('x'.repeat(9000)));
  const collector = new Collector(origin.url, {});
  const said = await collector.post(BATCH, 5_000);
  expect(said).toEqual({ status: 200, text: 'x'.repeat(4096), retryAfter: null });
  collector.close();
});

it('asks once more where a connection that was kept is closed just then', async () => {
  let asked = 0;
  const origin = await scriptedOrigin(async (exchange) => {
    await exchange.body();
    asked++;
    if (asked === 2) return exchange.connection.reset();
    await exchange.send('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}');
  });
  const collector = new Collector(origin.url, {});
  expect(await collector.post(BATCH, 5_000)).toMatchObject({ status: 200, text: '{}' });
  expect(await collector.post(BATCH, 5_000)).toMatchObject({ status: 200, text: '{}' });
  expect(asked).toBe(3);
  collector.close();
  await origin.close();
});

it('says why where nobody is there, or nobody answers', async () => {
  const away = new Collector(`http://localhost:${await freePort()}`, {});
  await expect(away.post(BATCH, 5_000)).rejects.toThrow(/ECONNREFUSED/);
  away.close();
  await using origin = await httpOrigin(() => {});
  const silent = new Collector(origin.url, {});
  await expect(silent.post(BATCH, 50)).rejects.toThrow(/timeout/);
  silent.close();
});
