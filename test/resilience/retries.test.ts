import { afterEach, describe, expect, it } from 'vitest';
import { freePort, type Script } from '../../src/testkit/index.ts';
import { BUSY, code, HANG, OK, RESET, type Stage, stage } from './stage.ts';

let on: Stage;
afterEach(() => on.close());

/** A row of the table in docs/resilience.md. `tries`: requests at the first, failing target and at the other. */
interface Row {
  what: string;
  method: string;
  first: Script;
  service?: object;
  body?: string;
  status: number;
  tries: [number, number];
}

const ON_503 = { retries: { on: [503] } };
const FIRST_BYTE = { timeout: { firstByte: '100ms' } };

const TABLE: Row[] = [
  { what: 'a reset', method: 'GET', first: RESET, status: 200, tries: [1, 1] },
  { what: 'a reset', method: 'HEAD', first: RESET, status: 200, tries: [1, 1] },
  { what: 'a reset', method: 'OPTIONS', first: RESET, status: 200, tries: [1, 1] },
  { what: 'a reset', method: 'PUT', first: RESET, body: 'text', status: 200, tries: [1, 1] },
  { what: 'a reset', method: 'DELETE', first: RESET, status: 200, tries: [1, 1] },
  { what: 'a reset', method: 'POST', first: RESET, body: 'text', status: 502, tries: [1, 0] },
  { what: 'a reset', method: 'PATCH', first: RESET, body: 'text', status: 502, tries: [1, 0] },
  {
    what: 'a reset with methods: [POST]',
    method: 'POST',
    first: RESET,
    body: 'text',
    service: { retries: { methods: ['POST'] } },
    status: 200,
    tries: [1, 1],
  },
  {
    what: 'a reset with a body over 64 KiB',
    method: 'PUT',
    first: RESET,
    body: 'x'.repeat(65 * 1024),
    status: 502,
    tries: [1, 0],
  },
  {
    what: 'a reset with attempts: 0',
    method: 'GET',
    first: RESET,
    service: { retries: { attempts: 0 } },
    status: 502,
    tries: [1, 0],
  },
  {
    what: 'a reset with on: [connectFailure]',
    method: 'GET',
    first: RESET,
    service: { retries: { on: ['connectFailure'] } },
    status: 502,
    tries: [1, 0],
  },
  { what: 'a 503 that nobody said is to be retried', method: 'GET', first: BUSY, status: 503, tries: [1, 0] },
  { what: 'a 503 with on: [503]', method: 'GET', first: BUSY, service: ON_503, status: 200, tries: [1, 1] },
  {
    what: 'a 503 with on: [5xx]',
    method: 'GET',
    first: BUSY,
    service: { retries: { on: ['5xx'] } },
    status: 200,
    tries: [1, 1],
  },
  {
    what: 'a 503 with on: [500-502]',
    method: 'GET',
    first: BUSY,
    service: { retries: { on: ['500-502'] } },
    status: 503,
    tries: [1, 0],
  },
  {
    what: 'a 503 with on: [503]',
    method: 'POST',
    first: BUSY,
    body: 'text',
    service: ON_503,
    status: 503,
    tries: [1, 0],
  },
  {
    what: 'a 503 with on: [503] and methods: [POST]',
    method: 'POST',
    first: BUSY,
    body: 'text',
    service: { retries: { on: [503], methods: ['POST'] } },
    status: 200,
    tries: [1, 1],
  },
];

