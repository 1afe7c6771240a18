import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { connectPlace, socketTrouble } from './unix-socket.ts';

test('a path is connected to as a socket, all else as a host', () => {
  expect(connectPlace('/run/shop.sock', 0)).toEqual({ path: '/run/shop.sock' });
  expect(connectPlace('127.0.0.1', 80)).toEqual({ host: '127.0.0.1', port: 80 });
});

test.each([
  ['ENOENT', 'there is no socket /run/shop.sock'],
  ['EACCES', 'the gateway may not write to the socket /run/shop.sock, or not look into its folder'],
  ['EPERM', 'the gateway may not write to the socket /run/shop.sock, or not look into its folder'],
  ['ECONNREFUSED', 'nobody listens on the socket /run/shop.sock'],
  ['EAGAIN', 'too many connections wait to be taken on the socket /run/shop.sock'],
  ['ENOTDIR', 'the socket /run/shop.sock cannot be connected to (ENOTDIR)'],
])('%s is told in words', (code, words) => {
  const error = Object.assign(new Error(`connect ${code}`), { code, address: '/run/shop.sock' });
  expect(socketTrouble(error)).toBe(words);
});

test('the errors of Node are of that kind, those of hosts are left alone', async () => {
  const errorOf = (socket: ReturnType<typeof connect>) =>
    new Promise<NodeJS.ErrnoException>((resolve) => socket.once('error', resolve));
  expect(socketTrouble(await errorOf(connect('/nowhere/at.sock')))).toBe(
    'there is no socket /nowhere/at.sock',
  );
  expect(socketTrouble(await errorOf(connect(1, '127.0.0.1')))).toBeNull();
});
