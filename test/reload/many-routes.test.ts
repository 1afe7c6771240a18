import { expect, it } from 'vitest';
import { loadObject } from '../../src/config/index.ts';
import type { GatewayConfig } from '../../src/config/model.ts';
import { createGateway } from '../../src/gateway/index.ts';
import { Counters, silentLogger } from '../../src/telemetry/index.ts';
import { ManualClock, seededRandom } from '../../src/testkit/index.ts';

function configOf(count: number): GatewayConfig {
  const routes = Array.from({ length: count }, (_, i) => [`r${i}`, { match: `/r${i}/*`, to: 'shop' }]);
  const { config, issues } = loadObject(
    { services: { shop: { url: 'http://127.0.0.1:1' } }, routes: Object.fromEntries(routes) },
    process.cwd(),
  );
  if (config === null) throw new Error(JSON.stringify(issues));
  return config;
}

/** How often routes are asked whether they keep answers, while a config of so many is compiled. */
async function looks(count: number): Promise<number> {
  const config = configOf(count);
  let looked = 0;
  for (const route of Object.values(config.routes)) {
    const { cache } = route;
    Object.defineProperty(route, 'cache', {
      enumerable: true,
      get() {
        looked++;
        return cache;
      },
    });
  }
  const gateway = createGateway({
    config,
    clock: new ManualClock(),
    random: seededRandom(1),
    log: silentLogger,
    counters: new Counters(),
  });
  await gateway.drain(0);
  return looked;
}

it('ten times the routes are ten times the work to compile, not a hundred times', async () => {
  const [few, many] = [await looks(50), await looks(500)];
  expect(few).toBeGreaterThan(0);
  expect(many).toBeLessThanOrEqual(11 * few);
});
