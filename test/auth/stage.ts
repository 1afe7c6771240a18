import type { Fences } from '../../src/cache/fences/index.ts';
import {
  answer,
  ManualClock,
  type RawResponse,
  type ReceivedRequest,
  rawClient,
  type Script,
  type ScriptedOrigin,
  scriptedOrigin,
  startTestGateway,
  type TestGateway,
} from '../../src/testkit/index.ts';
import { systemRandom } from '../../src/util/random.ts';
import { bareGateway } from '../bare-gateway.ts';

/** A guarded gateway in front of one service. */
export interface Stage {
  readonly gateway: TestGateway;
  readonly service: ScriptedOrigin;
  readonly clock: ManualClock;
  /** Of a stage that is `fenced`. */
  readonly fences: Fences | null;
  /** One request on a connection of its own, from its head's lines. */
  ask(...lines: readonly string[]): Promise<RawResponse>;
  /** What the service got last. */
  got(): ReceivedRequest;
  close(): Promise<void>;
}

export interface StageOptions {
  readonly auth?: object;
  readonly policies?: object;
  readonly defaults?: object;
  /** Beside `match` and `to`, of the one route `all`. */
  readonly route?: object;
  readonly routes?: object;
  readonly script?: Script | Script[];
  readonly more?: object;
  readonly clock?: ManualClock;
  /** The stage has `fences`, to purge by. */
  readonly fenced?: true;
}

export async function stage(options: StageOptions): Promise<Stage> {
  const { auth, policies, defaults, route, routes, more } = options;
  const service = await scriptedOrigin(options.script ?? answer(200, [], 'ok'));
  const clock = options.clock ?? new ManualClock();
  const config = {
    services: { shop: { url: service.url } },
    ...(auth === undefined ? {} : { auth }),
    ...(policies === undefined ? {} : { policies }),
    ...(defaults === undefined ? {} : { defaults }),
    routes: routes ?? { all: { match: '/*', to: 'shop', ...route } },
    ...more,
  };
  const fenced = options.fenced === true ? await fencedGateway(config, clock) : null;
  const gateway = fenced?.gateway ?? (await startTestGateway(config, { clock }));
  return {
    gateway,
    service,
    clock,
    fences: fenced?.fences ?? null,
    async ask(...lines) {
      const [first, ...rest] = lines;
      const client = await rawClient({ port: gateway.port });
      await client.send(`${[`${first} HTTP/1.1`, 'Host: shop.test', ...rest].join('\r\n')}\r\n\r\n`);
      const response = await client.response(first!.split(' ')[0]!);
      client.close();
      return response;
    },
    got: () => service.requests.at(-1)!,
    async close() {
      await gateway.close();
      await service.close();
    },
  };
}

/** A gateway whose node numbers invalidations: what the cache does, where there is one. */
async function fencedGateway(
  definition: object,
  clock: ManualClock,
): Promise<{ gateway: TestGateway; fences: Fences }> {
  const { gateway, port } = await bareGateway(definition, { clock, random: systemRandom });
  const close = async () => void (await gateway.drain(0));
  const lab: TestGateway = {
    port,
    ports: { main: port },
    reload: () => Promise.reject(new Error('not here')),
    close,
    [Symbol.asyncDispose]: close,
  };
  return { gateway: lab, fences: gateway.cache.fences };
}

/** The `code` of a problem document. */
export function code(response: RawResponse): string {
  return (JSON.parse(response.body.toString()) as { code: string }).code;
}
