import { constants } from 'node:http2';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  type Http2Origin,
  type Http2Request,
  headerValue,
  headerValues,
  http2Origin,
  type RawClient,
  rawClient,
  standsStill,
  startTestGateway,
  type TestGateway,
  until,
} from '../../src/testkit/index.ts';
import { answered, Http2Client, values } from './stage.ts';

let service: Http2Origin;
let gateway: TestGateway;
let client: Http2Client;
let handler: (request: Http2Request) => void;

beforeAll(async () => {
  service = await http2Origin((request) => handler(request), { maxSessionMemory: 1000 });
  gateway = await startTestGateway({
    listen: [{ name: 'front', address: '127.0.0.1:0', http2: true }],
    services: { service: { url: `${service.url}/base` } },
    routes: {
      all: { match: '/*', to: 'service' },
      kept: { match: '/kept', to: 'service', cache: { ttl: '1m' } },
      changed: {
        match: '/changed',
        to: 'service',
        request: { headers: { set: { 'X-Mine': '1' } } },
        compress: { types: ['application/*'], minSize: '1B' },
      },
    },
  });
  client = await Http2Client.open(`http://127.0.0.1:${gateway.port}`);
});
afterAll(async () => {
  await client[Symbol.asyncDispose]();
  await gateway.close();
  await service.close();
});
beforeEach(() => {
  handler = ({ stream }) => {
    stream.respond({ ':status': 200, 'content-type': 'text/plain' });
    stream.end('ok');
  };
});

/** Sends one request as it stands, over HTTP/1.1. */
async function send(text: string): Promise<RawClient> {
  const raw = await rawClient({ port: gateway.port });
  await raw.send(text);
  return raw;
}

/** The values of a field of the last request. */
function told(name: string): string[] {
  const { fields } = service.requests.at(-1)!;
  return fields.filter((_, i) => i % 2 === 1 && fields[i - 1] === name);
}

const names = () => service.requests.at(-1)!.fields.filter((_, i) => i % 2 === 0);

