import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  answer,
  type CertificatePair,
  type Certificates,
  certificates,
  headerValue,
  type RawClient,
  rawClient,
  type ScriptedOrigin,
  scriptedOrigin,
  startTestGateway,
  type TestGateway,
  tempFolder,
} from '../../src/testkit/index.ts';
import { request } from './stage.ts';

const folder = tempFolder();
let authority: Certificates;
let stranger: Certificates;

beforeAll(async () => {
  authority = await certificates();
  stranger = await certificates();
});
afterAll(() => folder.close());

function written(name: string, pair: CertificatePair): { cert: string; key: string } {
  return { cert: folder.write(`${name}.crt`, pair.cert), key: folder.write(`${name}.key`, pair.key) };
}

describe('a TLS listener', () => {
  let origin: ScriptedOrigin;
  let gateway: TestGateway;
  beforeAll(async () => {
    origin = await scriptedOrigin();
    const certs = [
      written('first', await authority.leaf(['first.test'])),
      written('second', await authority.leaf(['second.test', '*.wild.test'])),
    ];
    gateway = await startTestGateway({
      listen: [{ name: 'front', address: '127.0.0.1:0', tls: { certs }, limits: { headTimeout: '300ms' } }],
      services: { origin: { url: origin.url } },
      routes: { all: { match: '/*', to: 'origin' } },
    });
  });
  afterAll(async () => {
    await gateway.close();
    await origin.close();
  });

  const connect = (servername: string, more = {}) =>
    rawClient({ port: gateway.port, tls: { ca: authority.ca, servername, ...more } });

  it.each(['first.test', 'second.test', 'SECOND.test', 'a.wild.test'])(
    'shows the certificate for %s (RFC 6066 §3)',
    async (name) => {
      await using client = await connect(name);
      await client.send(request('GET / HTTP/1.1', [`Host: ${name}`]));
      expect((await client.response()).status).toBe(200);
      expect(headerValue(origin.requests.at(-1)!, 'x-forwarded-proto')).toBe('https');
    },
  );

  it('shows the first certificate to a client that asks for another name, which then refuses it', async () => {
    await expect(connect('third.test')).rejects.toThrow(/first\.test/);
  });

  it('does not stretch a wildcard over two labels (RFC 9525 §6.3)', async () => {
    await expect(connect('a.b.wild.test')).rejects.toThrow(/first\.test/);
  });

  it('agrees on http/1.1 where the client offers it (RFC 7301 §3.2)', async () => {
    await using client = await connect('first.test', { alpn: ['http/1.1'] });
    expect((client.socket as unknown as { alpnProtocol: string }).alpnProtocol).toBe('http/1.1');
  });

  it('refuses a client that speaks only another protocol (RFC 7301 §3.2)', async () => {
    await expect(connect('first.test', { alpn: ['spdy/3'] })).rejects.toThrow();
  });

  it('lets go of a client that speaks plain HTTP to it', async () => {
    await using client = await rawClient(gateway.port);
    await client.send(request('GET / HTTP/1.1'));
    await client.closed();
  });

  it('lets go of a client that never finishes its handshake', async () => {
    await using client = await rawClient(gateway.port);
    await client.closed();
  });

  it('ends a cut answer so that nobody takes it for whole (RFC 9112 §9.8)', async () => {
    origin.answerWith(async (exchange) => {
      await exchange.send('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf');
      exchange.connection.end();
    });
    await using client = await connect('first.test');
    await client.send(request('GET / HTTP/1.1'));
    await expect(client.response()).rejects.toThrow(/ended/);
    origin.answerWith(answer(200, [], 'ok'));
  });

  it('moves large bodies both ways', async () => {
    const size = 5_000_000;
    origin.answerWith(async (exchange) => {
      const body = await exchange.body();
      await exchange.send(answer(200, [], 'z'.repeat(body.length)));
    });
    await using client = await connect('first.test');
    await client.send(request('POST / HTTP/1.1', ['Host: a', `Content-Length: ${size}`], 'y'.repeat(size)));
    expect((await client.response()).body.length).toBe(size);
    origin.answerWith(answer(200, [], 'ok'));
  });
});

describe('a service over TLS', () => {
  async function through(
    pair: CertificatePair,
    tls: Record<string, unknown>,
    host = 'localhost',
  ): Promise<number> {
    await using origin = await scriptedOrigin(answer(200, [], 'ok'), { tls: pair });
    await using gateway = await startTestGateway({
      services: { origin: { url: `https://${host}:${origin.port}`, tls } },
      routes: { all: { match: '/*', to: 'origin' } },
    });
    await using client = await rawClient(gateway.port);
    await client.send(request('GET / HTTP/1.1'));
    return (await client.response()).status;
  }

  const ca = () => folder.write('ca.crt', authority.ca);

  it('is believed when a trusted authority signed its name', async () => {
    expect(await through(await authority.leaf(['localhost']), { ca: ca() })).toBe(200);
  });

  it('is believed by its address', async () => {
    expect(await through(await authority.leaf(['127.0.0.1']), { ca: ca() }, '127.0.0.1')).toBe(200);
  });

  it('is refused when a stranger signed it', async () => {
    expect(await through(await stranger.leaf(['localhost']), { ca: ca() })).toBe(502);
  });

  it('is refused when nothing says whom to trust', async () => {
    expect(await through(await authority.leaf(['localhost']), {})).toBe(502);
  });

  it('is refused under another name', async () => {
    expect(await through(await authority.leaf(['other.test']), { ca: ca() })).toBe(502);
  });

  it('is asked for by serverName, and checked against it', async () => {
    expect(await through(await authority.leaf(['other.test']), { ca: ca(), serverName: 'other.test' })).toBe(
      200,
    );
  });

  it('is refused when its certificate has expired', async () => {
    expect(await through(await authority.leaf(['localhost'], { expired: true }), { ca: ca() })).toBe(502);
  });

  it('is believed whatever it shows where verify is false', async () => {
    expect(await through(await stranger.leaf(['other.test'], { expired: true }), { verify: false })).toBe(
      200,
    );
  });
});

describe('a listener that a reload gives TLS, or takes it from', () => {
  it('speaks it from the next connection on, and ends connections that are open without it', async () => {
    const tls = written('begun', await authority.leaf(['begun.test']));
    const speaking = (more: object) => ({
      listen: [{ name: 'front', address: '127.0.0.1:0', ...more }],
      routes: { all: { match: '/*', respond: { template: '{request.scheme}' } } },
    });
    const asked = async (client: RawClient) => {
      await client.send(request('GET / HTTP/1.1'));
      return (await client.response()).body.toString();
    };
    await using gateway = await startTestGateway(speaking({}));
    const secret = { port: gateway.port, tls: { ca: authority.ca, servername: 'begun.test' } };
    await using open = await rawClient(gateway.port);
    expect(await asked(open)).toBe('http');

    await gateway.reload(speaking({ tls }));
    expect((await open.rest()).length).toBe(0);
    await using late = await rawClient(gateway.port);
    await late.send(request('GET / HTTP/1.1'));
    expect((await late.rest()).toString('latin1')).not.toContain('HTTP/1.1');
    await using secure = await rawClient(secret);
    expect(await asked(secure)).toBe('https');

    await gateway.reload(speaking({}));
    expect((await secure.rest()).length).toBe(0);
    await using again = await rawClient(gateway.port);
    expect(await asked(again)).toBe('http');
  });
});
