import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterAll, describe, expect, it } from 'vitest';
import {
  certificates,
  rawClient,
  scriptedOrigin,
  startTestGateway,
  tempFolder,
  until,
} from '../../src/testkit/index.ts';
import { request } from './stage.ts';

describe('a TLS listener with connectionsPerClient', () => {
  const folder = tempFolder();
  afterAll(() => folder.close());

  it('counts those that never finish their handshake, until they are closed', async () => {
    const authority = await certificates();
    const pair = await authority.leaf(['shop.test']);
    await using origin = await scriptedOrigin();
    await using gateway = await startTestGateway({
      listen: [
        {
          name: 'front',
          address: '127.0.0.1:0',
          tls: { cert: folder.write('a.crt', pair.cert), key: folder.write('a.key', pair.key) },
          limits: { connectionsPerClient: 2, headTimeout: '300ms' },
        },
      ],
      services: { origin: { url: origin.url } },
      routes: { all: { match: '/*', to: 'origin' } },
    });
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
    const status = await until(async () => {
      try {
        await using client = await rawClient({
          port: gateway.port,
          tls: { ca: authority.ca, servername: 'shop.test' },
        });
        await client.send(request('GET / HTTP/1.1'));
        return (await client.response()).status;
      } catch {
        return null;
      }
    }, 'a place to be free again');
    expect(status).toBe(200);
  });

  it('lets go at once of one that closes its side in the handshake', async () => {
    const authority = await certificates();
    const pair = await authority.leaf(['shop.test']);
    await using origin = await scriptedOrigin();
    await using gateway = await startTestGateway({
      listen: [
        {
          name: 'front',
          address: '127.0.0.1:0',
          tls: { cert: folder.write('b.crt', pair.cert), key: folder.write('b.key', pair.key) },
          limits: { connectionsPerClient: 1, headTimeout: '60s' },
        },
      ],
      services: { origin: { url: origin.url } },
      routes: { all: { match: '/*', to: 'origin' } },
    });
    const half = connect({ port: gateway.port, host: '127.0.0.1', allowHalfOpen: true });
    half.on('error', () => {});
    half.end(Buffer.from([0x16, 0x03, 0x01]));
    half.resume();
    await once(half, 'close');
    const status = await until(async () => {
      try {
        await using client = await rawClient({
          port: gateway.port,
          tls: { ca: authority.ca, servername: 'shop.test' },
        });
        await client.send(request('GET / HTTP/1.1'));
        return (await client.response()).status;
      } catch {
        return null;
      }
    }, 'its place to be free');
    expect(status).toBe(200);
  });
});
