import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type Certificates,
  certificates,
  ErrorCode,
  FrameType,
  frame,
  Gate,
  type HttpOrigin,
  httpOrigin,
  ManualClock,
  PREFACE,
  rawClient,
  readFrames,
  startTestGateway,
  type TestGateway,
  tempFolder,
  until,
  within,
} from '../../src/testkit/index.ts';
import { answered, Http2Client } from './stage.ts';

const SETTINGS = frame(4, 0, 0);
/** `GET / http a` of the static table (RFC 7541 §6.1), and an authority. */
const HEADERS = Buffer.from([0x82, 0x84, 0x86, 0x41, 0x01, 0x61]);

describe('an HTTP/2 connection', () => {
  const folder = tempFolder();
  let authority: Certificates;
  let origin: HttpOrigin;
  let gateway: TestGateway;
  const hold = new Gate();
  let asked = false;
  const config = (http2?: boolean) => ({
    listen: [
      {
        name: 'tls',
        address: '127.0.0.1:0',
        tls: { cert: `${folder.path}/a.crt`, key: `${folder.path}/a.key` },
        ...(http2 === undefined ? {} : { http2 }),
      },
      {
        name: 'plain',
        address: '127.0.0.1:0',
        http2: true,
        limits: { headTimeout: '300ms', idleTimeout: '400ms' },
      },
      { name: 'roomy', address: '127.0.0.1:0', http2: true },
      { name: 'old', address: '127.0.0.1:0' },
      { name: 'few', address: '127.0.0.1:0', http2: true, limits: { connectionsPerClient: 1 } },
    ],
    drain: { delay: '0s', timeout: '5s' },
    services: { origin: { url: origin.url } },
    routes: { all: { match: '/*', to: 'origin' } },
  });
  beforeAll(async () => {
    authority = await certificates();
    const pair = await authority.leaf(['shop.test']);
    folder.write('a.crt', pair.cert);
    folder.write('a.key', pair.key);
    origin = await httpOrigin(async (request, response) => {
      if (request.url === '/never') return;
      if (request.url === '/held') {
        asked = true;
        await hold.opened;
      }
      response.end(`over ${request.headers.via}`);
    });
    gateway = await startTestGateway(config());
  });
  afterAll(async () => {
    await gateway.close();
    await origin.close();
    folder.close();
  });

  const overTls = () =>
    Http2Client.open(`https://127.0.0.1:${gateway.ports.tls}`, { ca: authority.ca, servername: 'shop.test' });
  const plain = () => Http2Client.open(`http://127.0.0.1:${gateway.ports.plain}`);
  const roomy = () => Http2Client.open(`http://127.0.0.1:${gateway.ports.roomy}`);
  /** What a TLS client that offers these agrees on. */
  const agreed = (offered: string[]) =>
    new Promise<string | false>((resolve, reject) => {
      const socket = connectTls({
        port: gateway.ports.tls,
        host: '127.0.0.1',
        servername: 'shop.test',
        ca: authority.ca,
        ALPNProtocols: offered,
      });
      socket.once('secureConnect', () => {
        resolve(socket.alpnProtocol ?? false);
        socket.destroy();
      });
      socket.once('error', reject);
    });

  it('is agreed on in the TLS handshake, before HTTP/1.1 (RFC 7301, RFC 9113 §3.2)', async () => {
    await using client = await overTls();
    expect(await client.get('/')).toMatchObject({ status: 200, body: 'over 2.0 tidegate' });
    expect(await agreed(['http/1.1', 'h2'])).toBe('h2');
    expect(await agreed(['http/1.1'])).toBe('http/1.1');
    await expect(agreed(['spdy/3'])).rejects.toThrow();
    await using old = await rawClient({
      port: gateway.ports.tls!,
      tls: { ca: authority.ca, servername: 'shop.test' },
    });
    await old.send('GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n');
    expect((await old.response()).body.toString()).toBe('over 1.1 tidegate');
  });

  it.each([[['http/1.1']], [undefined]])(
    'is not begun by its preface over TLS, with ALPN %s',
    async (alpn) => {
      const tls = { ca: authority.ca, servername: 'shop.test', ...(alpn === undefined ? {} : { alpn }) };
      await using client = await rawClient({ port: gateway.ports.tls!, tls });
      await client.send(PREFACE);
      expect((await client.response()).status).toBe(505);
    },
  );

  it('is not offered any more once a reload says `http2: false`, and what is open goes on', async () => {
    await using client = await overTls();
    await gateway.reload(config(false));
    expect(await agreed(['h2', 'http/1.1'])).toBe('http/1.1');
    expect(await client.get('/')).toMatchObject({ status: 200 });
    await gateway.reload(config());
    expect(await agreed(['h2', 'http/1.1'])).toBe('h2');
  });

  it('without TLS begins with its preface, beside HTTP/1.1 on the same port (RFC 9113 §3.3)', async () => {
    await using client = await plain();
    expect(await client.get('/')).toMatchObject({ status: 200, body: 'over 2.0 tidegate' });
    await using old = await rawClient({ port: gateway.ports.plain! });
    for (let i = 0; i < 2; i++) {
      await old.send('GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n');
      expect((await old.response()).body.toString()).toBe('over 1.1 tidegate');
    }
  });

  it('may send its preface in any pieces, and HTTP/1.1 its first line', async () => {
    const everywhere = Array.from({ length: PREFACE.length }, (_, i) => i + 1);
    await using client = await rawClient({ port: gateway.ports.roomy! });
    await client.sendSplit(Buffer.concat([Buffer.from(PREFACE), SETTINGS]), everywhere);
    expect((await client.bytes(9))[3]).toBe(FrameType.settings);
    await using old = await rawClient({ port: gateway.ports.roomy! });
    await old.sendSplit('PROPFIND / HTTP/1.1\r\nHost: shop.test\r\n\r\n', [1, 2, 3, 4]);
    expect((await old.response()).status).toBe(200);
  });

  it('that stops within its preface is closed after headTimeout', async () => {
    const limits = { headTimeout: '200ms', idleTimeout: '5m' };
    await using own = await startTestGateway({
      listen: [{ name: 'own', address: '127.0.0.1:0', http2: true, limits }],
      routes: { all: { match: '/*', respond: {} } },
    });
    await using client = await rawClient(own.port);
    await client.send(PREFACE.slice(0, 3));
    expect((await client.rest()).toString()).toBe('');
  });

  it.each([
    ['alone', []],
    ['beside a request under way', [frame(1, 5, 1, HEADERS)]],
  ])('on which a head is begun and not ended, %s, is closed after headTimeout', async (_, before) => {
    const limits = { headTimeout: '200ms', idleTimeout: '5m' };
    await using own = await startTestGateway({
      listen: [{ name: 'own', address: '127.0.0.1:0', http2: true, limits }],
      services: { origin: { url: origin.url } },
      routes: { all: { match: '/*', to: { service: 'origin', path: '/never' } } },
    });
    await using client = await rawClient(own.port);
    // Without END_HEADERS, and in the middle of the frame.
    const half = frame(1, 1, 3, HEADERS).subarray(0, -1);
    await client.send(Buffer.concat([Buffer.from(PREFACE), SETTINGS, ...before, half]));
    const { frames } = readFrames(await client.rest());
    expect(frames.at(-1)).toMatchObject({ type: FrameType.goaway });
    expect(frames.at(-1)!.payload.readUInt32BE(4)).toBe(ErrorCode.protocolError);
  });

  it('whose last head was malformed, and came whole, is kept', async () => {
    const clock = new ManualClock();
    await using other = await startTestGateway(config(), { clock });
    await using client = await Http2Client.open(`http://127.0.0.1:${other.ports.roomy}`);
    const asked = new Promise((resolve) => client.session.once('ping', resolve));
    expect(await client.ask({ ':path': '/', ':authority': 'me@a.test' })).toMatchObject({ code: 1 });
    clock.advance(10_000);
    await within(asked, () => 'no PING');
    expect(await client.get('/')).toMatchObject({ status: 200 });
    clock.advance(30_000);
    expect(await client.get('/')).toMatchObject({ status: 200 });
  });

  it('is refused in HTTP/1.1 by a listener that does not speak it', async () => {
    await using client = await rawClient({ port: gateway.ports.old! });
    await client.send(PREFACE);
    expect((await client.response()).status).toBe(505);
  });

  it('that never says a word after its preface is closed after headTimeout, an idle one after idleTimeout', async () => {
    await using mute = await rawClient({ port: gateway.ports.plain! });
    await mute.send(PREFACE);
    await mute.end();
    await using client = await plain();
    expect(await client.get('/')).toMatchObject({ status: 200 });
    await until(() => client.session.closed, 'GOAWAY');
  });

  it('counts as one connection of its client', async () => {
    const url = `http://127.0.0.1:${gateway.ports.few}`;
    const served = async () => {
      await using client = await Http2Client.open(url);
      return (await client.get('/')).status === 200;
    };
    const first = await Http2Client.open(url);
    expect(await first.get('/')).toMatchObject({ status: 200 });
    expect(await served().catch(() => false)).toBe(false);
    await first[Symbol.asyncDispose]();
    await until(() => served().catch(() => false), 'its place to be free');
  });

  it.each<[string, () => Buffer[]]>([
    [
      'resets as fast as it asks (CVE-2023-44487)',
      () =>
        Array.from({ length: 20_000 }, (_, i) =>
          Buffer.concat([frame(1, 5, 2 * i + 1, HEADERS), frame(3, 0, 2 * i + 1, Buffer.from([0, 0, 0, 8]))]),
        ),
    ],
    ['floods with settings (CVE-2019-9515)', () => Array.from({ length: 100_000 }, () => SETTINGS)],
    [
      'floods with pings (CVE-2019-9512)',
      () => Array.from({ length: 100_000 }, () => frame(6, 0, 0, Buffer.alloc(8))),
    ],
    [
      'never ends a head (CVE-2024-27316)',
      () => [
        frame(1, 0, 1, HEADERS),
        ...Array.from({ length: 20_000 }, () => frame(9, 0, 1, Buffer.from([0x00, 0x01, 0x61, 0x01, 0x62]))),
      ],
    ],
    ['speaks nonsense', () => [Buffer.alloc(100_000, 0xff)]],
  ])('of a client that %s is ended, and others are served meanwhile', async (_, frames) => {
    const attacker: Socket = connect(gateway.ports.roomy!, '127.0.0.1');
    let over = false;
    attacker.on('error', () => {});
    attacker.on('close', () => {
      over = true;
    });
    attacker.write(PREFACE);
    attacker.write(SETTINGS);
    for (const piece of frames()) attacker.write(piece);
    await using client = await roomy();
    expect(await client.get('/')).toMatchObject({ status: 200 });
    attacker.resume();
    await until(() => over, 'the attacker to be cut off');
    await using later = await roomy();
    expect(await later.get('/')).toMatchObject({ status: 200 });
  });

  it('that is drained answers what is under way, takes no more, and closes', async () => {
    const other = await startTestGateway(config());
    const client = await Http2Client.open(`http://127.0.0.1:${other.ports.plain}`);
    const held = answered(client.begin({ ':path': '/held' }, true));
    await until(() => asked, 'it to be under way');
    const closed = other.close();
    await until(() => client.session.closed, 'GOAWAY');
    hold.open();
    expect(await held).toMatchObject({ status: 200, body: 'over 2.0 tidegate' });
    await closed;
    await until(() => client.session.destroyed, 'the connection to close');
  });

  it('that its client does not close after GOAWAY ends all the same', async () => {
    const clock = new ManualClock();
    await using other = await startTestGateway(config(), { clock });
    await using client = await rawClient({ port: other.ports.roomy! });
    await client.send(Buffer.concat([Buffer.from(PREFACE), SETTINGS, frame(1, 5, 1, HEADERS)]));
    // SETTINGS of the gateway, and the answer; then silence.
    await client.bytes(9);
    await until(() => client.reader.received > 100, 'the answer');
    clock.advance(75_001);
    await until(() => client.reader.ending === 'fin', 'GOAWAY and FIN');
    clock.advance(5_001);
    // Whoever writes to what is not there any more learns of it.
    let gone = false;
    client.socket.on('close', () => {
      gone = true;
    });
    await until(async () => {
      await client.send(SETTINGS);
      return gone;
    }, 'its end');
  });

  it('that is drained does not wait for content that nobody has read', async () => {
    const other = await startTestGateway({
      ...config(),
      routes: { all: { match: '/*', respond: { body: 'ready' } } },
    });
    await using client = await Http2Client.open(`http://127.0.0.1:${other.ports.plain}`);
    const stream = client.begin({ ':method': 'POST', ':path': '/' });
    stream.write(Buffer.alloc(200_000));
    expect(await answered(stream, 'end')).toMatchObject({ status: 200, body: 'ready' });
    await until(() => stream.closed, 'its end');
    // `drain.timeout` is as long as a wait of the test may be.
    await within(other.close(), () => 'it still waits for something', 2000);
  });
});
