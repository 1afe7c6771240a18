/** What clients and authorities see of a listener with `acme`. */
import { connect as connectPlain } from 'node:net';
import { connect, type TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  type AcmeServer,
  acmeServer,
  type Certificates,
  certificates,
  rawClient,
  startTestGateway,
  type TestGateway,
  tempFolder,
  until,
} from '../../src/testkit/index.ts';
import { ask } from '../admin/node.ts';

const PATH = '/.well-known/acme-challenge/';

function configOf(
  ca: AcmeServer,
  storage: string,
  more: { plain?: boolean; hosts?: string[]; acme?: object } = {},
) {
  const { plain = true, hosts = ['shop.test'], acme = {} } = more;
  const own = { email: 'ops@example.com', hosts, directory: ca.directory, ca: ca.ca, storage, ...acme };
  return {
    listen: [
      ...(plain ? [{ name: 'plain', address: '127.0.0.1:0' }] : []),
      { name: 'front', address: '127.0.0.1:0', tls: { acme: own }, limits: { headTimeout: '1s' } },
    ],
    routes: { all: { match: '/*', respond: { body: 'of a route' } } },
  };
}

/** The names that the certificate shown for a name is for; rejects where the handshake fails. */
function shownTo(port: number, servername: string | undefined, more = {}): Promise<string> {
  const socket: TLSSocket = connect({
    host: '127.0.0.1',
    port,
    rejectUnauthorized: false,
    ...(servername === undefined ? {} : { servername }),
    ...more,
  });
  return new Promise((resolve, reject) => {
    socket.on('error', reject);
    socket.on('secureConnect', () => {
      resolve(socket.getPeerX509Certificate()!.subjectAltName!);
      socket.destroy();
    });
  });
}

const obtained = (gateway: TestGateway, ca: AcmeServer, host = 'shop.test') =>
  until(async () => {
    await using client = await rawClient({
      port: gateway.ports.front!,
      tls: { ca: ca.ca, servername: host },
    }).catch(() => null);
    return client !== null;
  }, `a certificate for ${host}`);

describe('a listener whose certificates come by http-01', () => {
  const folder = tempFolder();
  let ca: AcmeServer;
  let gateway: TestGateway;
  beforeAll(async () => {
    ca = await acmeServer({ reach: () => gateway.ports.plain! });
    ca.fail('directory', 'silence');
    gateway = await startTestGateway(configOf(ca, folder.path, { hosts: ['shop.test', 'other.test'] }));
  });
  afterAll(async () => {
    await gateway.close();
    await ca.close();
    folder.close();
  });

  test.each([
    ['shop.test', /unrecognized name/],
    ['Other.test', /unrecognized name/],
    ['nobody.test', /alert handshake failure/],
    [undefined, /alert handshake failure/],
  ])('ends the handshake at once where there is no certificate yet (%s)', async (name, alert) => {
    for (const maxVersion of ['TLSv1.2', 'TLSv1.3'])
      await expect(shownTo(gateway.ports.front!, name, { maxVersion })).rejects.toThrow(alert);
  });

  test('leaves the path of proofs to routes, but for those that an authority looks for', async () => {
    for (const path of [PATH, `${PATH}unknown`, `${PATH}../x`, `${PATH}__proto__`])
      expect((await ask(gateway.ports.plain!, path)).text).not.toMatch(/\./);
  });
});

test('it is shown the certificate of the host it asks for, else of the first, with the chain', async () => {
  using folder = tempFolder();
  await using ca = await acmeServer({ reach: () => gateway.ports.plain! });
  await using gateway: TestGateway = await startTestGateway(
    configOf(ca, folder.path, { hosts: ['shop.test', 'other.test'] }),
  );
  await obtained(gateway, ca, 'shop.test');
  await obtained(gateway, ca, 'other.test');
  const shown = (name?: string) => shownTo(gateway.ports.front!, name);
  expect(await Promise.all([shown('shop.test'), shown('OTHER.test'), shown('nobody.test'), shown()])).toEqual(
    ['DNS:shop.test', 'DNS:other.test', 'DNS:shop.test', 'DNS:shop.test'],
  );
});

test('while one host has a certificate and another has none, only the other is refused', async () => {
  using folder = tempFolder();
  await using ca = await acmeServer({ reach: () => gateway.ports.plain! });
  await using gateway: TestGateway = await startTestGateway(configOf(ca, folder.path));
  await obtained(gateway, ca);
  ca.fail('order', { status: 500, type: 'serverInternal' });
  await gateway.reload(configOf(ca, folder.path, { hosts: ['shop.test', 'other.test'] }));
  await until(() => ca.count('order') === 2, 'the order');
  expect(await shownTo(gateway.ports.front!, 'shop.test')).toBe('DNS:shop.test');
  await expect(shownTo(gateway.ports.front!, 'other.test')).rejects.toThrow(/unrecognized name/);
});

test('a proof is shown on every listener, to GET and HEAD, before all routes, and is gone afterwards', async () => {
  using folder = tempFolder();
  const seen: { get: string; head: number; post: string; other: string }[] = [];
  let url = '';
  const ca = await acmeServer({ reach: () => gateway.ports.plain! });
  ca.beforeLook = async () => {
    const at = gateway.ports.plain!;
    url = `${PATH}${ca.tokens.at(-1)}`;
    seen.push({
      get: (await ask(at, url)).text,
      head: (await ask(at, url, { method: 'HEAD' })).status,
      post: (await ask(at, url, { method: 'POST' })).text,
      other: (await ask(at, `${url}x`)).text,
    });
  };
  await using gateway: TestGateway = await startTestGateway(configOf(ca, folder.path));
  await obtained(gateway, ca);
  expect(seen).toEqual([
    { get: expect.stringMatching(/^[\w-]+\.[\w-]{43}$/), head: 200, post: 'of a route', other: 'of a route' },
  ]);
  expect((await ask(gateway.ports.plain!, url)).text).toBe('of a route');
  await ca.close();
});