describe('what is tried again', () => {
  it.each(TABLE)(
    '$method on $what: $status',
    async ({ method, first, service = {}, body = '', status, tries }) => {
      on = await stage([first, OK], service);
      const response = await on.ask(method, body);
      expect(response.status).toBe(status);
      expect(on.counts()).toEqual(tries);
      if (tries[1] === 1) expect((await on.targets[1]!.nextRequest()).body.toString()).toBe(body);
    },
  );

  it('a route says its own in place of the service', async () => {
    on = await stage([BUSY, OK], {}, { retries: { on: [503] } });
    expect((await on.ask()).status).toBe(200);
  });

  it('no answer within firstByte, with on: [timeout]', async () => {
    on = await stage([HANG, OK], { ...FIRST_BYTE, retries: { on: ['timeout'] } });
    const asked = on.ask();
    await on.targets[0]!.nextRequest();
    on.clock.advance(101);
    expect((await asked).status).toBe(200);
    expect(on.counts()).toEqual([1, 1]);
  });

  it('no answer within firstByte is 504 where nobody said timeout', async () => {
    on = await stage([HANG, OK], FIRST_BYTE);
    const asked = on.ask();
    await on.targets[0]!.nextRequest();
    on.clock.advance(101);
    expect(code(await asked)).toBe('TG_UPSTREAM_FIRST_BYTE');
    expect(on.counts()).toEqual([1, 0]);
  });

  it('never more than timeout.response in all, whatever may be retried', async () => {
    on = await stage([HANG, HANG], {
      timeout: { response: '1s', firstByte: '700ms' },
      retries: { on: ['timeout'], attempts: 5 },
    });
    const asked = on.ask();
    await on.targets[0]!.nextRequest();
    on.clock.advance(701);
    await on.targets[1]!.nextRequest();
    on.clock.advance(300);
    expect(code(await asked)).toBe('TG_UPSTREAM_TIMEOUT');
  });

  it('a target that refuses connections costs no request, not even one that is unsafe', async () => {
    on = await stage([OK, OK]);
    const gone = await freePort();
    await on.gateway.reload({
      services: {
        shop: { targets: [`http://127.0.0.1:${gone}`, on.targets[1]!.url], balance: 'roundRobin' },
      },
      routes: { all: { match: '/*', to: 'shop' } },
    });
    const statuses: number[] = [];
    for (let i = 0; i < 4; i++) statuses.push((await on.ask('POST', 'text')).status);
    expect(statuses).toEqual([200, 200, 200, 200]);
    expect(on.counts()).toEqual([0, 4]);
  });

  it('when all fail, the last answer that the service gave goes out, headers and all', async () => {
    on = await stage([BUSY, BUSY], ON_503);
    const response = await on.ask();
    expect([response.status, response.body.toString()]).toEqual([503, 'busy']);
    expect(on.counts()).toEqual([1, 1]);
  });

  it('an answer that was set aside goes out after all when the next try gets none', async () => {
    on = await stage([BUSY, RESET], { retries: { on: [503, 'reset'] } });
    const response = await on.ask();
    expect([response.status, response.body.toString()]).toEqual([503, 'busy']);
    expect(on.counts()).toEqual([1, 1]);
  });

  it('nothing is tried again once a byte of the answer went down', async () => {
    on = await stage([
      async ({ connection }) => {
        await connection.send('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhal');
        connection.reset();
      },
      OK,
    ]);
    await expect(on.ask()).rejects.toThrow();
    expect(on.counts()).toEqual([1, 0]);
  });

  it('another target first; the same one again only where there is no other', async () => {
    on = await stage([BUSY, BUSY, OK], { retries: { on: [503], attempts: 2 } });
    expect((await on.ask()).status).toBe(200);
    expect(on.counts()).toEqual([1, 1, 1]);
  });

  it('one target alone is asked again, after a pause that is short and never the same', async () => {
    on = await stage([OK]);
    on.targets[0]!.answerWith([RESET, OK]);
    const asked = on.ask();
    await on.targets[0]!.nextRequest();
    const moving = setInterval(() => on.clock.advance(5), 5);
    expect((await asked).status).toBe(200);
    clearInterval(moving);
    expect(on.counts()).toEqual([2]);
  });
});

describe('the budget of retries', () => {
  it('holds the extra load of a service that fails for everyone to a fifth, and to three where it is idle', async () => {
    on = await stage([BUSY, BUSY], { retries: { on: [503], budget: '20%' }, health: { passive: 'none' } });
    for (let i = 0; i < 100; i++) expect((await on.ask()).status).toBe(503);
    const tries = on.counts().reduce((sum, count) => sum + count, 0);
    expect(tries).toBeGreaterThanOrEqual(103);
    expect(tries).toBeLessThanOrEqual(120);
    on.clock.advance(11_000);
    const before = tries;
    await on.ask();
    expect(on.counts().reduce((sum, count) => sum + count, 0)).toBe(before + 2);
  });
});
