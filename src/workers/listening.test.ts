import { createServer } from 'node:net';
import { expect, test } from 'vitest';
import { listenError, openListener } from './listening.ts';

const open = (host: string, port = 0) => openListener(host, port, { key: 'listen' });

test('port 0 tells the port it got', async () => {
  const listener = await open('127.0.0.1');
  expect(listener.port).toBeGreaterThan(0);
  listener.close();
});

test('names are resolved, and one that can not be is told', async () => {
  const listener = await open('localhost');
  expect(listener.port).toBeGreaterThan(0);
  listener.close();
  await expect(open('no.such.name.invalid', 80)).rejects.toThrow(
    'cannot listen on no.such.name.invalid:80: the name "no.such.name.invalid" can\'t be resolved',
  );
});

test('a port taken by this or another process is told with who has it', async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  try {
    await expect(open('127.0.0.1', port)).rejects.toThrow(
      `cannot listen on 127.0.0.1:${port}: the port is taken by `,
    );
    await expect(open('127.0.0.1', port)).rejects.toThrow(
      `(pid ${process.pid}), which is this gateway itself`,
    );
  } finally {
    server.close();
  }
});

test('an address that the machine does not have is told', async () => {
  await expect(open('192.0.2.1', 8080)).rejects.toThrow(
    'cannot listen on 192.0.2.1:8080: this machine has no such address',
  );
});

test.for([
  ['EACCES', /ports below 1024 need a privilege/],
  ['EADDRINUSE', /the port is taken/],
  [
    'EMFILE',
    /too many.*\nChoose another address with `listen:` in the config, for example `listen: \[::1\]:2`/,
  ],
] as const)('%s says what to do', async ([code, message]) => {
  const error = await listenError({ code, message: 'too many' }, '::1', 1, 'listen');
  expect(error.message).toMatch(/^cannot listen on \[::1\]:1: /);
  expect(error.message).toMatch(message);
});
