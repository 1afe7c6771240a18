import {
  answer,
  ManualClock,
  type RawResponse,
  rawClient,
  type Script,
  type ScriptedOrigin,
  scriptedOrigin,
  seededRandom,
  startTestGateway,
  type TestGateway,
} from '../../src/testkit/index.ts';

/** A gateway, with a clock that is moved by hand and a random of its own, in front of a service with several scripted targets. */
export interface Stage {
  readonly targets: ScriptedOrigin[];
  readonly gateway: TestGateway;
  readonly clock: ManualClock;
  /** One request on a connection of its own. */
  ask(method?: string, body?: string, headers?: readonly string[]): Promise<RawResponse>;
  /** Requests that each target has got. */
  counts(): number[];
  close(): Promise<void>;
}

export async function stage(
  scripts: (Script | Script[])[],
  service: object = {},
  route: object = {},
): Promise<Stage> {
  const targets = await Promise.all(scripts.map((script) => scriptedOrigin(script)));
  const clock = new ManualClock();
  const gateway = await startTestGateway(
    {
      services: { shop: { targets: targets.map(({ url }) => url), balance: 'roundRobin', ...service } },
      routes: { all: { match: '/*', to: 'shop', ...route } },
    },
    { clock, random: seededRandom(1) },
  );
  return {
    targets,
    gateway,
    clock,
    counts: () => targets.map((target) => target.requests.length),
    async ask(method = 'GET', body = '', headers = []) {
      const client = await rawClient({ port: gateway.port });
      const length = body === '' ? [] : [`Content-Length: ${body.length}`];
      await client.send(
        `${[`${method} /x HTTP/1.1`, 'Host: shop.test', ...length, ...headers].join('\r\n')}\r\n\r\n${body}`,
      );
      const response = await client.response(method);
      client.close();
      return response;
    },
    async close() {
      await gateway.close();
      await Promise.all(targets.map((target) => target.close()));
    },
  };
}

export const OK: Script = answer(200, [], 'ok');
/** An answer after which its connection is not kept. */
export const LAST: Script = answer(200, [['Connection', 'close']], 'ok');
export const BUSY: Script = answer(503, [['Retry-After', '7']], 'busy');
/** Ends the connection once the request is there. */
export const RESET: Script = ({ connection }) => connection.reset();
export const HANG: Script = () => {};

export function code(response: RawResponse): string {
  return (JSON.parse(response.body.toString()) as { code: string }).code;
}
