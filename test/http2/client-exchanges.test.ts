import type { ServerResponse } from 'node:http';
import type { ClientHttp2Stream } from 'node:http2';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  Gate,
  type HttpOrigin,
  headerValue,
  headerValues,
  httpOrigin,
  type ScriptedOrigin,
  scriptedOrigin,
  startTestGateway,
  type TestGateway,
  until,
} from '../../src/testkit/index.ts';
import { answered, Http2Client, values } from './stage.ts';

describe('a request over HTTP/2', () => {
  let origin: ScriptedOrigin;
  let gateway: TestGateway;
  let client: Http2Client;
  beforeAll(async () => {
    origin = await scriptedOrigin();
    gateway = await startTestGateway({
      listen: [
        {
          name: 'front',
          address: '127.0.0.1:0',
          http2: true,
          limits: { uri: '1KiB', head: '4KiB', headers: 20, body: '64KiB' },
        },
      ],
      services: { origin: { url: origin.url } },
      routes: {
        all: { match: '/*', to: 'origin' },
        kept: { match: '/kept', to: 'origin', cache: { ttl: '1m' } },
        ready: { match: '/ready', respond: { body: 'ready' } },
      },
    });
    client = await Http2Client.open(`http://127.0.0.1:${gateway.port}`);
  });
  afterAll(async () => {
    await client[Symbol.asyncDispose]();
    await gateway.close();
    await origin.close();
  });
  const plain = (body = 'ok', more = '') =>
    `HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n${more}Content-Length: ${body.length}\r\n\r\n${body}`;

  it('is sent on as HTTP/1.1, with Host from :authority and Via 2.0 (RFC 9113 §8.3.1, RFC 9110 §7.6.3)', async () => {
    origin.answerWith(plain());
    const got = await client.ask({ ':path': '/a?b=%20c', ':authority': 'shop.test:81', 'x-one': '1' });
    expect(got).toMatchObject({ status: 200, body: 'ok', code: 0 });
    const request = origin.requests.at(-1)!;
    expect(request).toMatchObject({ method: 'GET', target: '/a?b=%20c' });
    expect(headerValues(request, 'host')).toEqual(['shop.test:81']);
    expect(headerValue(request, 'via')).toBe('2.0 tidegate');
    expect(headerValue(request, 'x-one')).toBe('1');
  });

  it('joins the lines of a Cookie that was split (RFC 9113 §8.2.3)', async () => {
    origin.answerWith(plain());
    await client.get('/', { cookie: ['a=1', 'b=2', 'c=3'] });
    expect(headerValues(origin.requests.at(-1)!, 'cookie')).toEqual(['a=1; b=2; c=3']);
  });

  it('gets an answer without what concerns HTTP/1.1 connections, names in lower case (RFC 9113 §8.2.2)', async () => {
    const more =
      'Connection: keep-alive, X-Gone\r\nX-Gone: 1\r\nKeep-Alive: timeout=5\r\nTE: gzip\r\nX-Twice: 1\r\nX-Twice: 2\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n';
    origin.answerWith(plain('ok', more));
    const got = await client.get('/');
    const names = got.fields.filter((_, i) => i % 2 === 0);
    for (const name of ['connection', 'keep-alive', 'te', 'x-gone', 'transfer-encoding'])
      expect(names).not.toContain(name);
    expect(names.every((name) => name === name.toLowerCase())).toBe(true);
    expect(values(got, 'set-cookie')).toEqual(['a=1', 'b=2']);
    expect(values(got, 'x-twice')).toEqual(['1', '2']);
    expect(values(got, 'content-length')).toEqual(['2']);
    expect(values(got, 'date')).toHaveLength(1);
    expect(values(got, 'x-request-id')[0]).toMatch(/^[\x21-\x7e]+$/);
  });

  it('is answered in any order beside 100 others on the connection', async () => {
    const slow = new Gate();
    origin.answerWith(async (exchange) => {
      if (exchange.request.target === '/slow') await slow.opened;
      await exchange.send(plain(exchange.request.target));
    });
    const last = client.get('/slow');
    const paths = Array.from({ length: 100 }, (_, i) => `/n${i}`);
    const got = await Promise.all(paths.map((path) => client.get(path)));
    expect(got.map(({ body }) => body)).toEqual(paths);
    slow.open();
    expect((await last).body).toBe('/slow');
  });

  it('has its content streamed, with its trailers, and those of the answer (RFC 9113 §8.1)', async () => {
    origin.answerWith(
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-Sum: 7\r\n\r\n',
    );
    const stream = client.session.request(
      { ':method': 'POST', ':path': '/up', te: 'trailers' },
      { waitForTrailers: true },
    );
    stream.on('wantTrailers', () => stream.sendTrailers({ 'x-mine': ['1', '2'] }));
    stream.write('abc');
    stream.end('def');
    const got = await answered(stream);
    expect(got).toMatchObject({ status: 200, body: 'ok', trailers: { 'x-sum': '7' } });
    const request = origin.requests.at(-1)!;
    expect(request.body.toString()).toBe('abcdef');
    expect(headerValue(request, 'transfer-encoding')).toBe('chunked');
  });

  it('gets 103 and 100 as they come (RFC 8297, RFC 9110 §10.1.1)', async () => {
    origin.answerWith(`HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\n${plain()}`);
    expect((await client.get('/')).interim).toMatchObject([{ ':status': 103, link: '</a>; rel=preload' }]);
    origin.answerWith(`HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\nTE: gzip\r\n\r\n${plain()}`);
    const [hints] = (await client.get('/')).interim;
    expect(hints).toMatchObject({ ':status': 103, link: '</a>; rel=preload' });
    expect(hints).not.toHaveProperty('te');
    origin.answerWith(async (exchange) => {
      await exchange.send('HTTP/1.1 100 Continue\r\n\r\n');
      await exchange.body();
      await exchange.send(plain());
    });
    const stream = client.begin({
      ':method': 'PUT',
      ':path': '/x',
      expect: '100-continue',
      'content-length': '2',
    });
    stream.on('continue', () => stream.end('hi'));
    expect(await answered(stream)).toMatchObject({ status: 200 });
    expect(await client.get('/x', { expect: 'a-miracle' })).toMatchObject({ status: 417 });
  });

  it('is answered from the cache, by HEAD and by 304', async () => {
    origin.answerWith(plain('kept', 'ETag: "1"\r\n'));
    const before = origin.requests.length;
    expect(await client.get('/kept')).toMatchObject({ status: 200, body: 'kept' });
    const hit = await client.get('/kept');
    expect(hit.body).toBe('kept');
    expect(values(hit, 'cache-status')[0]).toContain('hit');
    const head = await client.get('/kept', { ':method': 'HEAD' });
    expect(head).toMatchObject({ status: 200, body: '' });
    expect(values(head, 'content-length')).toEqual(['4']);
    expect(await client.get('/kept', { 'if-none-match': '"1"' })).toMatchObject({ status: 304, body: '' });
    expect(origin.requests.length).toBe(before + 1);
  });

  it.each<[string, Record<string, string>, number]>([
    ['a Host that names another server than :authority', { ':authority': 'a.test', host: 'b.test' }, 400],
    ['a target with a fragment', { ':path': '/#a' }, 400],
    ['a target that is too long', { ':path': `/${'a'.repeat(1100)}` }, 414],
    ['too many fields', Object.fromEntries(Array.from({ length: 30 }, (_, i) => [`x-${i}`, '1'])), 431],
    ['a path that means another one', { ':path': '/a/..%2fb' }, 400],
  ])('with %s is refused', async (_, fields, status) => {
    const before = origin.requests.length;
    const got = await client.ask({ ':path': '/', ...fields });
    expect(got.status).toBe(status);
    expect(JSON.parse(got.body)).toMatchObject({ status });
    expect(origin.requests.length).toBe(before);
  });

  it.each<[string, Record<string, string>]>([
    ['an authority with a user in it', { ':authority': 'me@a.test' }],
    ['no authority at all', { ':authority': '' }],
    ['a target with a scheme', { ':path': 'http://a.test/' }],
    ['* for what is not OPTIONS', { ':path': '*' }],
  ])('with %s is malformed: its stream is reset (RFC 9113 §8.1.1)', async (_, fields) => {
    const before = origin.requests.length;
    expect(await client.ask({ ':path': '/', ...fields })).toMatchObject({ status: 0, code: 1 });
    expect(origin.requests.length).toBe(before);
  });

  it('with a head that is too large is 431, from a client that does not heed the announced bound', async () => {
    await using deaf = await Http2Client.open(`http://127.0.0.1:${gateway.port}`);
    expect(await deaf.get('/', { 'x-long': 'a'.repeat(5000) })).toMatchObject({ status: 431 });
  });

  it('with content that is announced too large is 413', async () => {
    const head = { ':method': 'POST', ':path': '/', 'content-length': '70000', 'x-request-id': 'id-1' };
    const got = await answered(client.begin(head));
    expect(got).toMatchObject({ status: 413, code: 0 });
    expect(values(got, 'x-request-id')).toEqual(['id-1']);
  });

  it('of which a service sends 205 with content gets it without (RFC 9110 §15.3.6)', async () => {
    origin.answerWith('HTTP/1.1 205 Reset Content\r\nContent-Length: 3\r\n\r\nabc');
    const got = await client.get('/');
    expect(got).toMatchObject({ status: 205, body: '', ended: true, code: 0 });
    expect(values(got, 'content-length')).toEqual([]);
  });

  it('CONNECT is refused', async () => {
    const stream = client.session.request({ ':method': 'CONNECT', ':authority': 'a.test:443' });
    stream.on('error', () => {});
    expect((await answered(stream)).status).toBe(501);
  });

  it('with more content than is allowed, unannounced, is 413', async () => {
    origin.answerWith(async () => {});
    const stream = client.begin({ ':method': 'POST', ':path': '/' });
    stream.end(Buffer.alloc(200_000));
    expect(await answered(stream, 'end')).toMatchObject({ status: 413, ended: true });
  });

  it('may use the same connection on after any refusal', async () => {
    expect(await client.get('/ready')).toMatchObject({ status: 200, body: 'ready' });
  });
});

