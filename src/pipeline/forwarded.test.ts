import { describe, expect, test } from 'vitest';
import { Exchange, type Origin, type Responder } from '../http/exchange.ts';
import type { Headers } from '../http/headers.ts';
import { type AddressSet, compileAddresses } from '../util/cidr.ts';
import {
  clientAddress,
  clientAuthority,
  clientScheme,
  dropForwarded,
  forwarded,
  forwardedFor,
  forwardedHost,
  forwardedProto,
  isForwarded,
  via,
} from './forwarded.ts';

const nobody: Responder = { inform() {}, respond() {} };

function exchange(address: string, headers: Headers = [], scheme: Origin['scheme'] = 'http'): Exchange {
  const origin: Origin = { listener: 'main', scheme, address, port: 8080 };
  return new Exchange(origin, nobody, 'GET', '/', 'shop.example:8080', 11, headers, null, 0);
}

describe('X-Forwarded-For', () => {
  test('is the peer where nobody sent one', () => {
    expect(forwardedFor(undefined, '192.0.2.1', false)).toBe('192.0.2.1');
    expect(forwardedFor(undefined, '2001:db8::1', true)).toBe('2001:db8::1');
    expect(forwardedFor('', '192.0.2.1', true)).toBe('192.0.2.1');
  });

  test('of a trusted proxy is appended to', () => {
    expect(forwardedFor('198.51.100.7, 10.0.0.9', '10.0.0.1', true)).toBe('198.51.100.7, 10.0.0.9, 10.0.0.1');
  });

  test('X-Forwarded-For spoofing: a client that is not trusted says nothing of others', () => {
    expect(forwardedFor('127.0.0.1', '203.0.113.5', false)).toBe('203.0.113.5');
  });
});

describe('X-Forwarded-Proto and -Host', () => {
  test('are what the gateway saw', () => {
    expect(forwardedProto(undefined, 'https', true)).toBe('https');
    expect(forwardedHost(undefined, 'shop.example:8080', true)).toBe('shop.example:8080');
  });

  test('are kept from a trusted proxy', () => {
    expect(forwardedProto('https', 'http', true)).toBe('https');
    expect(forwardedHost('www.example', 'shop.example', true)).toBe('www.example');
    expect(forwardedHost('[2001:db8::1]:443', 'shop.example', true)).toBe('[2001:db8::1]:443');
  });

  test('X-Forwarded-Proto spoofing: set anew for a client that is not trusted', () => {
    expect(forwardedProto('https', 'http', false)).toBe('http');
    expect(forwardedHost('evil.example', 'shop.example', false)).toBe('shop.example');
  });

  test('are set anew where even a trusted proxy sent nonsense', () => {
    expect(forwardedProto('gopher', 'http', true)).toBe('http');
    expect(forwardedHost('a b', 'shop.example', true)).toBe('shop.example');
    expect(forwardedHost('u@h', 'shop.example', true)).toBe('shop.example');
  });
});

describe('Forwarded (RFC 7239)', () => {
  test('of a trusted proxy is appended to', () => {
    expect(forwarded('for=192.0.2.43', '10.0.0.1', 'https', 'shop.example', true)).toBe(
      'for=192.0.2.43, for=10.0.0.1;host=shop.example;proto=https',
    );
  });

  test('quotes IPv6 in brackets, and a host with a port (§4, §6)', () => {
    expect(forwarded('for=_x', '2001:db8::1', 'http', '[::1]:8080', true)).toBe(
      'for=_x, for="[2001:db8::1]";host="[::1]:8080";proto=http',
    );
  });

  test('names a peer without an address unknown (§6.2)', () => {
    expect(forwarded('for=_x', '', 'http', '', true)).toBe('for=_x, for=unknown;proto=http');
  });

  test('is not begun where none was sent', () => {
    expect(forwarded(undefined, '10.0.0.1', 'http', 'a', true)).toBeUndefined();
    expect(forwarded('', '10.0.0.1', 'http', 'a', true)).toBeUndefined();
  });

  test('Forwarded spoofing: dropped from a client that is not trusted', () => {
    expect(forwarded('for=127.0.0.1', '203.0.113.5', 'http', 'a', false)).toBeUndefined();
  });
});

describe('Via (RFC 9110 §7.6.3)', () => {
  test('names the version that was received', () => {
    expect(via(undefined, 11)).toBe('1.1 tidegate');
    expect(via(undefined, 10)).toBe('1.0 tidegate');
    expect(via(undefined, 20)).toBe('2.0 tidegate');
  });

  test('is appended to, whoever sent what stands', () => {
    expect(via('1.0 fred, 1.1 p.example.com', 11)).toBe('1.0 fred, 1.1 p.example.com, 1.1 tidegate');
    expect(via('', 11)).toBe('1.1 tidegate');
  });
});

