import { afterEach, expect, it } from 'vitest';
import { LocalSequence } from '../../../src/cache/sequence/index.ts';
import type { SharedStore } from '../../../src/cache/shared-store.ts';
import type { Gateway, GatewayParts } from '../../../src/gateway/index.ts';
import {
  answer,
  ManualClock,
  rawClient,
  type ScriptedOrigin,
  scriptedOrigin,
  until,
} from '../../../src/testkit/index.ts';
import { bareGateway } from '../../bare-gateway.ts';

let origin: ScriptedOrigin;
let gateway: Gateway;
let port: number;
const clock = new ManualClock();

afterEach(async () => {
  await gateway.drain(0);
  await origin.close();
});

/** A level that nodes share, which holds nothing, and grants a claim when the test says so. */
class SlowClaims implements SharedStore {
  asked = 0;
  readonly grant = Promise.withResolvers<'mine'>();
  get = async () => null;
  put = async () => {};
  delete = () => {};
  release = () => {};
  settled = async () => {};
  once = async () => 'away' as const;
  secret = async () => null;
  close = async () => {};
  describe = () => ({ state: 'connected', since: 0, reason: null, full: false, dropped: 0 }) as const;
  claim(): Promise<'mine'> {
    this.asked++;
    return this.grant.promise;
  }
}

async function send(method: string): Promise<string> {
  const client = await rawClient({ port });
  await client.send(`${method} /a HTTP/1.1\r\nHost: shop.test\r\nContent-Length: 0\r\n\r\n`);
  const { body } = await client.response(method);
  client.close();
  return body.toString();
}

it.each([
  ['a date', 'Last-Modified', 'Thu, 01 Jan 2026 00:00:00 GMT'],
  ['a weak tag', 'ETag', 'W/"a"'],
])(
  'what is unseated while a fill waits for its claim is not asked about by %s',
  async (_what, name, value) => {
    let body = 'old';
    origin = await scriptedOrigin((exchange) => {
      const { request } = exchange;
      const send = (text: string) => exchange.send(text);
      if (request.method === 'PUT') return send(answer(204));
      const isAsked = request.headers.some(([header]) => /^if-/i.test(header));
      if (isAsked) return send(answer(304, [[name, value]]));
      return send(
        answer(
          200,
          [
            ['Cache-Control', 'max-age=10'],
            [name, value],
          ],
          body,
        ),
      );
    });
    const config = {
      services: { shop: { url: origin.url } },
      routes: { all: { match: '/*', to: 'shop', cache: true } },
    };
    const sequence = new LocalSequence({
      apply: async (number, what) => void gateway.cache.unseat(number, what),
      raiseFloor: async (number) => gateway.cache.raiseFloor(number),
      synced: () => {},
    });
    const invalidate: GatewayParts['invalidate'] = (what) => sequence.invalidate(what);
    ({ gateway, port } = await bareGateway(config, { clock, invalidate }));
    gateway.cache.startAt(0);
    await send('GET');
    clock.advance(15_000);
    const level = new SlowClaims();
    gateway.cache.shared = level;
    const waiting = send('GET');
    await until(() => level.asked > 0, 'the fill to ask for its claim');
    await send('PUT');
    body = 'new';
    level.grant.resolve('mine');
    expect(await waiting).toBe('new');
  },
);
