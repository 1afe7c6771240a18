import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterAll, describe, expect, it } from 'vitest';
import {
  type Certificates,
  certificates,
  rawClient,
  type ScriptedOrigin,
  scriptedOrigin,
  startTestGateway,
  type TestGateway,
  tempFolder,
  until,
} from '../../src/testkit/index.ts';
import { request } from './stage.ts';

describe('a TLS listener with connectionsPerClient', () => {
  const folder = tempFolder();
  afterAll(() => folder.close());

  async function front(
    authority: Certificates,
    origin: ScriptedOrigin,
    limits: object,
  ): Promise<TestGateway> {
    const pair = await authority.leaf(['shop.test']);
    return startTestGateway({
      listen: [
        {
          name: 'front',
          address: '127.0.0.1:0',
          tls: { cert: folder.write('front.crt', pair.cert), key: folder.write('front.key', pair.key) },
          limits,
        },
      ],
      services: { origin: { url: origin.url } },
      routes: { all: { match: '/*', to: 'origin' } },
    });
  }

  /** The status that one more client gets; null where it gets none. */
  async function asked({ port }: TestGateway, { ca }: Certificates): Promise<number | null> {
    try {
      await using client = await rawClient({ port, tls: { ca, servername: 'shop.test' } });
      await client.send(request('GET / HTTP/1.1'));
      return (await client.response()).status;
    } catch {
      return null;
    }
  }

  it('counts those that never finish their handshake, until they are closed', async () => {
    const authority = await certificates();
    await using origin = await scriptedOrigin();
    await using gateway = await front(authority, origin, { connectionsPerClient: 2, headTimeout: '300ms' });
    const open = new Set<Socket>();
    for (let i = 0; i < 20; i++) {
      const socket = connect({ port: gateway.port, host: '127.0.0.1' });
      open.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => open.delete(socket));
    }
    await until(() => open.size === 2, 'all but two to be closed');
    for (const socket of open) socket.destroy();
    await until(() => open.size === 0, 'the last two to be closed');
    expect(await until(() => asked(gateway, authority), 'a place to be free again')).toBe(200);
  });

  it('lets go at once of one that closes its side in the handshake', async () => {
    const authority = await certificates();
    await using origin = await scriptedOrigin();
    await using gateway = await front(authority, origin, { connectionsPerClient: 1, headTimeout: '60s' });
    const half = connect({ port: gateway.port, host: '127.0.0.1', allowHalfOpen: true });
    half.on('error', () => {});
    half.end(Buffer.from([0x16, 0x03, 0x01]));
    half.resume();
    await once(half, 'close');
    expect(await until(() => asked(gateway, authority), 'its place to be free')).toBe(200);
  });
});
