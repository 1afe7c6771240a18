import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { expect, test } from 'vitest';
import { until } from '../testkit/index.ts';
import { SendProgress, unsentBytes } from './unsent.ts';

async function pair(): Promise<{ sender: Socket; reader: Socket; close(): void }> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const accepted = once(server, 'connection') as Promise<[Socket]>;
  const reader = connect((server.address() as AddressInfo).port, '127.0.0.1').pause();
  const [sender] = await accepted;
  return {
    sender,
    reader,
    close() {
      sender.destroy();
      reader.destroy();
      server.close();
    },
  };
}

test('one large write is seen to move while it is read, and to stand still while nobody reads', async () => {
  const { sender, reader, close } = await pair();
  try {
    sender.write(Buffer.alloc(64 * 1024 * 1024));
    let standing = -1;
    await until(() => {
      const before = standing;
      standing = unsentBytes(sender);
      return standing > 0 && standing === before;
    }, 'the buffers of the system to be full');
    const progress = new SendProgress(sender);
    progress.begin(1000);
    expect(progress.look(2000)).toBe(1000);
    const whole = sender.writableLength;
    reader.resume();
    await until(() => unsentBytes(sender) < standing, 'bytes to move');
    reader.pause();
    // The write is not over, and yet bytes of it went.
    expect(sender.writableLength).toBe(whole);
    expect(progress.look(3000)).toBe(3000);
  } finally {
    close();
  }
});

test('a socket that is gone has nothing to send', async () => {
  const { sender, close } = await pair();
  close();
  await once(sender, 'close');
  expect(unsentBytes(sender)).toBe(0);
});
