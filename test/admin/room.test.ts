/** Those who hold all connections of the admin listener that it has room for, of a gateway as it is run. */
import { Agent, request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { type Certificates, certificates, until } from '../../src/testkit/index.ts';
import { AdminNode, adminNode } from './node.ts';

const ROOM = 640;
const TOKEN = { authorization: 'Bearer sesame' };
const READ_EVENTS = 'GET /v1/events HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer sesame\r\n\r\n';

/** Connections that take each place anew as soon as they have lost it. */
class Crowd implements Disposable {
  private readonly port: number;
  private readonly say: string;
  private readonly sockets = new Set<Socket>();
  private ended = false;
  opened = 0;

  constructor(port: number, say: string) {
    this.port = port;
    this.say = say;
    for (let i = 0; i < ROOM; i++) this.open();
  }

  /** Until each of them stands, or has lost its place again. */
  async stands(): Promise<void> {
    await until(() => this.opened >= ROOM, 'the crowd to stand', 20_000);
  }

  private open(): void {
    const socket = connect(this.port, '127.0.0.1', () => this.opened++);
    this.sockets.add(socket);
    if (this.say !== '') socket.write(this.say);
    socket.on('error', () => {});
    socket.once('close', () => {
      this.sockets.delete(socket);
      if (!this.ended) setTimeout(() => this.ended || this.open(), 20);
    });
  }

  [Symbol.dispose](): void {
    this.ended = true;
    for (const socket of this.sockets) socket.destroy();
  }
}

/** Who asks for events, and goes on reading them. */
class EventReader implements Disposable {
  private readonly socket: Socket;
  private text = '';
  closed = false;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.once('close', () => {
      this.closed = true;
    });
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      this.text += chunk;
    });
    socket.write(READ_EVENTS);
  }

  /** One from now on. */
  async hears(what: string): Promise<void> {
    this.text = '';
    await until(() => this.text.includes('event: sample'), what);
  }

  [Symbol.dispose](): void {
    this.socket.destroy();
  }
}

async function tlsNode(): Promise<{ node: AdminNode; authority: Certificates }> {
  const authority = await certificates();
  const pair = await authority.leaf(['127.0.0.1']);
  const node = new AdminNode();
  node.folder.write('cert.pem', pair.cert);
  node.folder.write('key.pem', pair.key);
  await node.start({ admin: { tls: { cert: 'cert.pem', key: 'key.pem' }, token: 'sesame' } });
  return { node, authority };
}

describe('whoever has the token is let in at once', () => {
  it.each([
    ['by many that say nothing', ''],
    ['by many heads that never end', 'GET /v1/status HTTP/1.1\r\nHost: localhost\r\n'],
    [
      'by many bodies without a token',
      'POST /v1/purge HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n{',
    ],
    ['by many probes that keep their connections', 'GET /healthz HTTP/1.1\r\n\r\n'],
    ['by many that read nothing of a page', 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'.repeat(50)],
  ])('%s', { timeout: 60_000 }, async (_, say) => {
    await using node = await adminNode({ admin: { token: 'sesame' } });
    using crowd = new Crowd(node.admin, say);
    await crowd.stands();
    for (let i = 0; i < 20; i++)
      expect((await node.api('/v1/status', { headers: TOKEN, timeout: 2000 })).status).toBe(200);
  });

  it('over TLS too, where many begin a handshake and end none', { timeout: 60_000 }, async () => {
    const { node: one, authority } = await tlsNode();
    await using node = one;
    using crowd = new Crowd(node.admin, '');
    await crowd.stands();
    for (let i = 0; i < 20; i++) {
      const { status } = await node.api('/v1/status', { ca: authority.ca, headers: TOKEN, timeout: 2000 });
      expect(status).toBe(200);
    }
  });
});

it('who reads events, or rests between two requests, is not cut for a crowd', {
  timeout: 60_000,
}, async () => {
  await using node = await adminNode({ admin: { token: 'sesame' } });
  const keeping = new Agent({ keepAlive: true, maxSockets: 1 });
  const localPort = () =>
    new Promise<number>((resolve, reject) => {
      const options = { port: node.admin, path: '/v1/status', headers: TOKEN, agent: keeping };
      request({ host: '127.0.0.1', ...options }, (response) => {
        const port = response.socket.localPort!;
        response.resume().once('end', () => resolve(port));
      })
        .once('error', reject)
        .end();
    });
  using reader = new EventReader(connect(node.admin, '127.0.0.1'));
  await reader.hears('the first event');
  const before = await localPort();
  using crowd = new Crowd(node.admin, '');
  await crowd.stands();
  expect(await localPort()).toBe(before);
  await reader.hears('another event');
  expect(reader.closed).toBe(false);
  keeping.destroy();
});

it('nor is one who reads them over TLS', { timeout: 60_000 }, async () => {
  const { node: one, authority } = await tlsNode();
  await using node = one;
  using reader = new EventReader(connectTls({ port: node.admin, host: '127.0.0.1', ca: authority.ca }));
  await reader.hears('the first event');
  using crowd = new Crowd(node.admin, '');
  await crowd.stands();
  await reader.hears('another event');
  expect(reader.closed).toBe(false);
});
