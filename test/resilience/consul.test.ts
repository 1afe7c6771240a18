import type { IncomingMessage, ServerResponse } from 'node:http';
import { afterEach, expect, it } from 'vitest';
import { httpOrigin } from '../../src/testkit/index.ts';
import { discovering, discoveryStage, PATIENT, place } from './discovery-stage.ts';

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
  const origin = await place(name);
  closers.push(() => origin.close());
  const [Address, Port] = ['127.0.0.1', origin.port];
  return { Node: { Address: '192.0.2.1' }, Service: { ID: name, Address, Port, Weights: { Passing: 1 } } };
}

const configFor = (url: string, token = 'b1gs33cr3t') =>
  discovering({ consul: `${url}/proxy/`, name: 'shop', token });

async function gatewayThatAsks(url: string) {
  const stage = await discoveryStage(configFor(url));
  closers.push(() => stage.gateway.drain(0));
  return stage;
}

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
  const { ask, error, told, lines } = await gatewayThatAsks(server.url);
  await expect.poll(ask, PATIENT).toBe('a');
  expect(error()).toBeNull();
  server.setAway(true);
  await expect.poll(error, PATIENT).toBe('the connection was closed before an answer');
  expect(await ask()).toBe('a');
  server.setAway(false);
  server.says({});
  await expect.poll(error, PATIENT).toBe('the answer is not a list of instances');
  expect(await ask()).toBe('a');
  expect(told('cannot be found')).toBe(1);
  server.says([b]);
  await expect.poll(ask, PATIENT).toBe('b');
  expect(error()).toBeNull();
  expect(told('can be found again')).toBe(1);
  expect(lines.join('\n')).not.toContain('b1gs33cr3t');
}, 60_000);

it('another token asks anew, and what is known stays until there is an answer', async () => {
  const server = await consul();
  server.says([await target('a')]);
  const { gateway, ask, error } = await gatewayThatAsks(server.url);
  await expect.poll(ask, PATIENT).toBe('a');
  await gateway.reload(configFor(server.url, 'wr0ng'));
  expect(await ask()).toBe('a');
  await expect.poll(error, PATIENT).toBe('status 403: Consul does not take the token');
  expect(await ask()).toBe('a');
}, 60_000);
