import { afterEach, expect, it } from 'vitest';
import { loadObject } from '../../src/config/index.ts';
import { type HttpOrigin, httpOrigin, ManualClock, rawClient } from '../../src/testkit/index.ts';
import type { Discover } from '../../src/upstream/index.ts';
import { bareGateway } from '../bare-gateway.ts';

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function target(name: string): Promise<HttpOrigin> {
  const origin = await httpOrigin(
    (request, response) => void response.end(`${name} ${request.headers.host}`),
  );
  closers.push(() => origin.close());
  return origin;
}

async function gatewayThatFollows(discover: Discover, config: object = {}) {
  const clock = new ManualClock();
  const definition = {
    services: {
      shop: { discover: { dns: 'shop.internal', type: 'SRV' }, balance: 'roundRobin', ...config },
    },
    routes: { all: { match: '/*', to: 'shop' } },
  };
  const { gateway, port } = await bareGateway(definition, { clock, discover });
  closers.push(() => gateway.drain(0));
  const ask = async () => {
    const client = await rawClient({ port });
    await client.send('GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n');
    const response = await client.response();
    client.close();
    return response.status === 200 ? response.body.toString().split(' ')[0]! : String(response.status);
  };
  return { clock, gateway, ask };
}

it('targets come and go with the name, those that stay keep their state', async () => {
  const [a, b, c] = [await target('a'), await target('b'), await target('c')];
  const at = (origin: HttpOrigin) => ({ host: '127.0.0.1', port: origin.port, weight: 1 });
  let now = [at(a), at(b)];
  const { clock, gateway, ask } = await gatewayThatFollows((_config, done) => done(null, now, 1000));
  const four = async () => new Set([await ask(), await ask(), await ask(), await ask()]);
  expect(await four()).toEqual(new Set(['a', 'b']));
  now = [at(b), at(c)];
  clock.advance(1001);
  expect(await four()).toEqual(new Set(['b', 'c']));
  const described = gateway.describe()[0]!.targets.find(({ name }) => name === `http://127.0.0.1:${b.port}`)!;
  expect(described.requests).toBe(4);
  expect(gateway.describe()[0]!.targets.length).toBe(2);
});

it('a name that nobody knows is 503, and its service works once it is known', async () => {
  const a = await target('a');
  let known = false;
  const { clock, ask } = await gatewayThatFollows((_config, done) =>
    known
      ? done(null, [{ host: '127.0.0.1', port: a.port, weight: 1 }], 1000)
      : done(new Error('ENOTFOUND'), [], 0),
  );
  expect(await ask()).toBe('503');
  known = true;
  clock.advance(1001);
  expect(await ask()).toBe('a');
});

it('a reload that lets a service follow a name goes on with what was there until the name is known', async () => {
  const [a, b] = [await target('a'), await target('b')];
  const routes = { all: { match: '/*', to: 'shop' } };
  let answer = () => {};
  const { gateway, port } = await bareGateway(
    { services: { shop: { url: a.url } }, routes },
    {
      discover: (_config, done) => {
        answer = () => done(null, [{ host: '127.0.0.1', port: b.port, weight: 1 }], 60_000);
      },
    },
  );
  closers.push(() => gateway.drain(0));
  const ask = async () => (await (await fetch(`http://127.0.0.1:${port}/`)).text()).split(' ')[0];
  const followed = { listen: '127.0.0.1:0', admin: false, services: { shop: { discover: { dns: 'shop' } } } };
  const { config } = loadObject({ ...followed, routes }, '.');
  const reloaded = gateway.reload(config!);
  expect(await ask()).toBe('a');
  answer();
  await reloaded;
  expect(await ask()).toBe('b');
});