describe('a request to a service in HTTP/2', () => {
  it('has its pseudo-fields first, Host as :authority, and the path of the url before its own (RFC 9113 §8.3.1)', async () => {
    await using raw = await send('GET /a?b=%20c HTTP/1.1\r\nHost: shop.test:81\r\nX-One: 1\r\n\r\n');
    expect(await raw.response()).toMatchObject({ status: 200 });
    expect(names().slice(0, 4)).toEqual([':method', ':scheme', ':authority', ':path']);
    const headers = service.requests.at(-1)!.headers;
    expect(headers).toMatchObject({
      ':method': 'GET',
      ':scheme': 'http',
      ':authority': 'shop.test:81',
      ':path': '/base/a?b=%20c',
      'x-one': '1',
      via: '1.1 tidegate',
      'x-forwarded-proto': 'http',
    });
    expect(headers).not.toHaveProperty('host');
  });

  it('has names in lower case, nothing of an HTTP/1.1 connection, and of TE trailers alone (RFC 9113 §8.2.2)', async () => {
    await using raw = await send(
      'GET / HTTP/1.1\r\nHost: a\r\nConnection: close, X-Gone, TE\r\nX-Gone: 1\r\nKeep-Alive: timeout=5\r\nProxy-Connection: close\r\nTE: gzip, trailers\r\nX-Kept: 1\r\n\r\n',
    );
    expect(await raw.response()).toMatchObject({ status: 200 });
    for (const name of [
      'connection',
      'keep-alive',
      'proxy-connection',
      'transfer-encoding',
      'x-gone',
      'upgrade',
    ])
      expect(names()).not.toContain(name);
    expect(names().every((name) => name === name.toLowerCase())).toBe(true);
    expect([told('te'), told('x-kept')]).toEqual([['trailers'], ['1']]);
  });

  it('keeps the lines of a field apart, and bytes above ASCII as they are', async () => {
    await using raw = await send(
      'GET / HTTP/1.1\r\nHost: a\r\nX-Two: a\r\nX-Two: b\r\nX-Byte: \xe9\xff\r\n\r\n',
    );
    expect(await raw.response()).toMatchObject({ status: 200 });
    expect(told('x-two')).toEqual(['a', 'b']);
    expect(told('x-byte')).toEqual(['\xe9\xff']);
    await client.get('/', { cookie: ['a=1', 'b=2'] });
    expect(told('cookie')).toEqual(['a=1; b=2']);
  });

  it('has its content and its trailers passed on, of a known length or not (RFC 9113 §8.1)', async () => {
    const got: { body: string; trailers: unknown }[] = [];
    handler = ({ stream }) => {
      const one = { body: '', trailers: null as unknown };
      stream.setEncoding('latin1');
      stream.on('data', (chunk: string) => {
        one.body += chunk;
      });
      stream.on('trailers', (trailers) => {
        one.trailers = { ...trailers };
      });
      stream.on('end', () => {
        got.push(one);
        stream.respond({ ':status': 204 }, { endStream: true });
      });
    };
    await using known = await send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc');
    expect((await known.response()).status).toBe(204);
    expect(told('content-length')).toEqual(['3']);
    await using chunked = await send(
      'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 7\r\n\r\n',
    );
    expect((await chunked.response()).status).toBe(204);
    expect(told('content-length')).toEqual([]);
    await using none = await send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n');
    expect((await none.response()).status).toBe(204);
    expect(told('content-length')).toEqual(['0']);
    const stream = client.session.request({ ':method': 'PUT', ':path': '/' }, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'x-sum': ['8', '9'] }));
    stream.end('abc');
    expect((await answered(stream)).status).toBe(204);
    expect(got).toMatchObject([
      { body: 'abc', trailers: null },
      { body: 'abc', trailers: { 'x-sum': '7' } },
      { body: '', trailers: null },
      { body: 'abc', trailers: { 'x-sum': '8, 9' } },
    ]);
  });

  it('waits for its leave to send content where the service decides that (RFC 9110 §10.1.1)', async () => {
    handler = ({ stream }) => {
      stream.additionalHeaders({ ':status': 100 });
      stream.on('data', () => {});
      stream.on('end', () => stream.respond({ ':status': 201 }, { endStream: true }));
    };
    await using raw = await send(
      'PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n',
    );
    expect((await raw.head()).status).toBe(100);
    expect(told('expect')).toEqual(['100-continue']);
    await raw.send('hi');
    expect((await raw.response()).status).toBe(201);
  });

  it('that asks to switch protocols is 501: HTTP/2 switches to none', async () => {
    const before = service.requests.length;
    await using raw = await send(
      'GET /chat HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
    );
    const refused = await raw.response();
    expect(refused.status).toBe(501);
    expect(JSON.parse(refused.body.toString())).toMatchObject({ code: 'TG_UPSTREAM_UPGRADE' });
    expect(service.requests.length).toBe(before);
    // What is never sent on asks for nothing.
    await using h2c = await send('GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n');
    expect((await h2c.response()).status).toBe(200);
  });
});