/** Resolves once no byte that waits to be sent has moved for twenty looks. */
async function stalled(stream: ClientHttp2Stream): Promise<void> {
  let waiting = -1;
  let looks = 0;
  await until(() => {
    looks = stream.writableLength === waiting ? looks + 1 : 0;
    waiting = stream.writableLength;
    return looks > 20;
  }, 'the other side to take no more');
}

describe('content over HTTP/2', () => {
  let origin: HttpOrigin;
  let gateway: TestGateway;
  let client: Http2Client;
  let left = 0;
  let deaf: ServerResponse | null = null;
  beforeAll(async () => {
    origin = await httpOrigin((request, response) => {
      request.on('close', () => request.complete || left++);
      response.on('close', () => response.writableFinished || left++);
      if (request.url === '/echo') request.pipe(response);
      else if (request.url === '/deaf') deaf = response;
      else if (request.url === '/large') response.end(Buffer.alloc(3_000_000, 'x'));
      else if (request.url === '/endless') {
        const block = Buffer.alloc(65_536);
        const more = () => {
          if (!response.closed && response.write(block)) setImmediate(more);
        };
        response.on('drain', more);
        more();
      } else if (request.url!.startsWith('/cut')) {
        response.writeHead(200, request.url === '/cut' ? { 'content-length': '1000' } : {});
        response.write('some');
        setTimeout(() => response.destroy(), 20);
      } else if (request.url!.startsWith('/early')) response.writeHead(403).end('no');
    });
    gateway = await startTestGateway({
      listen: [
        {
          name: 'front',
          address: '127.0.0.1:0',
          http2: true,
          limits: { bodyTimeout: '200ms', sendTimeout: '300ms' },
        },
      ],
      services: {
        origin: { url: origin.url },
        narrow: { url: origin.url, breaker: { maxRequests: 1, maxPending: 1 } },
      },
      routes: {
        all: { match: '/*', to: 'origin' },
        narrow: { match: { path: ['/deaf', '/early/2'] }, to: 'narrow' },
        ready: { match: '/ready', respond: { body: 'ready' } },
      },
    });
    client = await Http2Client.open(`http://127.0.0.1:${gateway.port}`);
  });
  afterAll(async () => {
    await client[Symbol.asyncDispose]();
    await gateway.close();
    await origin.close();
  });

  it('passes whole both ways, many MiB of it', async () => {
    const content = Buffer.alloc(5_000_000, 'abcdefg');
    const got = await client.ask({ ':method': 'POST', ':path': '/echo' }, content);
    expect(got.body.length).toBe(content.length);
    expect(got.body === content.toString('latin1')).toBe(true);
    expect((await client.get('/large')).body.length).toBe(3_000_000);
  });

  it('that nobody takes holds the service back, and is cut after sendTimeout', async () => {
    const stream = client.begin({ ':path': '/endless' }, true);
    stream.pause();
    const before = left;
    await until(() => left > before, 'the service to be told');
    stream.resume();
    await until(() => stream.closed, 'the stream to close');
    expect(stream.rstCode).toBe(2);
  });

  it('that nobody takes is cut after sendTimeout, too, while content of the request is still to come', async () => {
    const settings = { initialWindowSize: 0 };
    await using deaf = await Http2Client.open(`http://127.0.0.1:${gateway.port}`, { settings });
    const stream = deaf.begin({ ':method': 'POST', ':path': '/ready' });
    expect(await answered(stream)).toMatchObject({ status: 200, body: '', code: 2 });
  });

  it('that the client gives up ends at the service (RFC 9113 §5.4.2)', async () => {
    const stream = client.begin({ ':path': '/endless' }, true);
    stream.resume();
    await until(() => stream.sentHeaders && stream.readableFlowing === true, 'it to flow');
    await new Promise((resolve) => stream.once('data', resolve));
    const before = left;
    stream.close(8);
    await until(() => left > before, 'the service to be told');
  });

  it('that the service cuts short ends in a reset, never in an end', async () => {
    const got = await client.get('/cut');
    expect(got).toMatchObject({ status: 200, body: 'some', ended: false, code: 2 });
    expect(await client.get('/cut-chunks')).toMatchObject({
      status: 200,
      body: 'some',
      ended: false,
      code: 2,
    });
  });

  it('that stops coming is 408', async () => {
    const stream = client.begin({ ':method': 'POST', ':path': '/silent' });
    stream.write('a');
    expect(await answered(stream)).toMatchObject({ status: 408, code: 0 });
  });

  it('that is still on its way when the answer is whole is not wanted any more: NO_ERROR (RFC 9113 §8.1)', async () => {
    const stream = client.begin({ ':method': 'POST', ':path': '/early' });
    const timer = setInterval(() => stream.write('more'), 20);
    const got = await answered(stream);
    clearInterval(timer);
    expect(got).toMatchObject({ status: 403, body: 'no', code: 0 });
  });

  it('that is reset by NO_ERROR while nobody takes it ends the request, and what its service still says is for nobody', async () => {
    const stream = client.begin({ ':method': 'POST', ':path': '/deaf' });
    for (let i = 0; i < 100; i++) stream.write(Buffer.alloc(65_536));
    await until(() => deaf, 'the request to reach the service');
    await stalled(stream);
    stream.close(0);
    // What was sent before is read before.
    await client.get('/large');
    deaf!.writeEarlyHints({ link: '</a>; rel=preload' });
    // Its place in the service is free again.
    expect((await client.get('/early/2')).status).toBe(403);
  });
});
