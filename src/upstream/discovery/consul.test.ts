import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import type { ConsulDiscoverConfig } from '../../config/model.ts';
import { certificates, freePort, httpOrigin, seededRandom } from '../../testkit/index.ts';
import { ConsulWatch } from './consul.ts';
import type { DiscoveredTarget } from './source.ts';

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

interface Heard {
  error: string | null;
  targets: DiscoveredTarget[];
  again: number;
}

const TLS = { ca: null, cert: null, key: null, serverName: null, verify: true };

/** As Consul tells of an instance, as far as it is read. */
const instance = (service: object, node: object = { Address: '10.0.0.1' }) => ({
  Node: { ID: 'n', Node: 'one', ...node },
  Service: { ID: 'shop-1', Service: 'shop', ...service },
  Checks: [{ CheckID: 'serfHealth', Status: 'passing' }],
});
const SHOP = instance({ Address: '10.1.0.1', Port: 8080, Weights: { Passing: 5, Warning: 1 } });

const says = (response: ServerResponse, index: number | string, body: unknown) =>
  void response
    .writeHead(200, { 'x-consul-index': String(index), 'content-type': 'application/json' })
    .end(typeof body === 'string' ? body : JSON.stringify(body));

type Answer = (response: ServerResponse, request: IncomingMessage) => void;

/** A watch of a server that gives these answers in turn, and what it was asked. */
async function watching(answers: Answer[], config: Partial<ConsulDiscoverConfig> = {}, grace = 5000) {
  const asked: { url: URL; token: unknown }[] = [];
  const server = await httpOrigin((request, response) => {
    asked.push({ url: new URL(request.url!, 'http://consul'), token: request.headers['x-consul-token'] });
    answers.shift()!(response, request);
  });
  closers.push(() => server.close());
  const whole: ConsulDiscoverConfig = {
    kind: 'consul',
    url: server.url,
    name: 'shop',
    token: null,
    tls: TLS,
    scheme: 'http',
    ...config,
  };
  const watch = new ConsulWatch(whole, seededRandom(1), { wait: 30_000, grace });
  const ask = (signal = new AbortController().signal) =>
    new Promise<Heard>((resolve) =>
      watch.ask(
        (error, targets, again) => resolve({ error: error?.message ?? null, targets, again }),
        signal,
      ),
    );
  const questions = () => asked.map(({ url }) => `${url.pathname}${url.search}`);
  return { ask, asked, questions };
}

const PLAIN = '/v1/health/service/shop?passing';
const held = (index: number) => `${PLAIN}&index=${index}&wait=30000ms`;

