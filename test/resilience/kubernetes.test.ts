import { afterEach, expect, it } from 'vitest';
import {
  endpointSlice,
  type HttpOrigin,
  type KubernetesApi,
  kubernetesApi,
  rawClient,
  refuse,
} from '../../src/testkit/index.ts';
import { discovering, discoveryStage, PATIENT, place } from './discovery-stage.ts';

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const TOKEN = 'b1gs33cr3t';

async function cluster(): Promise<KubernetesApi> {
  const api = await kubernetesApi();
  api.token = TOKEN;
  closers.push(() => api.close());
  return api;
}

async function pod(name: string): Promise<HttpOrigin> {
  const origin = await place(name);
  closers.push(() => origin.close());
  return origin;
}

/** Each pod has a slice of its own here, since all of them have the same address. */
const slice = (name: string, { port }: HttpOrigin, conditions: object = { ready: true }) =>
  endpointSlice(name, port, { addresses: ['127.0.0.1'], conditions });
const ENDING = { ready: false, serving: true, terminating: true };

const configFor = (api: KubernetesApi, token = TOKEN) =>
  discovering({ kubernetes: 'edge/shop', api: `${api.url}/`, token, tls: { ca: api.ca } });

async function gatewayBefore(api: KubernetesApi) {
  const stage = await discoveryStage(configFor(api));
  closers.push(() => stage.gateway.drain(0));
  return stage;
}

it('targets come and go with the ready endpoints, those that stay keep their state, and none is 503', async () => {
  const api = await cluster();
  const [a, b] = [await pod('a'), await pod('b')];
  api.put(slice('a', a));
  const { gateway, ask, targets } = await gatewayBefore(api);
  await expect.poll(ask, PATIENT).toBe('a');
  const before = targets()[0]!.requests;
  api.put(slice('b', b));
  await expect.poll(ask, PATIENT).toBe('a,b');
  expect(targets().find(({ name }) => name.endsWith(String(a.port)))!.requests).toBeGreaterThan(before);
  api.put(slice('b', b, ENDING));
  await expect.poll(ask, PATIENT).toBe('a');
  api.put(slice('a', a, { ready: false, serving: false, terminating: true }));
  await expect.poll(ask, PATIENT).toBe('b');
  api.put(slice('b', b, { ready: false }));
  await expect.poll(ask, PATIENT).toBe('503');
  api.put(slice('a', a));
  await expect.poll(ask, PATIENT).toBe('a');
  expect(api.asked.length).toBe(2);
  await gateway.drain(0);
  await expect.poll(() => api.watching, PATIENT).toBe(0);
}, 60_000);

it('while the API is away, or refuses, the targets known last stay, which is told of once', async () => {
  const api = await cluster();
  const [a, b] = [await pod('a'), await pod('b')];
  api.put(slice('a', a));
  const { ask, error, told, lines } = await gatewayBefore(api);
  await expect.poll(ask, PATIENT).toBe('a');
  expect(error()).toBeNull();
  api.always = (response) => void response.destroy();
  api.cut('destroy');
  await expect.poll(error, PATIENT).toBe('the connection was closed before an answer');
  expect(await ask()).toBe('a');
  api.always = refuse(403, 'endpointslices is forbidden: User "system:serviceaccount:edge:gate" cannot list');
  await expect.poll(error, PATIENT).toMatch(/^status 403: .* apply of: !!map \{apiVersion: v1, kind: List,/);
  expect(await ask()).toBe('a');
  expect(told('those known last stay')).toBe(1);
  api.always = null;
  api.remove('a');
  api.put(slice('b', b));
  await expect.poll(ask, PATIENT).toBe('b');
  expect(error()).toBeNull();
  expect(told('can be found again')).toBe(1);
  expect(lines.join('\n')).not.toContain(TOKEN);
}, 60_000);

it('a service that is not there is told of, has no targets, and works once it is there', async () => {
  const api = await cluster();
  const { ask, error, told } = await gatewayBefore(api);
  await expect
    .poll(error, PATIENT)
    .toBe('the service edge/shop has no EndpointSlice: is there such a service?');
  expect(told('cannot be found: there are none')).toBe(1);
  expect(await ask()).toBe('503');
  api.put(slice('a', await pod('a')));
  await expect.poll(ask, PATIENT).toBe('a');
}, 60_000);

it('another token asks anew, and what is known stays until there is an answer', async () => {
  const api = await cluster();
  api.put(slice('a', await pod('a')));
  const { gateway, ask, error } = await gatewayBefore(api);
  await expect.poll(ask, PATIENT).toBe('a');
  await gateway.reload(configFor(api, 'wr0ng'));
  expect(await ask()).toBe('a');
  await expect.poll(error, PATIENT).toBe('status 401: the API does not take the token');
  expect(await ask()).toBe('a');
}, 60_000);

it('a roll-out under load costs no request: each old pod ends once its endpoint has been gone for a while', async () => {
  const api = await cluster();
  const old = [await pod('old-1'), await pod('old-2'), await pod('old-3')];
  for (const [n, each] of old.entries()) api.put(slice(`old-${n}`, each));
  const { gateway, ask, targets } = await gatewayBefore(api);
  await expect.poll(ask, PATIENT).toBe('old-1,old-2,old-3');
  const load = loadOn(gateway.port('main'));
  for (const [n, each] of old.entries()) {
    const next = await pod(`new-${n + 1}`);
    api.put(slice(`new-${n}`, next));
    api.put(slice(`old-${n}`, each, ENDING));
    const gone = `http://127.0.0.1:${each.port}`;
    await expect.poll(() => targets().map(({ name }) => name), PATIENT).not.toContain(gone);
    api.remove(`old-${n}`);
    // A pod that ends answers what it has begun with.
    await new Promise((resolve) => each.server.close(resolve));
  }
  // Nobody asks beside the load: in step with it, every request of one client may go to the same target.
  await expect.poll(() => targets().filter(({ requests }) => requests > 0).length, PATIENT).toBe(3);
  const answers = await load.stop();
  expect(await ask()).toBe('new-1,new-2,new-3');
  expect(Object.keys(answers).filter((answer) => !/^(?:old|new)-[123]$/.test(answer))).toEqual([]);
  expect(Object.keys(answers).length).toBe(6);
}, 60_000);

/** Eight clients, each sending one request after another on a connection that it keeps; what they got, counted. */
function loadOn(port: number): { stop(): Promise<Record<string, number>> } {
  const answers: Record<string, number> = {};
  let stopped = false;
  const client = async () => {
    const connection = await rawClient({ port });
    while (!stopped) {
      await connection.send('GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n');
      const response = await connection.response();
      const answer = response.status === 200 ? response.body.toString() : String(response.status);
      answers[answer] = (answers[answer] ?? 0) + 1;
    }
    connection.close();
  };
  const clients = Promise.all(Array.from({ length: 8 }, client));
  return {
    stop: async () => {
      stopped = true;
      await clients;
      return answers;
    },
  };
}
