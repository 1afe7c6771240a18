import { expect } from 'vitest';

import { type GatewayConfig, loadObject } from '../../src/config/index.ts';
import { createGateway, type Gateway } from '../../src/gateway/index.ts';
import { Counters, createLogger, type LineWriter } from '../../src/telemetry/index.ts';
import { type HttpOrigin, httpOrigin, rawClient } from '../../src/testkit/index.ts';
import { systemClock } from '../../src/util/clock.ts';
import { systemRandom } from '../../src/util/random.ts';

/** How long a change may take to be seen. */
export const PATIENT = { timeout: 15_000, interval: 50 };

/** A gateway in front of one service whose targets are discovered. */
export interface DiscoveryStage {
  readonly gateway: Gateway;
  /** All that was logged. */
  readonly lines: string[];
  /** Who answers, of four requests; else the status. */
  ask(): Promise<string>;
  /** Why the targets cannot be found. */
  error(): string | null;
  targets(): { name: string; requests: number }[];
  /** Lines of the log with these words. */
  told(words: string): number;
}

export async function discoveryStage(config: GatewayConfig): Promise<DiscoveryStage> {
  const lines: string[] = [];
  const log = createLogger({
    format: 'json',
    writer: { write: (line) => void lines.push(String(line)) } as LineWriter,
  });
  const parts = { clock: systemClock, random: systemRandom, log, counters: new Counters() };
  const gateway = createGateway({ config, ...parts });
  await gateway.listen('main', { host: '127.0.0.1', port: 0 });
  const once = async () => {
    const client = await rawClient({ port: gateway.port('main') });
    await client.send('GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n');
    const response = await client.response();
    client.close();
    return response.status === 200 ? response.body.toString() : String(response.status);
  };
  const service = () => gateway.describe()[0]!;
  return {
    gateway,
    lines,
    ask: async () => [...new Set([await once(), await once(), await once(), await once()])].sort().join(),
    error: () => service().discovery!.error,
    targets: () => service().targets,
    told: (words) => lines.filter((line) => line.includes(words)).length,
  };
}

export function discovering(discover: object): GatewayConfig {
  const { config, issues } = loadObject(
    {
      listen: '127.0.0.1:0',
      services: { shop: { discover, balance: 'roundRobin' } },
      routes: { all: { match: '/*', to: 'shop' } },
    },
    '.',
  );
  expect(issues).toEqual([]);
  return config!;
}

/** Says its name. */
export function place(name: string): Promise<HttpOrigin> {
  return httpOrigin((_request, response) => void response.end(name));
}
