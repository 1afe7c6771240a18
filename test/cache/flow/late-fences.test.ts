import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Gateway } from '../../../src/gateway/index.ts';
import { type HttpOrigin, httpOrigin, ManualClock } from '../../../src/testkit/index.ts';
import { bareGateway } from '../../bare-gateway.ts';
import { ask } from '../../workers/fixture/lab.ts';

/** Between two numbers of Redis. */
const STEP = 4096;

let version = 1;
let origin: HttpOrigin;
let gateway: Gateway;
let port: number;

beforeEach(async () => {
  version = 1;
  origin = await httpOrigin((_, response) => {
    response.setHeader('cache-control', 'max-age=600');
    response.end(`version ${version}`);
  });
  const config = {
    services: { shop: { url: origin.url } },
    routes: { all: { match: '/*', to: 'shop', cache: { tags: ['page'] } } },
  };
  ({ gateway, port } = await bareGateway(config, { clock: new ManualClock() }));
});

afterEach(async () => {
  await gateway.drain(0);
  await origin.close();
});

async function read(): Promise<string> {
  const { text, headers } = await ask(port, { path: '/', headers: { host: 'shop.test' } });
  return `${text}, ${String(headers['cache-status']).includes('; hit') ? 'hit' : 'asked'}`;
}

function hear(number: number, soft = false, tag = 'page'): void {
  gateway.hearFence({ number, what: { tags: [tag], prefixes: [], all: false, soft } });
}

describe('a purge whose number comes behind a later one unseats what was answered in between', () => {
  it.each([
    ['as on a Redis Cluster, where purges at once may reach the log in another order', 3 * STEP],
    ['as where the node was away from Redis, and keeps what it alone has purged above all', 2 * STEP + 1],
  ])('%s', async (_, later) => {
    hear(STEP, false, 'other');
    expect(await read()).toBe('version 1, asked');
    version = 2;
    hear(later, false, 'other');
    expect(await read()).toBe('version 1, hit');
    hear(2 * STEP);
    expect(await read()).toBe('version 2, asked');
    expect(await read()).toBe('version 2, hit');
  });

  it('a soft one too', async () => {
    hear(STEP, false, 'other');
    expect(await read()).toBe('version 1, asked');
    version = 2;
    hear(3 * STEP, false, 'other');
    expect(await read()).toBe('version 1, hit');
    hear(2 * STEP, true);
    expect(await read()).toBe('version 2, asked');
  });
});
