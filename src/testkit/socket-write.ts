import type { Socket } from 'node:net';

/**
 * Writes bytes (text as latin1) and resolves once the system has them, or the connection is gone: a script
 * that speaks to someone who left goes on.
 */
export async function writeAll(socket: Socket, bytes: Buffer | string): Promise<void> {
  if (socket.destroyed || socket.writableEnded) return;
  const chunk = typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes;
  await new Promise<void>((resolve) => {
    const done = () => {
      socket.off('close', done);
      resolve();
    };
    socket.once('close', done);
    socket.write(chunk, done);
  });
}
