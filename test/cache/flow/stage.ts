import {
  ManualClock,
  type RawClient,
  type RawResponse,
  rawClient,
  type Script,
  type ScriptedOrigin,
  scriptedOrigin,
  startTestGateway,
  type TestGateway,
} from '../../../src/testkit/index.ts';

/** A gateway with a cached route in front of one scripted origin, with a clock that is moved by hand. */
export interface Stage {
  readonly origin: ScriptedOrigin;
  readonly gateway: TestGateway;
  readonly clock: ManualClock;
  /** One request on a connection of its own. */
  ask(path?: string, options?: Ask): Promise<RawResponse>;
  /** Resolves once the gateway has read all that was asked so far. */
  settled(): Promise<void>;
  /** The first client that still waits leaves. */
  leave(): Promise<void>;
  /** Heads of the requests that the origin got. */
  asked(): string[];
  close(): Promise<void>;
}

export interface Ask {
  method?: string;
  headers?: readonly string[];
  body?: string;
  host?: string;
}

export async function stage(
  script: Script | Script[],
  cache: unknown,
  route: object = {},
  level?: object,
  trustedProxies?: readonly string[],
): Promise<Stage> {
  const origin = await scriptedOrigin(script);
  const clock = new ManualClock();
  const gateway = await startTestGateway(
    {
      ...(trustedProxies && { listen: [{ name: 'front', address: '127.0.0.1:0', trustedProxies }] }),
      ...(level === undefined ? {} : { cache: level }),
      services: { shop: { url: origin.url } },
      routes: {
        all: { match: '/*', to: 'shop', cache, ...route },
        ping: { match: '/ping', respond: { status: 204 } },
      },
    },
    { clock },
  );
  const clients: RawClient[] = [];
  const sent: Promise<void>[] = [];
  const one: Stage = {
    origin,
    gateway,
    clock,
    async settled() {
      await Promise.all(sent);
      // What was sent before is read before.
      for (let i = 0; i < 2; i++) await one.ask('/ping');
    },
    async leave() {
      await one.settled();
      clients[0]!.close();
      await one.settled();
    },
    async ask(path = '/a', { method = 'GET', headers = [], body = '', host = 'shop.test' } = {}) {
      const arrived = Promise.withResolvers<void>();
      sent.push(arrived.promise);
      const client = await rawClient({ port: gateway.port });
      clients.push(client);
      const length = body === '' ? [] : [`Content-Length: ${body.length}`];
      await client.send(
        `${[`${method} ${path} HTTP/1.1`, `Host: ${host}`, ...length, ...headers].join('\r\n')}\r\n\r\n${body}`,
      );
      arrived.resolve();
      const response = await client.response(method);
      client.close();
      return response;
    },
    asked: () => origin.requests.map(({ raw }) => raw.toString('latin1')),
    async close() {
      await gateway.close();
      await origin.close();
    },
  };
  return one;
}
