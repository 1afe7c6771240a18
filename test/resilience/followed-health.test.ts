import { afterEach, expect, it } from 'vitest';
import { freePort, httpOrigin } from '../../src/testkit/index.ts';
import { ActiveChecks, type CheckPlans, type HealthReport } from '../../src/upstream/index.ts';
import { systemClock } from '../../src/util/clock.ts';
import { systemRandom } from '../../src/util/random.ts';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const TLS = { ca: null, cert: null, key: null, serverName: null, verify: true };
const CHECK = {
  kind: 'http' as const,
  path: '/healthz',
  method: 'GET',
  status: [[200, 399]] as [number, number][],
  interval: 10,
  timeout: 500,
  unhealthyAfter: 2,
  healthyAfter: 1,
};

/** Checks that note what they tell; names stand for the ports given. */
function checks(ports: number[] = []) {
  const told: HealthReport[] = [];
  const active = new ActiveChecks(
    systemClock,
    systemRandom,
    (report) => told.push(report),
    (_config, done) =>
      done(
        null,
        ports.map((port) => ({ host: '127.0.0.1', port, weight: 1 })),
        1000,
      ),
  );
  closers.push(() => active.stop());
  return { active, told };
}

const NAMED: CheckPlans = {
  targets: [],
  names: [
    {
      service: 'shop',
      discover: { kind: 'dns', name: 'shop.internal', type: 'A', scheme: 'http', port: 80 },
      tls: TLS,
      check: CHECK,
    },
  ],
};

function listed(host: string, port: number): CheckPlans {
  const target = {
    service: 'shop',
    target: `http://${host}:${port}`,
    scheme: 'http' as const,
    host,
    port,
    path: '',
    authority: `${host}:${port}`,
    certified: host,
    tls: TLS,
    check: CHECK,
  };
  return { targets: [target], names: [] };
}

it('targets that a name stands for are checked, under the name', async () => {
  const hosts = new Set<unknown>();
  const origin = await httpOrigin((request, response) => {
    hosts.add(request.headers.host);
    response.statusCode = 503;
    response.end();
  });
  closers.push(() => origin.close());
  const port = Number(new URL(origin.url).port);
  const { active, told } = checks([port]);
  active.apply(NAMED);
  await expect.poll(() => told.length).toBeGreaterThan(0);
  expect(told[0]).toEqual({
    service: 'shop',
    target: `http://127.0.0.1:${port}`,
    up: false,
    why: '2 checks in a row failed, the last: status 503',
  });
  expect([...hosts]).toEqual([`shop.internal:${port}`]);
  active.apply({ targets: [], names: [] });
  expect(active.reports()).toEqual([]);
});

it('a target that is out is told of at each check, for who came to know it late', async () => {
  const { active, told } = checks();
  active.apply(listed('127.0.0.1', await freePort()));
  await expect.poll(() => told.length).toBeGreaterThan(2);
  expect(told.every(({ up }) => !up)).toBe(true);
});

it('the first success is told of: a target may be held to be out from before', async () => {
  const origin = await httpOrigin((_request, response) => void response.end());
  closers.push(() => origin.close());
  const { active, told } = checks();
  active.apply(listed('127.0.0.1', Number(new URL(origin.url).port)));
  await expect.poll(() => told.map(({ up }) => up)).toEqual([true]);
});

it('a failure is told in words, also where a name has several addresses', async () => {
  const { active, told } = checks();
  active.apply(listed('localhost', await freePort()));
  await expect.poll(() => told.length).toBeGreaterThan(0);
  expect(told[0]!.why).toBe('2 checks in a row failed, the last: connection refused');
});
