import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { expect, it } from 'vitest';
import { type BodySink, isSource } from '../http/body.ts';
import { type Exchange, reply } from '../http/exchange.ts';
import { rawClient, SERVER_LIMITS } from '../testkit/index.ts';
import { systemClock } from '../util/clock.ts';
import { Listener } from './listener.ts';

it('content that somebody keeps is not read over, though it came with its head', async () => {
  const kept: Buffer[] = [];
  const handle = (exchange: Exchange) => {
    const sink: BodySink = {
      write(chunk, retain) {
        retain.retain();
        kept.push(chunk);
        return true;
      },
      end: () => exchange.responder.respond(exchange, reply(204, [], null)),
      fail: () => {},
    };
    if (isSource(exchange.body)) exchange.body.open(sink);
  };
  const handler = { handle, refuse: () => reply(400, [], null) };
  const listener = new Listener(
    'test',
    { limits: SERVER_LIMITS, tls: null, http2: false },
    systemClock,
    handler,
    () => {},
  );
  listener.server.listen(0, '127.0.0.1');
  await once(listener.server, 'listening');
  const { port } = listener.server.address() as AddressInfo;
  const contents = ['first', 'other', 'third'];
  for (const content of contents) {
    await using client = await rawClient({ port });
    await client.send(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n${content}`);
    expect((await client.response()).status).toBe(204);
  }
  expect(kept.map(String)).toEqual(contents);
  listener.drain();
});