describe('an answer of a service in HTTP/2', () => {
  it('passes with its lines, and says by which way it came', async () => {
    handler = ({ stream }) => {
      stream.respond({
        ':status': 418,
        'set-cookie': ['a=1', 'b=2'],
        'x-byte': '\xe9',
        'content-length': '2',
      });
      stream.end('ok');
    };
    await using raw = await send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    const got = await raw.response();
    expect(got.status).toBe(418);
    expect(headerValues(got, 'set-cookie')).toEqual(['a=1', 'b=2']);
    expect(headerValue(got, 'x-byte')).toBe('\xe9');
    expect(headerValue(got, 'via')).toBe('2.0 tidegate');
    expect(headerValue(got, 'content-length')).toBe('2');
    expect(got.body.toString()).toBe('ok');
  });

  it('has its trailers passed on, also beside a length and after no content at all', async () => {
    const bodies: [string, Record<string, string>][] = [
      ['ok', {}],
      ['ok', { 'content-length': '2' }],
      ['', {}],
      ['', { 'content-length': '0' }],
    ];
    for (const [body, fields] of bodies) {
      handler = ({ stream }) => {
        stream.respond({ ':status': 200, ...fields }, { waitForTrailers: true });
        stream.on('wantTrailers', () => stream.sendTrailers({ 'x-sum': '7' }));
        stream.end(body);
      };
      const got = await client.get('/', { te: 'trailers' });
      expect(got).toMatchObject({ status: 200, body, trailers: { 'x-sum': '7' }, ended: true, code: 0 });
    }
    await using raw = await send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    const got = await raw.response();
    expect(got.trailers).toEqual([['x-sum', '7']]);
  });

  it('to HEAD, 204 and 304 has no content, and a length that is none of its own', async () => {
    handler = ({ stream, headers }) => {
      const status = Number(headers[':path']!.slice('/base/'.length));
      stream.respond({ ':status': status, ...(status === 204 ? {} : { 'content-length': '5' }) });
      if (headers[':method'] !== 'HEAD') stream.end();
    };
    for (const status of [200, 304, 204]) {
      await using raw = await send(`HEAD /${status} HTTP/1.1\r\nHost: a\r\n\r\n`);
      const got = await raw.response('HEAD');
      expect(got.status).toBe(status);
      expect(headerValue(got, 'content-length')).toBe(status === 204 ? undefined : '5');
    }
    await using raw = await send('GET /204 HTTP/1.1\r\nHost: a\r\n\r\nGET /304 HTTP/1.1\r\nHost: a\r\n\r\n');
    expect(await raw.response()).toMatchObject({ status: 204 });
    expect(await raw.response('HEAD')).toMatchObject({ status: 304 });
  });

  it('may be preceded by 103 (RFC 8297)', async () => {
    handler = ({ stream }) => {
      stream.additionalHeaders({ ':status': 103, link: '</a>; rel=preload' });
      stream.respond({ ':status': 200 });
      stream.end('ok');
    };
    await using raw = await send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    const hints = await raw.head();
    expect([hints.status, headerValue(hints, 'link')]).toEqual([103, '</a>; rel=preload']);
    expect(await raw.response()).toMatchObject({ status: 200 });
    expect((await client.get('/')).interim).toMatchObject([{ ':status': 103, link: '</a>; rel=preload' }]);
  });

  it('is kept by the cache as any other', async () => {
    handler = ({ stream }) => {
      stream.respond({ ':status': 200, etag: '"1"' });
      stream.end('kept');
    };
    expect(await client.get('/kept')).toMatchObject({ status: 200, body: 'kept' });
    const before = service.requests.length;
    const hit = await client.get('/kept');
    expect(values(hit, 'cache-status')[0]).toContain('hit');
    expect([hit.body, service.requests.length]).toEqual(['kept', before]);
  });

  it('goes through transforms and compression; gRPC is never compressed', async () => {
    handler = ({ stream, headers }) => {
      stream.respond({ ':status': 200, 'content-type': String(headers['x-type']) });
      stream.end('a'.repeat(100));
    };
    const ask = (type: string) => client.get('/changed', { 'accept-encoding': 'gzip', 'x-type': type });
    expect(values(await ask('application/json'), 'content-encoding')).toEqual(['gzip']);
    expect(told('x-mine')).toEqual(['1']);
    for (const type of ['application/grpc', 'application/grpc+proto', 'application/grpc;charset=utf-8'])
      expect(values(await ask(type), 'content-encoding')).toEqual([]);
    expect(values(await ask('application/grpc-web'), 'content-encoding')).toEqual(['gzip']);
  });
});

