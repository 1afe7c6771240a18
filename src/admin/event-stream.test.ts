import { createServer, type ServerResponse } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { until } from '../testkit/index.ts';
import { NodeEvents } from '../workers/index.ts';
import { streamEvents } from './event-stream.ts';

it('a stream that has ended takes no more events while its reader is still to take what there was', async () => {
  const events = new NodeEvents(1);
  const opened = Promise.withResolvers<ServerResponse>();
  const server = createServer((request, response) => {
    streamEvents(request, response, events, {});
    opened.resolve(response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const reader = connect((server.address() as AddressInfo).port, '127.0.0.1').pause();
  try {
    reader.write('GET /v1/events HTTP/1.1\r\nHost: admin\r\n\r\n');
    const response = await opened.promise;
    while (response.writableLength === 0) {
      events.publish('purge', { tags: ['x'.repeat(64 * 1024)] });
      await nextTurn();
      await nextTurn();
    }
    expect(response.destroyed).toBe(false);
    const failed = Promise.withResolvers<Error>();
    response.on('error', failed.resolve);
    const closed = new Promise<'closed'>((resolve) => response.once('close', () => resolve('closed')));
    response.end();
    events.publish('purge', { tags: ['late'] });
    await nextTurn();
    reader.resume();
    expect(await Promise.race([failed.promise, closed])).toBe('closed');
    await until(() => events.reading === 0, 'its end');
  } finally {
    reader.destroy();
    server.close();
  }
});
