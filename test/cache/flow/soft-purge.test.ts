import type { ServerResponse } from 'node:http';
import { expect, it } from 'vitest';
import { httpOrigin, ManualClock, until } from '../../../src/testkit/index.ts';
import { bareGateway } from '../../bare-gateway.ts';
import { ask } from '../../workers/fixture/lab.ts';

it('what was purged softly, and then replaced by an answer that can not be stored, stands in for no error', async () => {
  const answers: [status: number, control: string, body: string][] = [
    [200, 'max-age=60, stale-if-error=600', 'old'],
    [404, 'no-store', 'gone'],
    [503, 'no-store', 'down'],
  ];
  await using origin = await httpOrigin((_, response) => {
    const [status, control, body] = answers.shift()!;
    response.writeHead(status, { 'cache-control': control }).end(body);
  });
  const clock = new ManualClock();
  const { gateway, port } = await bareGateway(
    {
      services: { shop: { url: origin.url, retries: 'none' } },
      routes: { all: { match: '/*', to: 'shop', cache: { tags: ['page'] } } },
    },
    { clock },
  );
  const read = async () => (await ask(port, { path: '/', headers: { host: 'shop.test' } })).text;
  const purge = (number: number, tag: string) =>
    gateway.hearFence({ number, what: { tags: [tag], prefixes: [], all: false, soft: true } });
  purge(1, 'another');
  expect(await read()).toBe('old');
  purge(2, 'page');
  expect(await read()).toBe('gone');
  clock.advance(61_000);
  expect(await read()).toBe('down');
  await gateway.drain(0);
});

/** A request before a soft purge and one after it: both have asked the service, which has answered neither. */
async function aroundPurge(more: { staleWhileRevalidate?: string } = {}) {
  const asked: ServerResponse[] = [];
  const origin = await httpOrigin((_, response) => {
    asked.push(response);
  });
  const { gateway, port } = await bareGateway(
    {
      services: { shop: { url: origin.url } },
      routes: { all: { match: '/*', to: 'shop', cache: { ttl: '1m', tags: ['page'], ...more } } },
    },
    { clock: new ManualClock() },
  );
  const read = async () => (await ask(port, { path: '/', headers: { host: 'shop.test' } })).text;
  const purge = (number: number, tag: string) =>
    gateway.hearFence({ number, what: { tags: [tag], prefixes: [], all: false, soft: true } });
  purge(1, 'another');
  const before = read();
  await until(() => asked.length === 1, 'a fill');
  purge(2, 'page');
  const after = read();
  await until(() => asked.length === 2, 'another fill');
  const close = async () => {
    await gateway.drain(0);
    await origin.close();
  };
  return { asked, read, before, after, [Symbol.asyncDispose]: close };
}

it('who comes after a soft purge gets no answer that was asked for before it', async () => {
  await using purged = await aroundPurge();
  const { asked, before, after } = purged;
  asked[0]!.end('old');
  asked[1]!.end('new');
  expect([await before, await after]).toEqual(['old', 'new']);
});

it('what a soft purge has overtaken takes no place of the answer that came after it', async () => {
  await using purged = await aroundPurge({ staleWhileRevalidate: '30s' });
  const { asked, read, before, after } = purged;
  asked[1]!.end('new');
  expect(await after).toBe('new');
  asked[0]!.end('old');
  expect(await before).toBe('old');
  expect([await read(), asked.length]).toEqual(['new', 2]);
});
