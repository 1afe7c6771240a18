import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  answer,
  headerValue,
  headerValues,
  type ReceivedRequest,
  rawClient,
  startTestGateway,
} from '../../src/testkit/index.ts';
import { names, post, request, type Stage, stage } from './stage.ts';

describe('what a service gets of a request', () => {
  let on: Stage;
  beforeAll(async () => {
    on = await stage();
  });
  afterEach(() => expect(on.origin.violations).toEqual([]));
  afterAll(() => on.close());

  async function forwarded(bytes: string): Promise<ReceivedRequest> {
    const client = await on.client();
    await client.send(bytes);
    expect((await client.response(bytes.slice(0, bytes.indexOf(' ')))).status).toBe(200);
    const got = on.origin.requests.at(-1)!;
    await got.complete;
    client.close();
    return got;
  }

  function withHeaders(...headers: string[]): Promise<ReceivedRequest> {
    return forwarded(request('GET /h HTTP/1.1', ['Host: shop.test', ...headers]));
  }

  it.each(['GET', 'DELETE', 'OPTIONS', 'PATCH', 'PROPFIND', 'M-SEARCH', 'get', "!#$%&'*+-.^_`|~09Az"])(
    'the method %s as it stands (RFC 9110 §9.1)',
    async (method) => {
      expect((await forwarded(request(`${method} /m HTTP/1.1`))).method).toBe(method);
    },
  );

  it('values byte for byte, their outer white space taken off (RFC 9112 §5)', async () => {
    const got = await withHeaders('X-A: \t a  b \t ', 'X-B:c', 'X-C:', 'X-D: caf\xe9 \xff', 'X-E: "q, r"');
    expect(headerValues(got, 'x-a')).toEqual(['a  b']);
    expect(headerValues(got, 'x-b')).toEqual(['c']);
    expect(headerValues(got, 'x-c')).toEqual(['']);
    expect(headerValues(got, 'x-d')).toEqual(['caf\xe9 \xff']);
    expect(headerValues(got, 'x-e')).toEqual(['"q, r"']);
  });

  it('lines of one name in their order and spelling (RFC 9110 §5.3)', async () => {
    const got = await withHeaders('X-List: 1', 'x-list: 2', 'Accept: a', 'X-LIST: 3');
    const kept = got.headers.filter(([name]) => name.toLowerCase() === 'x-list');
    expect(kept).toEqual([
      ['X-List', '1'],
      ['x-list', '2'],
      ['X-LIST', '3'],
    ]);
  });

  it.each([
    ['Connection: keep-alive', 'keep-alive'],
    ['Keep-Alive: timeout=5', 'keep-alive'],
    ['Proxy-Connection: keep-alive', 'proxy-connection'],
    ['Proxy-Authorization: Basic eDp5', 'proxy-authorization'],
    ['TE: gzip', 'te'],
    ['Upgrade: h2c', 'upgrade'],
    ['HTTP2-Settings: AAMAAABk', 'http2-settings'],
    ['Transfer-Encoding: chunked', 'trailer'],
  ])('no %s, which ends here (RFC 9110 §7.6.1)', async (header, gone) => {
    const body = header.startsWith('Transfer') ? '0\r\n\r\n' : '';
    const got = await forwarded(request('POST /hop HTTP/1.1', ['Host: shop.test', header], body));
    expect(names(got)).not.toContain(gone);
  });

  it('no header that Connection names (RFC 9110 §7.6.1)', async () => {
    const got = await withHeaders(
      'Connection: X-One, x-TWO , ,keep-alive',
      'X-One: 1',
      'X-Two: 2',
      'X-Three: 3',
    );
    expect(names(got)).not.toContain('x-one');
    expect(names(got)).not.toContain('x-two');
    expect(headerValue(got, 'x-three')).toBe('3');
  });

  it('what Connection must not take away: Host, lengths, forwarded headers (RFC 9110 §7.6.1)', async () => {
    const nominated =
      'Connection: Host, Content-Length, Transfer-Encoding, X-Forwarded-For, X-Forwarded-Proto, Via, X-Request-Id, Cookie2';
    const got = await forwarded(post([nominated, 'Content-Length: 5'], 'hello'));
    expect(headerValue(got, 'host')).toBe('shop.test');
    expect(headerValue(got, 'content-length')).toBe('5');
    expect(headerValue(got, 'x-forwarded-for')).toBe('127.0.0.1');
    expect(headerValue(got, 'x-forwarded-proto')).toBe('http');
    expect(headerValue(got, 'x-request-id')).toBeTruthy();
    expect(headerValue(got, 'via')).toBeTruthy();
  });

  it('TE of trailers alone, and no other coding (RFC 9110 §10.1.4)', async () => {
    const got = await withHeaders('TE: trailers, deflate;q=0.5', 'Connection: TE');
    expect(headerValues(got, 'te').join().toLowerCase()).toMatch(/^(trailers)?$/);
  });

  it('never h2c, its settings, or an upgrade to TLS (RFC 9113 §3.1)', async () => {
    const h2c = await withHeaders(
      'Connection: Upgrade, HTTP2-Settings',
      'Upgrade: h2c',
      'HTTP2-Settings: AAMAAABk',
    );
    expect(names(h2c)).not.toContain('upgrade');
    expect(names(h2c)).not.toContain('http2-settings');
    const tls = await withHeaders('Connection: Upgrade', 'Upgrade: TLS/1.2');
    expect(names(tls)).not.toContain('upgrade');
  });

  it('no Upgrade that Connection does not name (RFC 9110 §7.8)', async () => {
    expect(names(await withHeaders('Upgrade: websocket'))).not.toContain('upgrade');
  });

  it('X-Forwarded-* of a client nobody trusts goes, however long its name is', async () => {
    const words = ['By', 'Ssl', 'Uri', 'Port', 'Proto', 'Prefix', 'Protocol', 'Client-Cert'];
    const sent = ['X_Forwarded_Ssl', ...words.map((word) => `X-Forwarded-${word}`)];
    for (let n = 1; n <= 40; n++) sent.push(`X-Forwarded-${'a'.repeat(n)}`);
    const got = await withHeaders(...sent.map((name) => `${name}: evil`));
    expect(names(got).filter((name) => /^x.forwarded/.test(name))).toEqual([
      'x-forwarded-for',
      'x-forwarded-proto',
      'x-forwarded-host',
    ]);
  });

  it('forwarded headers of the gateway, not of a client nobody trusts', async () => {
    const got = await withHeaders(
      'X-Forwarded-For: 1.2.3.4',
      'X-Forwarded-Proto: https',
      'X-Forwarded-Host: evil.test',
      'Forwarded: for=1.2.3.4',
      'X-Real-IP: 1.2.3.4',
      'X-Forwarded: for=1.2.3.4',
    );
    expect(headerValue(got, 'x-forwarded-for')).toBe('127.0.0.1');
    expect(headerValue(got, 'x-forwarded-proto')).toBe('http');
    expect(headerValue(got, 'x-forwarded-host')).toBe('shop.test');
    expect(headerValues(got, 'forwarded').join()).not.toContain('1.2.3.4');
    expect(names(got)).not.toContain('x-real-ip');
    expect(names(got)).not.toContain('x-forwarded');
  });

  it('of its own headers none that the route removes', async () => {
    const remove = ['via', 'X-Forwarded-For', 'x-forwarded-proto', 'x-forwarded-host', 'x-request-id'];
    const routes = { all: { match: '/*', to: 'origin', request: { headers: { remove } } } };
    const own = await stage({ routes });
    const client = await own.client();
    await client.send(
      request('GET /h HTTP/1.1', ['Host: shop.test', 'Via: 1.1 other', 'X-Forwarded-For: 1.2.3.4']),
    );
    expect(headerValue(await client.response(), 'x-request-id')).toMatch(/^[0-9a-f]{32}$/);
    const got = own.origin.requests[0]!;
    for (const name of remove) expect(names(got)).not.toContain(name.toLowerCase());
    await own.close();
  });

  it('request.url as the client asked, which a trusted proxy alone may say', async () => {
    const config = (trustedProxies: string[]) => ({
      listen: [{ name: 'front', address: '127.0.0.1:0', trustedProxies }],
      routes: { url: { match: '/*', respond: { template: '{request.url} {request.host}' } } },
    });
    const ask = async (trustedProxies: string[]): Promise<string> => {
      const gateway = await startTestGateway(config(trustedProxies));
      const client = await rawClient({ port: gateway.port });
      await client.send(
        request('GET /a?b HTTP/1.1', [
          'Host: inner.test:8080',
          'X-Forwarded-Host: shop.test',
          'X-Forwarded-Proto: https',
        ]),
      );
      const text = (await client.response()).body.toString();
      client.close();
      await gateway.close();
      return text;
    };
    expect(await ask(['127.0.0.1'])).toBe('https://shop.test/a?b shop.test');
    expect(await ask(['10.0.0.0/8'])).toBe('http://inner.test:8080/a?b inner.test');
  });

  it('Via appended to what stands there (RFC 9110 §7.6.3)', async () => {
    const got = await withHeaders('Via: 1.0 fred');
    expect(headerValues(got, 'via').join(', ')).toMatch(/^1\.0 fred, 1\.1 \S+$/);
  });

  it.each([
    ['a good one is kept', 'abc-123', /^abc-123$/],
    ['one with a space is replaced', 'a b', /^[!-~]{8,}$/],
    ['one of 129 characters is replaced', 'a'.repeat(129), /^[!-~]{8,128}$/],
  ])('x-request-id: %s, and the client gets the same', async (_, id, expected) => {
    const client = await on.client();
    await client.send(request('GET /id HTTP/1.1', ['Host: a', `X-Request-Id: ${id}`]));
    const response = await client.response();
    const got = headerValue(on.origin.requests.at(-1)!, 'x-request-id')!;
    expect(got).toMatch(expected);
    expect(got).not.toBe(_.includes('replaced') ? id : '');
    expect(headerValue(response, 'x-request-id')).toBe(got);
  });

  it('a valid traceparent carried on under the same trace, an invalid one replaced', async () => {
    const trace = '4bf92f3577b34da6a3ce929d0e0e4736';
    const good = await withHeaders(`traceparent: 00-${trace}-00f067aa0ba902b7-01`);
    expect(headerValue(good, 'traceparent')).toMatch(new RegExp(`^00-${trace}-[0-9a-f]{16}-0[01]$`));
    const bad = await withHeaders('traceparent: 00-00000000000000000000000000000000-00f067aa0ba902b7-01');
    expect(headerValues(bad, 'traceparent').join()).not.toContain('00000000000000000000000000000000');
  });

  it('a body with its length, on any method (RFC 9110 §9.3.1)', async () => {
    const got = await forwarded(request('GET /body HTTP/1.1', ['Host: a', 'Content-Length: 5'], 'hello'));
    expect(headerValue(got, 'content-length')).toBe('5');
    expect(got.body.toString()).toBe('hello');
  });

  it('a chunked body as chunked, with one framing alone (RFC 9112 §6.1)', async () => {
    const got = await forwarded(post(['Transfer-Encoding: chunked'], '5\r\nhello\r\n0\r\n\r\n'));
    expect(headerValues(got, 'content-length').length + headerValues(got, 'transfer-encoding').length).toBe(
      1,
    );
    expect(got.body.toString()).toBe('hello');
  });

  it('no body where no framing says one: what follows is the next request (CL.0, RFC 9112 §6.3)', async () => {
    const client = await on.client();
    await client.send(request('POST /none HTTP/1.1') + request('GET /next HTTP/1.1'));
    expect((await client.response()).status).toBe(200);
    expect((await client.response()).status).toBe(200);
    expect(on.origin.requests.slice(-2).map((got) => [got.target, got.body.length])).toEqual([
      ['/none', 0],
      ['/next', 0],
    ]);
  });

  it('HTTP/1.1, whatever version the client speaks (RFC 9110 §6.2)', async () => {
    const got = await forwarded(request('GET /old HTTP/1.0', ['Host: shop.test']));
    expect(got.version).toBe('1.1');
  });

  it('an empty line before a request is passed over (RFC 9112 §2.2)', async () => {
    expect((await forwarded(`\r\n${request('GET /empty HTTP/1.1')}`)).target).toBe('/empty');
  });

  it('a header name with an underscore is no framing header (RFC 9112 §6.1)', async () => {
    const client = await on.client();
    await client.send(
      request('POST /under HTTP/1.1', ['Host: a', 'Content_Length: 5', 'Transfer_Encoding: chunked']),
    );
    expect((await client.response()).status).toBe(200);
    expect(on.origin.requests.at(-1)!.body.length).toBe(0);
  });

  it('the answer of a service, whole', async () => {
    on.origin.answerWith(answer(418, [['X-Tea', 'pot']], 'short and stout'));
    const client = await on.client();
    await client.send(request('GET /tea HTTP/1.1'));
    const response = await client.response();
    on.origin.answerWith(answer(200, [], 'ok'));
    expect([response.status, headerValue(response, 'x-tea'), response.body.toString()]).toEqual([
      418,
      'pot',
      'short and stout',
    ]);
  });
});
