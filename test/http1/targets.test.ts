import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { headerValues } from '../../src/testkit/index.ts';
import { expectRefused, type Refusal, refusal, request, type Stage, stage } from './stage.ts';

function badHost(value: string): Refusal {
  const bytes = request('GET / HTTP/1.1', [value === '' ? 'Host:' : `Host: ${value}`]);
  return refusal(`a Host of ${JSON.stringify(value)}`, 'RFC 9112 §3.2', bytes);
}

function badTarget(target: string, rfc = 'RFC 9112 §3.2'): Refusal {
  return refusal(`a target of ${target}`, rfc, request(`GET ${target} HTTP/1.1`));
}

const ROWS: Refusal[] = [
  refusal('no Host', 'RFC 9112 §3.2', request('GET / HTTP/1.1', ['X-A: b'])),
  refusal('two Hosts', 'RFC 9112 §3.2', request('GET / HTTP/1.1', ['Host: a.test', 'Host: b.test'])),
  refusal('two equal Hosts', 'RFC 9112 §3.2', request('GET / HTTP/1.1', ['Host: a.test', 'host: a.test'])),
  badHost(''),
  badHost('a b'),
  badHost('a.test, b.test'),
  badHost('a.test/path'),
  badHost('a.test?x'),
  badHost('a.test#x'),
  badHost('a.test\\b'),
  badHost('user@a.test'),
  badHost('user:pass@a.test'),
  badHost('http://a.test'),
  badHost('a.test:port'),
  badHost('a.test:99999'),
  badHost('a.test:-1'),
  badHost('a.test:80:80'),
  badHost('a.test: 80'),
  badHost(':80'),
  badHost('[::1'),
  badHost('::1'),
  badHost('[::1]x'),
  badHost('[zz]'),
  badHost('a%00.test'),
  badHost('caf\xc3\xa9.test'),
  badHost('a<b'),
  badHost('"a.test"'),
  badTarget('no-slash'),
  badTarget('?query'),
  badTarget('shop.test:80', 'RFC 9112 §3.2.3'),
  badTarget('*', 'RFC 9112 §3.2.4'),
  badTarget('http:///path', 'RFC 9110 §4.2.1'),
  badTarget('http://', 'RFC 9110 §4.2.1'),
  badTarget('http:/shop.test/', 'RFC 9112 §3.2.2'),
  badTarget('ftp://shop.test/', 'RFC 9112 §3.2.2'),
  badTarget('http://user:pass@shop.test/', 'RFC 9110 §4.2.4'),
  badTarget('http://user@shop.test/', 'RFC 9110 §4.2.4'),
  badTarget('http://shop.test:99999/', 'RFC 9112 §3.2.2'),
  badTarget('http://shop.test\\@evil.test/', 'RFC 9112 §3.2.2'),
  badTarget('http://a,b@c/', 'RFC 9112 §3.2.2'),
  badTarget('/path#fragment', 'RFC 9112 §3.2'),
  badTarget('http://shop.test/path#fragment', 'RFC 9112 §3.2.2'),
  refusal(
    'a good absolute target beside two Hosts',
    'RFC 9112 §3.2',
    request('GET http://a.test/ HTTP/1.1', ['Host: a.test', 'Host: b.test']),
  ),
  refusal(
    'a good absolute target without a Host',
    'RFC 9112 §3.2',
    request('GET http://a.test/ HTTP/1.1', ['X-A: b']),
  ),
  refusal(
    'a good absolute target beside a bad Host',
    'RFC 9112 §3.2',
    request('GET http://a.test/ HTTP/1.1', ['Host: a b']),
  ),
  refusal('CONNECT', 'RFC 9110 §9.3.6', request('CONNECT shop.test:443 HTTP/1.1'), 400, 405, 501),
  refusal('CONNECT with a path', 'RFC 9110 §9.3.6', request('CONNECT / HTTP/1.1'), 400, 405, 501),
];

describe('targets and hosts', () => {
  let on: Stage;
  beforeAll(async () => {
    on = await stage();
  });
  afterAll(() => on.close());

  it.each(ROWS)('refuses $name ($rfc)', (row) => expectRefused(on, row));

  it.each([
    ['a name', 'shop.test'],
    ['a name with a port', 'shop.test:8080'],
    ['upper case', 'SHOP.test'],
    ['an IPv4 address', '192.0.2.1:80'],
    ['an IPv6 address', '[2001:db8::1]:80'],
    ['an underscore', 'a_b.test'],
    ['an empty port', 'shop.test:'],
  ])('takes a Host with %s as it stands (RFC 9110 §7.2)', async (_, host) => {
    const client = await on.client();
    await client.send(request('GET /host HTTP/1.1', [`Host: ${host}`]));
    expect((await client.response()).status).toBe(200);
    expect(headerValues(on.origin.requests.at(-1)!, 'host')).toEqual([host]);
  });

  it.each([
    ['http://other.test/abs?q=1', '/abs?q=1', 'other.test'],
    ['HTTP://other.test:81/abs', '/abs', 'other.test:81'],
    ['http://other.test', '/', 'other.test'],
    ['http://other.test?q', '/?q', 'other.test'],
  ])('lets the authority of %s win over Host (RFC 9112 §3.2.2)', async (target, path, host) => {
    const client = await on.client();
    await client.send(request(`GET ${target} HTTP/1.1`));
    expect((await client.response()).status).toBe(200);
    const got = on.origin.requests.at(-1)!;
    expect(got.target).toBe(path);
    expect(headerValues(got, 'host')).toEqual([host]);
  });

  it('answers OPTIONS * once and keeps the connection in order (RFC 9112 §3.2.4)', async () => {
    const client = await on.client();
    await client.send(request('OPTIONS * HTTP/1.1') + request('GET /after HTTP/1.1'));
    expect([200, 204, 400, 404]).toContain((await client.response()).status);
  });
});
