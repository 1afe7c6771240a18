import { loadObject } from '../src/config/index.ts';
import { createGateway, type Gateway, type GatewayParts } from '../src/gateway/index.ts';
import { Counters, silentLogger } from '../src/telemetry/index.ts';
import { seededRandom } from '../src/testkit/index.ts';
import { systemClock } from '../src/util/clock.ts';

/** A gateway without a node around it, for tests that reach inside: its cache, its targets, its names. */
export interface BareGateway {
  readonly gateway: Gateway;
  readonly port: number;
}

/** Starts one, on a free port; what `parts` does not say is as usual, and silent. `gateway.drain(0)` ends it. */
export async function bareGateway(
  definition: object,
  parts: Partial<GatewayParts> = {},
): Promise<BareGateway> {
  const { config, issues } = loadObject({ listen: '127.0.0.1:0', admin: false, ...definition }, '.');
  if (config === null) throw new Error(JSON.stringify(issues));
  const usual = { clock: systemClock, random: seededRandom(1), log: silentLogger, counters: new Counters() };
  const gateway = createGateway({ config, ...usual, ...parts });
  const { name, host, port } = config.listen[0]!;
  await gateway.listen(name, { host, port });
  return { gateway, port: gateway.port(name) };
}
