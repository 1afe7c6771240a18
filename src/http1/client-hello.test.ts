import { createServer } from 'node:net';
import { connect } from 'node:tls';
import { expect, test } from 'vitest';
import { until } from '../testkit/index.ts';
import { readClientHello } from './client-hello.ts';

/** The first bytes of a client of Node's. */
async function greeting(options: { servername?: string; ALPNProtocols?: string[] }): Promise<Buffer> {
  let seen: Buffer = Buffer.alloc(0);
  const server = createServer((socket) => {
    socket
      .on('error', () => {})
      .on('data', (chunk) => {
        seen = Buffer.concat([seen, chunk]);
      });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  const client = connect({ host: '127.0.0.1', port, ...options });
  client.on('error', () => {});
  await until(() => readClientHello(seen) !== 'incomplete' && seen.length > 0, 'the greeting');
  client.destroy();
  server.close();
  return seen;
}

/** The same message in records of so many bytes (RFC 8446 §5.1). */
function inRecords(bytes: Buffer, size: number): Buffer {
  const message = bytes.subarray(5, 5 + bytes.readUInt16BE(3));
  const records: Buffer[] = [];
  for (let at = 0; at < message.length; at += size) {
    const part = message.subarray(at, at + size);
    records.push(Buffer.from([22, 3, 1, part.length >> 8, part.length & 255]), part);
  }
  return Buffer.concat(records);
}

test('the name and the protocols of a greeting are read', async () => {
  const bytes = await greeting({ servername: 'Shop.Test', ALPNProtocols: ['acme-tls/1'] });
  expect(readClientHello(bytes)).toEqual({ serverName: 'shop.test', protocols: ['acme-tls/1'] });
  const plain = await greeting({});
  expect(readClientHello(plain)).toEqual({ serverName: null, protocols: [] });
  const both = await greeting({ servername: 'a.test', ALPNProtocols: ['h2', 'http/1.1'] });
  expect(readClientHello(both)).toEqual({ serverName: 'a.test', protocols: ['h2', 'http/1.1'] });
});

test('it is incomplete until its last byte, also when it comes in many records', async () => {
  const whole = await greeting({ servername: 'shop.test', ALPNProtocols: ['acme-tls/1'] });
  for (const bytes of [whole, inRecords(whole, 7), inRecords(whole, 100)]) {
    for (let length = 1; length < bytes.length; length++)
      expect(readClientHello(bytes.subarray(0, length))).toBe('incomplete');
    expect(readClientHello(bytes)).toMatchObject({ serverName: 'shop.test' });
  }
});

test('what is no greeting is known at its first byte, and none is waited for without end', () => {
  expect(readClientHello(Buffer.from('GET / HTTP/1.1\r\n\r\n'))).toBe(null);
  expect(readClientHello(Buffer.from([22, 3, 1, 0, 4, 2, 0, 0, 0]))).toBe(null);
  expect(readClientHello(Buffer.from([22, 3, 1, 0, 4, 1, 255, 255, 255]))).toBe(null);
  const trickle = inRecords(Buffer.concat([Buffer.from([22, 3, 1, 0, 4]), Buffer.from([1, 0, 63, 255])]), 4);
  expect(readClientHello(Buffer.concat([trickle, Buffer.alloc(17_000, 22)]))).not.toBe('incomplete');
});

test('attack: lengths that lead beyond the end, or anything else in its place, are no greeting', async () => {
  const whole = await greeting({ servername: 'shop.test', ALPNProtocols: ['acme-tls/1'] });
  for (let at = 5; at < whole.length; at++) {
    for (const value of [0, 1, 127, 255]) {
      const bytes = Buffer.from(whole);
      bytes[at] = value;
      expect(() => readClientHello(bytes)).not.toThrow();
    }
  }
});