describe('a listener whose certificates come by tls-alpn-01 (RFC 8737)', () => {
  test('needs no listener without TLS', async () => {
    using folder = tempFolder();
    await using ca = await acmeServer({ reach: () => gateway.ports.front! });
    await using gateway: TestGateway = await startTestGateway(configOf(ca, folder.path, { plain: false }));
    await obtained(gateway, ca);
  });

  test('shows the proof to who asks for it in so many words, and its certificates to everybody else meanwhile', async () => {
    using folder = tempFolder();
    const ca = await acmeServer({ reach: () => gateway.ports.front! });
    const config = (hosts: string[]) => configOf(ca, folder.path, { plain: false, hosts });
    await using gateway: TestGateway = await startTestGateway(config(['shop.test']));
    await obtained(gateway, ca);
    const port = gateway.ports.front!;
    const proof = { ALPNProtocols: ['acme-tls/1'] };
    const seen: unknown[] = [];
    ca.beforeLook = async () => {
      for (const maxVersion of ['TLSv1.2', 'TLSv1.3'])
        seen.push(await shownTo(port, 'New.test', { ...proof, maxVersion }));
      const both = { ALPNProtocols: ['acme-tls/1', 'http/1.1'] };
      seen.push(await shownTo(port, 'shop.test', { ALPNProtocols: ['http/1.1'] }));
      seen.push(await shownTo(port, 'shop.test', both));
      seen.push(await inPieces(port));
      seen.push(
        await shownTo(port, 'shop.test', proof).catch(({ message }) =>
          /no application protocol/.test(message),
        ),
      );
      seen.push(await shownTo(port, 'new.test').catch(({ message }) => /unrecognized name/.test(message)));
      seen.push(
        (await ask(port, '/', { ca: ca.ca, headers: { host: 'shop.test' }, servername: 'shop.test' })).text,
      );
    };
    await gateway.reload(config(['shop.test', 'new.test']));
    await obtained(gateway, ca, 'new.test');
    expect(seen).toEqual([
      'DNS:new.test',
      'DNS:new.test',
      'DNS:shop.test',
      'DNS:shop.test',
      'closed',
      true,
      true,
      'of a route',
    ]);
    // What is not looked for any more is shown to nobody.
    await expect(shownTo(port, 'new.test', proof)).rejects.toThrow(/no application protocol/);
    await ca.close();
  });

  test('a proof is never spoken over, and who says nothing while one is shown is let go', {
    timeout: 15_000,
  }, async () => {
    using folder = tempFolder();
    const ca = await acmeServer({ reach: () => gateway.ports.front! });
    await using gateway: TestGateway = await startTestGateway(configOf(ca, folder.path, { plain: false }));
    let silent: Promise<void> | undefined;
    let spoken: Promise<string> | undefined;
    ca.beforeLook = async () => {
      const socket = connectPlain(gateway.ports.front!, '127.0.0.1');
      silent = new Promise((resolve) => socket.on('close', () => resolve()));
      spoken = spokenOver(gateway.ports.front!);
      await spoken;
    };
    await obtained(gateway, ca);
    expect(await spoken).toBe('');
    await silent;
    await ca.close();
  });
});

/** A greeting byte by byte is waited for; what is no TLS is closed by the server of TLS as ever. */
async function inPieces(port: number): Promise<string> {
  const socket = connectPlain(port, '127.0.0.1');
  return await new Promise((resolve) => {
    socket.on('error', () => {}).on('close', () => resolve('closed'));
    socket.resume();
    for (const byte of Buffer.from([22, 3, 1, 0, 5, 2, 0, 0, 1, 0])) socket.write(Buffer.from([byte]));
  });
}

/** What a client that speaks HTTP where a proof is shown is answered. */
async function spokenOver(port: number): Promise<string> {
  const options = { servername: 'shop.test', ALPNProtocols: ['acme-tls/1'], rejectUnauthorized: false };
  const socket = connect({ host: '127.0.0.1', port, ...options });
  let text = '';
  return await new Promise((resolve) => {
    socket
      .on('error', () => {})
      .on('data', (chunk) => {
        text += chunk;
      });
    socket.on('close', () => resolve(text));
    socket.write('GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n');
  });
}

test('certificates in files and those that the gateway gets may take turns, without a restart', async () => {
  using folder = tempFolder();
  const authority: Certificates = await certificates();
  const files = await authority.leaf(['shop.test']);
  await using ca = await acmeServer({ reach: () => gateway.ports.plain! });
  const config = configOf(ca, folder.path);
  const filed = { ...config, listen: [config.listen[0], { ...config.listen[1], tls: files }] };
  await using gateway: TestGateway = await startTestGateway(filed);
  const trusted = (who: { ca: string }) =>
    rawClient({ port: gateway.ports.front!, tls: { ca: who.ca, servername: 'shop.test' } });
  await using old = await trusted(authority);
  await gateway.reload(config);
  await obtained(gateway, ca);
  await expect(trusted(authority)).rejects.toThrow();
  await old.send('GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n');
  expect((await old.response()).status).toBe(200);
  await gateway.reload(filed);
  await using again = await trusted(authority);
  expect(again).toBeDefined();
});