describe('request.ip', () => {
  const trusted: AddressSet = compileAddresses(['10.0.0.0/8', '2001:db8:1::/48', '::1']);
  const ip = (peer: string, ...chain: string[]) =>
    clientAddress(
      exchange(
        peer,
        chain.flatMap((value) => ['X-Forwarded-For', value]),
      ),
      trusted,
    );

  test('is the peer, whatever it says, unless it is a trusted proxy', () => {
    expect(ip('203.0.113.5', '198.51.100.7')).toBe('203.0.113.5');
  });

  test('is the first address from the right that is no trusted proxy', () => {
    expect(ip('10.0.0.1', '198.51.100.7')).toBe('198.51.100.7');
    expect(ip('10.0.0.1', '198.51.100.7, 10.0.0.3,10.0.0.2')).toBe('198.51.100.7');
    expect(ip('::1', '2001:db8:2::7, 2001:db8:1::5')).toBe('2001:db8:2::7');
  });

  test('X-Forwarded-For spoofing: what a client wrote before the first proxy is not believed', () => {
    expect(ip('10.0.0.1', '127.0.0.1, 198.51.100.7, 10.0.0.2')).toBe('198.51.100.7');
    expect(ip('10.0.0.1', '10.9.9.9, 198.51.100.7')).toBe('198.51.100.7');
  });

  test('reads several lines as one list', () => {
    expect(ip('10.0.0.1', '127.0.0.1', '198.51.100.7', '10.0.0.2')).toBe('198.51.100.7');
  });

  test.each([
    'unknown',
    '_hidden',
    '198.51.100.7:1234',
    '[2001:db8::7]',
    '',
    '1.2.3',
    '01.2.3.4',
    'fe80::1%eth0',
    '::g',
  ])('an entry that is no address ends the search: %s', (entry) => {
    expect(ip('10.0.0.1', `198.51.100.7, ${entry}, 10.0.0.2`)).toBe('10.0.0.2');
    expect(ip('10.0.0.1', `198.51.100.7, ${entry}`)).toBe('10.0.0.1');
  });

  test('is the last of them where all are trusted', () => {
    expect(ip('10.0.0.1', '10.0.0.3, 10.0.0.2')).toBe('10.0.0.3');
    expect(ip('10.0.0.1')).toBe('10.0.0.1');
  });

  test('has one spelling for each address', () => {
    expect(ip('10.0.0.1', '2001:DB8:0:0::7')).toBe('2001:db8::7');
    expect(ip('10.0.0.1', '::ffff:198.51.100.7')).toBe('198.51.100.7');
    expect(ip('10.0.0.1', '198.51.100.7, ::ffff:10.0.0.2')).toBe('198.51.100.7');
  });

  test('a chain of ten thousand entries costs no more than the ones that are read', () => {
    expect(ip('10.0.0.1', `${'127.0.0.1, '.repeat(10_000)}198.51.100.7`)).toBe('198.51.100.7');
  });
});

describe('the scheme and authority a client asked for', () => {
  const headers = ['X-Forwarded-Proto', 'https', 'x-forwarded-host', 'www.example'];

  test('are those of the connection for a client that is not trusted', () => {
    expect(clientScheme(exchange('203.0.113.5', headers), false)).toBe('http');
    expect(clientAuthority(exchange('203.0.113.5', headers), false)).toBe('shop.example:8080');
  });

  test('are believed from a trusted proxy', () => {
    expect(clientScheme(exchange('10.0.0.1', headers), true)).toBe('https');
    expect(clientAuthority(exchange('10.0.0.1', headers), true)).toBe('www.example');
  });

  test('X-Forwarded-Proto spoofing: of a list the last counts, which the trusted peer wrote', () => {
    expect(clientScheme(exchange('10.0.0.1', ['x-forwarded-proto', 'https, http']), true)).toBe('http');
    expect(
      clientAuthority(exchange('10.0.0.1', ['x-forwarded-host', 'evil.example, www.example']), true),
    ).toBe('www.example');
  });

  test('of a web socket is the scheme beneath', () => {
    expect(clientScheme(exchange('10.0.0.1', ['x-forwarded-proto', 'WSS']), true)).toBe('https');
    expect(clientScheme(exchange('10.0.0.1', ['x-forwarded-proto', 'ws'], 'https'), true)).toBe('http');
  });

  test('fall back to the connection where nonsense was sent', () => {
    expect(clientScheme(exchange('10.0.0.1', ['x-forwarded-proto', 'javascript']), true)).toBe('http');
    expect(clientAuthority(exchange('10.0.0.1', ['x-forwarded-host', '..']), true)).toBe('shop.example:8080');
  });
});

describe('what a client that is not trusted says of where it came from', () => {
  test('header smuggling by underscores and case: goes in every spelling a service could read', () => {
    const headers = [
      'Accept', 'a',
      'X-Forwarded-For', '1', 'x_forwarded_for', '1', 'X-FORWARDED_PROTO', '1', 'x-forwarded-prefix', '1',
      'Forwarded', '1', 'FORWARDED', '1', 'X-Real-IP', '1', 'x_real_ip', '1', 'X-Forwarded', '1',
      'x-forward', 'b', 'x-real-ipp', 'c', 'forward', 'd', 'x-forwardedness', 'e',
    ]; // biome-ignore format: pairs
    dropForwarded(headers);
    expect(headers).toEqual([
      'Accept',
      'a',
      'x-forward',
      'b',
      'x-real-ipp',
      'c',
      'forward',
      'd',
      'x-forwardedness',
      'e',
    ]);
  });

  test('is told apart by name', () => {
    expect(isForwarded('x-forwarded-port')).toBe(true);
    expect(isForwarded('x-request-id')).toBe(false);
  });
});
