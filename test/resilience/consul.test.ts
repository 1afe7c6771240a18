import type { IncomingMessage, ServerResponse } from 'node:http';
import { afterEach, expect, it } from 'vitest';
import { loadObject } from '../../src/config/index.ts';
import { createGateway } from '../../src/gateway.ts';
import { Counters, createLogger, type LineWriter } from '../../src/telemetry/index.ts';
import { httpOrigin, rawClient } from '../../src/testkit/index.ts';
import { systemClock } from '../../src/util/clock.ts';
import { systemRandom } from '../../src/util/random.ts';

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** What speaks the health API of Consul as far as discovery asks it: blocking queries held until a change. */
async function consul() {
  let index = 10;
  let instances: unknown = [];
  let away = false;
  const held = new Set<ServerResponse>();
  const tell = (response: ServerResponse) => {
    held.delete(response);
    if (away) return void response.destroy();
    response.setHeader('x-consul-index', index);
    response.end(JSON.stringify(instances));
  };
  const server = await httpOrigin((request: IncomingMessage, response) => {
    const { pathname, searchParams } = new URL(request.url!, 'http://consul');
    const known = pathname === '/proxy/v1/health/service/shop' && searchParams.has('passing');
    if (!known || request.headers['x-consul-token'] !== 'b1gs33cr3t')
      return void response.writeHead(403).end();
    if (away || Number(searchParams.get('index')) !== index) return tell(response);
    held.add(response);
    response.on('close', () => held.delete(response));
  });
  closers.push(() => server.close());
  const flush = () => {
    for (const response of [...held]) tell(response);
  };
  return {
    url: server.url,
    held,
    says(next: unknown) {
      index++;
      instances = next;
      flush();
    },
    setAway(is: boolean) {
      away = is;
      flush();
    },
  };
}

async function target(name: string) {
  const origin = await httpOrigin((_request, response) => void response.end(name));
  closers.push(() => origin.close());
  const [Address, Port] = ['127.0.0.1', origin.port];
  return { Node: { Address: '192.0.2.1' }, Service: { ID: name, Address, Port, Weights: { Passing: 1 } } };
}

function configWith(url: string, token = 'b1gs33cr3t') {
  const discover = { consul: `${url}/proxy/`, name: 'shop', token };
  const { config, issues } = loadObject(
    {
      listen: '127.0.0.1:0',
      services: { shop: { discover, balance: 'roundRobin' } },
      routes: { all: { match: '/*', to: 'shop' } },
    },
    '.',
  );
  expect(issues).toEqual([]);
  return config!;
}

async function gatewayThatAsks(url: string) {
  const lines: string[] = [];
  const log = createLogger({
    format: 'json',
    writer: { write: (line) => void lines.push(String(line)) } as LineWriter,
  });
  const gateway = createGateway({
    config: configWith(url),
    clock: systemClock,
    random: systemRandom,
    log,
    counters: new Counters(),
  });
  closers.push(() => gateway.drain(0));
  await gateway.listen('main', { host: '127.0.0.1', port: 0 });
  const once = async () => {
    const client = await rawClient({ port: gateway.port('main') });
    await client.send('GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n');
    const response = await client.response();
    client.close();
    return response.status === 200 ? response.body.toString() : String(response.status);
  };
  /** Who answers, of four requests. */
  const ask = async () =>
    [...new Set([await once(), await once(), await once(), await once()])].sort().join();
  const errors = () => lines.filter((line) => line.includes('cannot be found')).length;
  const error = () => gateway.describe()[0]!.discovery!.error;
  return { gateway, ask, error, errors, lines };
}

const PATIENT = { timeout: 15_000, interval: 50 };

it('targets come and go with the instances that pass, and none is 503', async () => {
  const server = await consul();
  const [a, b] = [await target('a'), await target('b')];
  server.says([a]);
  const { ask, gateway } = await gatewayThatAsks(server.url);
  await expect.poll(ask, PATIENT).toBe('a');
  server.says([a, b]);
  await expect.poll(ask, PATIENT).toBe('a,b');
  server.says([]);
  await expect.poll(ask, PATIENT).toBe('503');
  server.says([b]);
  await expect.poll(ask, PATIENT).toBe('b');
  await expect.poll(() => server.held.size, PATIENT).toBe(1);
  await gateway.drain(0);
  await expect.poll(() => server.held.size, PATIENT).toBe(0);
}, 60_000);

it('while Consul is away, or talks nonsense, the targets known last stay, which is told of once', async () => {
  const server = await consul();
  const [a, b] = [await target('a'), await target('b')];
  server.says([a]);
  const { ask, error, errors, lines } = await gatewayThatAsks(server.url);
  await expect.poll(ask, PATIENT).toBe('a');
  expect(error()).toBeNull();
  server.setAway(true);
  await expect.poll(error, PATIENT).toBe('the connection was closed before an answer');
  expect(await ask()).toBe('a');
  server.setAway(false);
  server.says({});
  await expect.poll(error, PATIENT).toBe('the answer is not a list of instances');
  expect(await ask()).toBe('a');
  expect(errors()).toBe(1);
  server.says([b]);
  await expect.poll(ask, PATIENT).toBe('b');
  expect(error()).toBeNull();
  expect(lines.filter((line) => line.includes('can be found again')).length).toBe(1);
  expect(lines.join('\n')).not.toContain('b1gs33cr3t');
}, 60_000);

it('another token asks anew, and what is known stays until there is an answer', async () => {
  const server = await consul();
  server.says([await target('a')]);
  const { gateway, ask, error } = await gatewayThatAsks(server.url);
  await expect.poll(ask, PATIENT).toBe('a');
  await gateway.reload(configWith(server.url, 'wr0ng'));
  expect(await ask()).toBe('a');
  await expect.poll(error, PATIENT).toBe('status 403: Consul does not take the token');
  expect(await ask()).toBe('a');
}, 60_000);
