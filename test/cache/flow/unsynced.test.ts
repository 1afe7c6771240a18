import { afterEach, expect, it } from 'vitest';
import type { Gateway } from '../../../src/gateway/index.ts';
import {
  ManualClock,
  type OriginExchange,
  rawClient,
  type ScriptedOrigin,
  scriptedOrigin,
  turn,
  until,
} from '../../../src/testkit/index.ts';
import { bareGateway } from '../../bare-gateway.ts';

const waiting: OriginExchange[] = [];
let origin: ScriptedOrigin;
let gateway: Gateway;

afterEach(async () => {
  await gateway.drain(0);
  await origin.close();
  waiting.length = 0;
});

/** A worker that does not know yet what has changed, so that it answers nothing with tags from memory. */
async function unsynced(): Promise<(path: string) => Promise<string>> {
  origin = await scriptedOrigin((exchange) => void waiting.push(exchange));
  const config = {
    services: { shop: { url: origin.url } },
    routes: { all: { match: '/*', to: 'shop', cache: { tags: ['page'] } } },
  };
  const bare = await bareGateway(config, { clock: new ManualClock() });
  gateway = bare.gateway;
  gateway.cache.syncedTo(Number.NEGATIVE_INFINITY);
  return async (path) => {
    const client = await rawClient({ port: bare.port });
    await client.send(`GET ${path} HTTP/1.1\r\nHost: shop.test\r\n\r\n`);
    const { status, body } = await client.response('GET');
    client.close();
    return `${status} ${body.toString()}`;
  };
}

const HEAD = 'HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nContent-Length: 6\r\n\r\n';

it.each([
  ['in one piece', 'abcdef', ''],
  ['piece by piece', 'abc', 'def'],
])(
  'those who wait for the next fill, because of this one nothing can be said, get an answer %s',
  async (_, first, rest) => {
    const ask = await unsynced();
    const asks = Array.from({ length: 20 }, () => ask('/a'));
    await until(() => waiting.length > 0 && gateway.cache.misses === 20, 'all to wait');
    gateway.cache.syncedTo(Number.POSITIVE_INFINITY);
    for (let answered = 0; answered < waiting.length; answered++) {
      await waiting[answered]!.send(HEAD + first);
      await turn();
      await waiting[answered]!.send(rest);
      await turn();
    }
    expect(new Set(await Promise.all(asks))).toEqual(new Set(['200 abcdef']));
    expect(waiting).toHaveLength(1);
  },
);
