import type { IncomingMessage } from 'node:http';
import { describe, expect, it } from 'vitest';
import type { AdminConfig } from '../config/model.ts';
import { Guard } from './guard.ts';

const config = (host: string, hosts: string[] = []): AdminConfig =>
  ({ host, port: 9901, token: null, hosts, tls: null }) as unknown as AdminConfig;

function asked(host: string, localAddress = '127.0.0.1', more: Record<string, string> = {}): IncomingMessage {
  const headers = { host, ...more };
  const rawHeaders = Object.entries(headers).flat();
  return { method: 'GET', headers, rawHeaders, socket: { localAddress } } as unknown as IncomingMessage;
}

describe('the Host of a request to the admin listener', () => {
  it.each([
    ['127.0.0.1', '127.0.0.1:9901', '127.0.0.1'],
    ['127.0.0.1', 'LOCALHOST', '127.0.0.1'],
    ['::1', '[::1]:9901', '::1'],
    ['::1', '[0:0:0:0:0:0:0:1]', '::1'],
    ['0:0:0:0:0:0:0:1', '[::1]', '::1'],
    ['fd00::1', '[FD00:0::1]:9901', 'fd00::1'],
    ['::', '127.0.0.1', '::ffff:127.0.0.1'],
    ['::', '[::ffff:7f00:1]', '::ffff:127.0.0.1'],
    ['::', '[fe80::7]', 'fe80::7%eth0'],
    ['0.0.0.0', '10.1.2.3:9901', '10.1.2.3'],
  ])('of %s may be %s', (address, host, local) => {
    expect(new Guard(config(address)).checkPage(asked(host, local))).toBeNull();
  });

  it.each([
    'evil.test',
    '127.0.0.1.evil.test',
    'localhost.evil.test',
    '[::2]',
    '127.1',
    'localhost@evil.test',
    '',
  ])('is never %s', (host) => {
    expect(new Guard(config('127.0.0.1')).checkPage(asked(host))?.status).toBe(403);
  });

  it('is one of `hosts`, addresses of IPv6 in any spelling', () => {
    const guard = new Guard(config('0.0.0.0', ['Gateway.Inside', '[fd00:0:0::5]']));
    for (const host of ['gateway.inside:1', '[fd00::5]', '[FD00::0:5]:9901'])
      expect(guard.checkPage(asked(host, '10.0.0.1'))).toBeNull();
    expect(guard.checkPage(asked('fd00::5', '10.0.0.1'))?.status).toBe(403);
  });
});