describe('content to and from a service in HTTP/2', () => {
  const echo = ({ stream }: Http2Request) => {
    stream.respond({ ':status': 200 });
    stream.pipe(stream);
  };

  it('passes whole both ways, many MiB of it', async () => {
    handler = echo;
    const content = Buffer.alloc(5_000_000, 'abcdefg');
    const got = await client.ask({ ':method': 'POST', ':path': '/' }, content);
    expect(got.body.length).toBe(content.length);
    expect(got.body === content.toString('latin1')).toBe(true);
    const length = `Content-Length: ${content.length}`;
    await using raw = await send(
      `POST / HTTP/1.1\r\nHost: a\r\n${length}\r\n\r\n${content.toString('latin1')}`,
    );
    expect((await raw.response()).body.equals(content)).toBe(true);
  });

  it('goes both ways at once: each piece is answered before the next is sent', async () => {
    handler = echo;
    const stream = client.begin({ ':method': 'POST', ':path': '/' });
    for (const piece of ['one', 'two', 'three']) {
      stream.write(piece);
      expect(await new Promise((resolve) => stream.once('data', resolve)).then(String)).toBe(piece);
    }
    stream.end();
    await until(() => stream.closed, 'its end');
    expect(stream.rstCode).toBe(0);
  });

  it('that its client does not take holds the service back', async () => {
    const block = Buffer.alloc(65_536, 'x');
    let sent = 0;
    let blocked = false;
    handler = ({ stream }) => {
      stream.respond({ ':status': 200 });
      const more = () => {
        blocked = false;
        while (sent < 48_000_000) {
          sent += block.length;
          if (!stream.write(block)) {
            blocked = true;
            return;
          }
        }
        stream.end();
      };
      stream.on('drain', more);
      more();
    };
    await using raw = await send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await raw.head();
    raw.pause();
    await until(() => blocked, 'the service to be held back');
    await standsStill(() => sent, 'the service');
    expect(sent).toBeLessThan(32_000_000);
    raw.resume();
    await until(() => sent >= 48_000_000, 'it to go on', 15_000);
  });

  it('that the service does not take holds the client back', async () => {
    let taking = false;
    let taken = 0;
    handler = ({ stream }) => {
      stream.pause();
      until(() => taking, 'the test').then(() => {
        stream.on('data', (chunk: Buffer) => {
          taken += chunk.length;
        });
        stream.on('end', () => stream.respond({ ':status': 204 }, { endStream: true }));
        stream.resume();
      });
    };
    const stream = client.begin({ ':method': 'POST', ':path': '/' });
    let written = 0;
    const size = 8_000_000;
    const block = Buffer.alloc(65_536);
    const pump = () => {
      while (written < size) {
        written += block.length;
        if (!stream.write(block)) return;
      }
      stream.end();
    };
    stream.on('drain', pump);
    pump();
    await until(() => stream.writableNeedDrain, 'the client to be held back');
    await standsStill(() => written, 'the client');
    expect(written).toBeLessThan(4_000_000);
    taking = true;
    expect(await answered(stream)).toMatchObject({ status: 204 });
    expect(taken).toBe(written);
  });

  it('that many clients do not take does not stop the others on the connection', async () => {
    handler = ({ stream, headers }) => {
      stream.respond({ ':status': 200 });
      stream.end(headers[':path'] === '/base/large' ? Buffer.alloc(4_000_000) : 'quick');
    };
    const slow = await Promise.all(
      Array.from({ length: 20 }, async () => {
        const one = await send('GET /large HTTP/1.1\r\nHost: a\r\n\r\n');
        await one.head();
        one.pause();
        return one;
      }),
    );
    const made = service.connections;
    for (let i = 0; i < 20; i++) expect(await client.get('/quick')).toMatchObject({ body: 'quick' });
    expect(service.connections).toBe(made);
    for (const one of slow) one.close();
  });
});