describe('a service of Consul', () => {
  it('is where its instances are: their own address or that of their node, port and weight', async () => {
    const { ask } = await watching([
      (response) =>
        says(response, 7, [
          SHOP,
          instance({ Address: '', Port: 8081 }),
          instance({ ID: 'again', Address: '', Port: 8081 }),
          instance({ Port: 8082, Weights: { Passing: 1 } }, { Address: 'fd00::1' }),
        ]),
    ]);
    expect(await ask()).toEqual({
      error: null,
      targets: [
        { host: '10.1.0.1', port: 8080, weight: 5 },
        { host: '10.0.0.1', port: 8081, weight: 1 },
        { host: 'fd00::1', port: 8082, weight: 1 },
      ],
      again: 0,
    });
  });

  it('nowhere, where no instance passes its checks', async () => {
    const { ask } = await watching([(response) => says(response, 7, [])]);
    expect(await ask()).toMatchObject({ error: null, targets: [] });
  });

  it('is asked with the token, its name spelled as a part of a path', async () => {
    const { ask, asked } = await watching([(response) => says(response, 7, [])], {
      name: 'a/b c',
      token: 'b1gs33cr3t',
    });
    await ask();
    expect(asked[0]).toMatchObject({ token: 'b1gs33cr3t' });
    expect(asked[0]!.url.pathname).toBe('/v1/health/service/a%2Fb%20c');
  });

  it('is waited for by the index of the last answer', async () => {
    const { ask, questions } = await watching(
      [7, 9, 9].map((index) => (response) => says(response, index, [SHOP])),
    );
    for (const _ of [1, 2, 3]) await ask();
    expect(questions()).toEqual([PLAIN, held(7), held(9)]);
  });

  it('an index that went backwards is forgotten, one of 0 is waited for as 1', async () => {
    const { ask, questions } = await watching(
      [9, 4, 4, 0, 0, 1].map((index) => (response) => says(response, index, [SHOP])),
    );
    for (const _ of [1, 2, 3, 4, 5, 6]) await ask();
    expect(questions()).toEqual([PLAIN, held(9), PLAIN, held(4), PLAIN, held(1)]);
  });

  it('after trouble it is asked anew, later and later, and at once again when it is over', async () => {
    const broken: Answer = (response) => void response.writeHead(500).end('No cluster leader');
    const fine: Answer = (response) => says(response, 9, [SHOP]);
    const { ask, questions } = await watching([fine, ...Array(7).fill(broken), fine, broken]);
    await ask();
    const pauses: number[] = [];
    for (let count = 0; count < 7; count++) {
      const { error, again } = await ask();
      expect(error).toBe('status 500');
      pauses.push(again);
    }
    for (const [count, least] of [1000, 2000, 4000, 8000, 16_000, 16_000, 16_000].entries()) {
      expect(pauses[count]).toBeGreaterThanOrEqual(least);
      expect(pauses[count]).toBeLessThan(least * 1.5);
    }
    expect(await ask()).toMatchObject({ error: null, again: 0 });
    expect((await ask()).again).toBeLessThan(1500);
    expect(questions()).toEqual([PLAIN, held(9), ...Array(7).fill(PLAIN), held(9)]);
  });

  it.each<[string, unknown, string]>([
    ['HTML', '<html>', 'the answer is not JSON'],
    ['an object', {}, 'the answer is not a list of instances'],
    ['no instance', [null], 'the instance null has no address that can be connected to'],
    [
      'no address',
      [instance({ Port: 1 }, { Address: '' })],
      'the instance "shop-1" has no address that can be connected to',
    ],
    [
      'a URL',
      [instance({ Address: 'http://a', Port: 1 })],
      'the instance "shop-1" has no address that can be connected to',
    ],
    ['no port', [instance({ Port: 0 })], 'the instance "shop-1" has no port'],
    [
      'a weight of 0',
      [instance({ Port: 1, Weights: { Passing: 0 } })],
      'the instance "shop-1" has a weight that is none',
    ],
    ['too many', Array(4097).fill(SHOP), '4097 instances are more than the 4096 that are taken'],
  ])('an answer of %s is an error', async (_what, body, message) => {
    const { ask } = await watching([(response) => says(response, 7, body)]);
    expect(await ask()).toMatchObject({ error: message, targets: [] });
  });

  it('who is not Consul, or refuses, is an error', async () => {
    const { ask } = await watching([
      (response) => void response.end('[]'),
      (response) => says(response, 'many', []),
      (response) => void response.writeHead(403).end('ACL not found'),
      (response) => void response.writeHead(301, { location: '/' }).end(),
    ]);
    const errors = [];
    for (const _ of [1, 2, 3, 4]) errors.push((await ask()).error);
    expect(errors).toEqual([
      'the answer has no X-Consul-Index: is this the HTTP API of Consul?',
      'the answer has no X-Consul-Index: is this the HTTP API of Consul?',
      'status 403: Consul does not take the token',
      'status 301',
    ]);
  });

  it('an answer without end is cut off', async () => {
    const { ask } = await watching([
      (response) => {
        response.writeHead(200, { 'x-consul-index': '7' });
        const chunk = Buffer.alloc(1024 * 1024, ' ');
        const more = () => {
          while (!response.destroyed && response.write(chunk));
        };
        response.on('drain', more);
        more();
      },
    ]);
    expect((await ask()).error).toBe('the answer is longer than 16777216 bytes');
  });

  it('who says nothing, or breaks off, or is not there is an error', async () => {
    const silent = await watching([() => {}], {}, 50);
    expect((await silent.ask()).error).toBe('no answer in 50 ms');
    const breaking = await watching([
      (response) => {
        response.writeHead(200, { 'x-consul-index': '7', 'content-length': '100' }).write('[');
        setImmediate(() => response.destroy());
      },
    ]);
    expect((await breaking.ask()).error).toBe('the connection was closed before an answer');
    const away = await watching([], { url: `http://127.0.0.1:${await freePort()}` });
    expect((await away.ask()).error).toBe('connection refused');
  });

  it('is asked over TLS by the authority and the name that are given', async () => {
    const authority = await certificates();
    const server = createServer(await authority.leaf(['server.dc1.consul']), (_request, response) =>
      says(response, 7, [SHOP]),
    );
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    closers.push(() => new Promise((resolve) => server.close(resolve)));
    const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const { ca } = authority;
    const trusting = await watching([], { url, tls: { ...TLS, ca, serverName: 'server.dc1.consul' } });
    expect(await trusting.ask()).toMatchObject({ error: null, targets: [{ host: '10.1.0.1' }] });
    const misled = await watching([], { url, tls: { ...TLS, ca } });
    expect((await misled.ask()).error).toContain('does not match certificate');
    const stranger = await watching([], { url });
    expect((await stranger.ask()).error).toContain('certificate');
  });

  it('a question that nobody wants answered any more ends at once', async () => {
    const closing = new AbortController();
    let gone: Promise<unknown> | undefined;
    const { ask } = await watching([
      (response) => {
        gone = new Promise((resolve) => response.on('close', resolve));
        closing.abort();
      },
    ]);
    await ask(closing.signal);
    await gone;
  });
});
