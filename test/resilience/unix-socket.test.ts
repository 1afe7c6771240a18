/** Services that listen on a Unix socket. */
import { renameSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTcpServer } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type LogFields, silentLogger } from '../../src/telemetry/index.ts';
import {
  httpOrigin,
  type RawResponse,
  rawClient,
  startTestGateway,
  type TempFolder,
  type TestGateway,
  tempFolder,
  until,
} from '../../src/testkit/index.ts';

let folder: TempFolder;
const closers: (() => Promise<void>)[] = [];
beforeEach(() => {
  folder = tempFolder();
});
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
  folder.close();
});

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/** A service on a socket of the test's folder; `connections` counts those made to it. */
async function service(handler: Handler, name = 'shop.sock') {
  const path = `${folder.path}/${name}`;
  const server = createServer(handler);
  const seen = { connections: 0 };
  server.on('connection', () => seen.connections++);
  await new Promise<void>((resolve) => server.listen(path, resolve));
  closers.push(() => closed(server));
  return { path, url: `unix:${path}`, server, seen };
}

async function closed(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
}

/** The file of a socket on which nobody listens any more. */
async function deserted(): Promise<string> {
  const [path, moved] = [`${folder.path}/old.sock`, `${folder.path}/deserted.sock`];
  const server = createTcpServer();
  await new Promise<void>((resolve) => server.listen(path, resolve));
  renameSync(path, moved);
  await new Promise((resolve) => server.close(resolve));
  return moved;
}

const warned: string[] = [];
async function gatewayBefore(config: object): Promise<TestGateway> {
  warned.length = 0;
  const keep = (text: string, fields?: LogFields) => void warned.push(`${text} ${JSON.stringify(fields)}`);
  const gateway = await startTestGateway(
    { routes: { all: { match: '/*', to: 'shop' } }, ...config },
    { log: { ...silentLogger, warn: keep, error: keep } },
  );
  closers.push(() => gateway.close());
  return gateway;
}

async function ask(gateway: TestGateway, line = 'GET /x', body = ''): Promise<RawResponse> {
  const client = await rawClient({ port: gateway.port });
  const length = body === '' ? '' : `Content-Length: ${body.length}\r\n`;
  await client.send(`${line} HTTP/1.1\r\nHost: shop.test\r\n${length}\r\n${body}`);
  const response = await client.response();
  client.close();
  return response;
}

const textOf = (response: RawResponse) => response.body.toString();

/** What a service was asked, as its answer. */
const echo: Handler = (request, response) => {
  const body: Buffer[] = [];
  request.on('data', (chunk: Buffer) => body.push(chunk));
  request.on('end', () =>
    response.end(`${request.method} ${request.url} ${request.headers.host} ${Buffer.concat(body)}`),
  );
};