describe('an abort', () => {
  /** What became of the request with this path at the service. */
  const fate = async (path: string) => {
    const { stream } = await until(
      () => service.requests.find(({ headers }) => headers[':path'] === `/base${path}`),
      'the request',
    );
    await until(() => stream.closed, 'the service to be told');
    return { code: stream.rstCode, ended: stream.readableEnded };
  };

  it('by a client that waits ends its request at the service: CANCEL (RFC 9113 §7)', async () => {
    handler = () => {};
    const raw = await send('GET /waiting HTTP/1.1\r\nHost: a\r\n\r\n');
    await until(() => told(':path')[0] === '/base/waiting', 'the request');
    raw.close();
    expect((await fate('/waiting')).code).toBe(constants.NGHTTP2_CANCEL);
  });

  it('in the middle of an upload shows the service that it has not the whole', async () => {
    let got = '';
    handler = ({ stream }) => {
      stream.on('data', (chunk) => {
        got += chunk;
      });
    };
    const stream = client.begin({ ':method': 'POST', ':path': '/half' });
    stream.write('half');
    await until(() => got === 'half', 'the first half');
    stream.close(constants.NGHTTP2_CANCEL);
    const { code } = await fate('/half');
    expect(code).toBe(constants.NGHTTP2_CANCEL);
    expect(service.requests.at(-1)!.stream.aborted).toBe(true);
  });

  it('in the middle of an answer ends it at the service', async () => {
    handler = ({ stream }) => {
      stream.respond({ ':status': 200 });
      stream.write('some');
    };
    const raw = await send('GET /some HTTP/1.1\r\nHost: a\r\n\r\n');
    await raw.head();
    raw.close();
    expect((await fate('/some')).code).toBe(constants.NGHTTP2_CANCEL);
  });

  it('leaves the connection to the other requests on it', async () => {
    const held: Http2Request[] = [];
    handler = (request) => held.push(request);
    const other = client.get('/other');
    await until(() => held.length === 1, 'the other');
    const raw = await send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await until(() => held.length === 2, 'the one');
    const made = service.connections;
    raw.close();
    await until(() => held[1]!.stream.closed, 'its end');
    held[0]!.stream.respond({ ':status': 200 });
    held[0]!.stream.end('well');
    expect(await other).toMatchObject({ status: 200, body: 'well' });
    expect(service.connections).toBe(made);
  });

  it('by the service in the middle of an answer is seen by its client as one', async () => {
    handler = ({ stream }) => {
      stream.respond({ ':status': 200 });
      // `close` would end the content first.
      stream.write('some', () => stream.destroy(new Error('reset')));
    };
    expect(await client.get('/')).toMatchObject({ status: 200, ended: false, code: 2 });
    await using raw = await send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await raw.head();
    expect((await raw.rest()).toString()).not.toContain('0\r\n\r\n');
  });
});

describe('a final answer while the request is still going', () => {
  it('goes out at once, and what is left of the request is not sent (RFC 9113 §8.1)', async () => {
    handler = ({ stream }) => {
      stream.on('data', () => {});
      stream.respond({ ':status': 413 });
      stream.end('too much');
    };
    const stream = client.begin({ ':method': 'POST', ':path': '/' });
    stream.write('some');
    expect(await answered(stream)).toMatchObject({ status: 413, body: 'too much', ended: true, code: 0 });
    await using raw = await send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nsome');
    expect(await raw.response()).toMatchObject({ status: 413 });
  });

  it('is whole where the service resets the stream without error behind it', async () => {
    handler = ({ stream }) => {
      stream.respond({ ':status': 200 });
      stream.end('whole', () => stream.close(constants.NGHTTP2_NO_ERROR));
    };
    const stream = client.begin({ ':method': 'POST', ':path': '/' });
    stream.write('some');
    expect(await answered(stream)).toMatchObject({ status: 200, body: 'whole', ended: true, code: 0 });
  });

  it('comes with its trailers', async () => {
    handler = ({ stream }) => {
      stream.respond({ ':status': 200 }, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers({ 'x-sum': '7' }));
      stream.end('whole');
    };
    const stream = client.begin({ ':method': 'POST', ':path': '/', te: 'trailers' });
    stream.write('some');
    expect(await answered(stream)).toMatchObject({ body: 'whole', trailers: { 'x-sum': '7' }, code: 0 });
  });
});