describe('a service on a Unix socket', () => {
  it('gets requests with their bodies and the Host of the client, on connections that are kept', async () => {
    const shop = await service(echo);
    const gateway = await gatewayBefore({ services: { shop: { url: shop.url } } });
    expect(textOf(await ask(gateway, 'GET /a?b=1'))).toBe('GET /a?b=1 shop.test ');
    const large = 'x'.repeat(300_000);
    expect(textOf(await ask(gateway, 'POST /c', large))).toBe(`POST /c shop.test ${large}`);
    expect(shop.seen.connections).toBe(1);
  });

  it('has three slashes as well as one, and is localhost for `host: service`', async () => {
    const shop = await service(echo);
    const gateway = await gatewayBefore({
      services: { shop: { url: `unix://${shop.path}`, host: 'service' } },
    });
    expect(textOf(await ask(gateway))).toBe('GET /x localhost ');
  });

  it('may switch to another protocol', async () => {
    const shop = await service(echo);
    shop.server.on('upgrade', (_request, socket) => {
      socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
      socket.pipe(socket);
    });
    const gateway = await gatewayBefore({ services: { shop: { url: shop.url } } });
    const client = await rawClient({ port: gateway.port });
    await client.send('GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
    expect((await client.response()).status).toBe(101);
    await client.send('hello');
    expect((await client.bytes(5)).toString()).toBe('hello');
    client.close();
  });

  it('is asked by aggregates and for mirrored copies', async () => {
    const copies: string[] = [];
    const shop = await service((request, response) => {
      if (request.url === '/copied') copies.push(String(request.headers.host));
      response.setHeader('content-type', 'application/json');
      response.end('{"price":7}');
    });
    const main = await httpOrigin((_request, response) => void response.end('main'));
    closers.push(() => main.close());
    const gateway = await gatewayBefore({
      services: { shop: { url: shop.url }, main: { url: main.url } },
      routes: {
        page: {
          match: '/page',
          aggregate: { calls: { item: { to: 'shop', path: '/item' } }, body: '{"costs": item.body.price}' },
        },
        copied: { match: '/copied', to: 'main', mirror: { to: 'shop' } },
      },
    });
    expect(JSON.parse(textOf(await ask(gateway, 'GET /page')))).toEqual({ costs: 7 });
    expect(textOf(await ask(gateway, 'GET /copied'))).toBe('main');
    await until(() => copies.length === 1, 'no copy came');
  });
});

describe('a Unix socket that takes no connection', () => {
  const places = {
    'is not there': () => `${folder.path}/absent.sock`,
    'is deserted': deserted,
  };
  it.each(Object.entries(places))(
    'is 502 where it %s; the log names its path, the answer does not',
    async (_, place) => {
      const path = await place();
      const gateway = await gatewayBefore({ services: { shop: { url: `unix:${path}`, retries: 'none' } } });
      const response = await ask(gateway);
      expect(response.status).toBe(502);
      expect(JSON.parse(textOf(response)).type).toContain('TG_UPSTREAM_REFUSED');
      expect(textOf(response)).not.toContain('.sock');
      await until(
        () => warned.some((line) => /(there is no|nobody listens on the) socket/.test(line)),
        'no reason',
      );
      expect(warned.join('\n')).toContain(path);
    },
  );

  it('is passed over for another target, by unsafe requests too', async () => {
    const shop = await service(echo);
    const gateway = await gatewayBefore({
      services: {
        shop: {
          targets: [`unix:${folder.path}/absent.sock`, `unix:${await deserted()}`, shop.url],
          balance: 'roundRobin',
          health: { passive: 'none' },
          retries: { attempts: 2, budget: '100%' },
        },
      },
    });
    for (let i = 0; i < 4; i++)
      expect(textOf(await ask(gateway, 'POST /once', 'body'))).toBe('POST /once shop.test body');
  });
});

describe('checks of a target on a Unix socket', () => {
  it.each([{ path: '/healthz' }, { tcp: true }])(
    '%j: out while it fails, and in again',
    async (check) => {
      const hosts: string[] = [];
      const sick = await service((request, response) => {
        if (request.url === '/healthz') hosts.push(String(request.headers.host));
        response.end('sick');
      }, 'sick.sock');
      const well = await service((_request, response) => void response.end('well'), 'well.sock');
      const gateway = await gatewayBefore({
        services: {
          shop: {
            targets: [sick.url, well.url],
            balance: 'roundRobin',
            retries: 'none',
            health: {
              ...check,
              interval: '20ms',
              timeout: '2s',
              unhealthyAfter: 1,
              healthyAfter: 1,
              passive: 'none',
              panic: '0%',
            },
          },
        },
      });
      const answers = async () => [textOf(await ask(gateway)), textOf(await ask(gateway))].sort();
      await expect.poll(answers).toEqual(['sick', 'well']);
      await closed(sick.server);
      await expect.poll(answers, { timeout: 5000 }).toEqual(['well', 'well']);
      // One that was under way as the socket closed ends by a reset; each later one finds no socket.
      expect(warned.join('\n')).toContain(sick.path);
      await new Promise<void>((resolve) => sick.server.listen(sick.path, resolve));
      await expect.poll(async () => (await answers()).includes('sick'), { timeout: 15_000 }).toBe(true);
      expect(new Set(hosts)).toEqual(new Set('path' in check ? ['localhost'] : []));
    },
    30_000,
  );
});
