import { afterEach, describe, expect, it } from 'vitest';
import { rawClient } from '../../src/testkit/index.ts';
import { BUSY, code, HANG, OK, RESET, type Stage, stage } from './stage.ts';

let on: Stage;
afterEach(() => on.close());

const PLAIN = { retries: { attempts: 0 }, health: { passive: 'none' } };

async function ask(times: number): Promise<number[]> {
  const statuses: number[] = [];
  for (let i = 0; i < times; i++) statuses.push((await on.ask()).status);
  return statuses;
}

describe('the breaker', () => {
  it('is off where neither errors nor errorRate is said', async () => {
    on = await stage([BUSY], PLAIN);
    await ask(60);
    expect(on.counts()).toEqual([60]);
  });

  it('errors: 3/30s opens it, for openFor; then one request may try, and its success closes it', async () => {
    on = await stage([BUSY], { ...PLAIN, breaker: { errors: '3/30s', openFor: '4s' } });
    await ask(3);
    const shut = await on.ask();
    expect([shut.status, code(shut)]).toEqual([503, 'TG_UPSTREAM_OPEN']);
    expect(shut.headers.find(([name]) => name.toLowerCase() === 'retry-after')?.[1]).toBe('4');
    expect(on.counts()).toEqual([3]);
    on.clock.advance(4001);
    on.targets[0]!.answerWith(HANG);
    const probe = on.ask();
    await expect.poll(() => on.counts()).toEqual([4]);
    expect(code(await on.ask())).toBe('TG_UPSTREAM_OPEN');
    expect(on.counts()).toEqual([4]);
    await on.targets[0]!.connections.at(-1)!.send('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
    expect((await probe).status).toBe(200);
    on.targets[0]!.answerWith(OK);
    expect(await ask(3)).toEqual([200, 200, 200]);
  });

  it('a probe that fails opens it again', async () => {
    on = await stage([RESET], { ...PLAIN, breaker: { errors: '2/30s', openFor: '4s' } });
    await ask(2);
    on.clock.advance(4001);
    await on.ask();
    const tries = on.counts()[0]!;
    expect(code(await on.ask())).toBe('TG_UPSTREAM_OPEN');
    expect(on.counts()).toEqual([tries]);
  });

  it('errors outside of the window do not count', async () => {
    on = await stage([BUSY], { ...PLAIN, breaker: { errors: '3/10s' } });
    await ask(2);
    on.clock.advance(11_000);
    await ask(2);
    expect(on.counts()).toEqual([4]);
    await ask(1);
    expect(code(await on.ask())).toBe('TG_UPSTREAM_OPEN');
  });

  it('errorRate counts from twenty requests on', async () => {
    on = await stage([[...Array(10).fill(OK), ...Array(40).fill(BUSY)]], {
      ...PLAIN,
      breaker: { errorRate: '50%' },
    });
    await ask(19);
    expect(on.counts()).toEqual([19]);
    await ask(1);
    expect(code(await on.ask())).toBe('TG_UPSTREAM_OPEN');
    expect(on.counts()).toEqual([20]);
  });

  it('requests that were under way when it opened neither close it nor open it again', async () => {
    on = await stage([HANG], { ...PLAIN, timeout: '30s', breaker: { errors: '2/30s', openFor: '1s' } });
    const slow = on.ask();
    await on.targets[0]!.nextRequest();
    on.targets[0]!.answerWith([BUSY, BUSY, HANG]);
    await ask(2);
    on.clock.advance(1001);
    const probe = on.ask();
    await expect.poll(() => on.counts()).toEqual([4]);
    on.targets[0]!.connections[0]!.reset();
    expect((await slow).status).toBe(502);
    await on.targets[0]!.connections.at(-1)!.send('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
    expect((await probe).status).toBe(200);
    on.targets[0]!.answerWith(OK);
    expect((await on.ask()).status).toBe(200);
  });

  it('requests for which there was no place are no errors of the service', async () => {
    on = await stage([HANG], {
      ...PLAIN,
      pool: { connections: 1 },
      breaker: { maxPending: 0, errors: '2/30s' },
    });
    const first = on.ask();
    await on.targets[0]!.nextRequest();
    for (let i = 0; i < 4; i++) expect(code(await on.ask())).toBe('TG_UPSTREAM_BUSY');
    on.targets[0]!.answerWith(OK);
    await on.targets[0]!.connections[0]!.send('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
    expect((await first).status).toBe(200);
    expect((await on.ask()).status).toBe(200);
  });

  it('a probe that finds no target in leaves the place to the next', async () => {
    const passive = { errors: 2, openFor: '1500ms' };
    on = await stage([RESET], {
      ...PLAIN,
      health: { passive, panic: '0%' },
      breaker: { errors: '2/30s', openFor: '1s' },
    });
    await ask(2);
    on.targets[0]!.answerWith(OK);
    on.clock.advance(1001);
    expect(code(await on.ask())).toBe('TG_UPSTREAM_UNAVAILABLE');
    on.clock.advance(500);
    expect((await on.ask()).status).toBe(200);
  });

  it('a client that leaves does not speak against the service, and does not use up the probe', async () => {
    on = await stage([BUSY], { ...PLAIN, breaker: { errors: '2/30s', openFor: '1s' } });
    await ask(2);
    on.clock.advance(1001);
    on.targets[0]!.answerWith(HANG);
    const client = await rawClient({ port: on.gateway.port });
    await client.send('GET /x HTTP/1.1\r\nHost: a\r\n\r\n');
    await expect.poll(() => on.counts()).toEqual([3]);
    client.reset();
    await on.targets[0]!.connections.at(-1)!.closed();
    on.targets[0]!.answerWith(OK);
    await expect.poll(async () => (await on.ask()).status).toBe(200);
  });
});

describe('bounds on what is under way', () => {
  it('maxRequests: the next one waits, and takes the place of the first that ends', async () => {
    on = await stage([HANG], { ...PLAIN, breaker: { maxRequests: 1 } });
    const first = on.ask();
    await on.targets[0]!.nextRequest();
    const second = on.ask();
    on.targets[0]!.answerWith(OK);
    expect(on.counts()).toEqual([1]);
    await on.targets[0]!.connections[0]!.send('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
    expect((await first).status).toBe(200);
    expect((await second).status).toBe(200);
    expect(on.counts()).toEqual([2]);
  });

  it('maxPending: when as many wait as may, the next is 503 at once', async () => {
    on = await stage([HANG], { ...PLAIN, breaker: { maxRequests: 1, maxPending: 1 } });
    const first = on.ask();
    await on.targets[0]!.nextRequest();
    const second = await rawClient({ port: on.gateway.port });
    await second.send('GET /x HTTP/1.1\r\nHost: a\r\n\r\n');
    // The third is refused only once the second waits.
    await expect.poll(async () => code(await on.ask())).toBe('TG_UPSTREAM_BUSY');
    second.close();
    await on.targets[0]!.connections[0]!.send('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
    await first;
  });

  it('who waits does so no longer than there is time for an answer', async () => {
    on = await stage([HANG], { ...PLAIN, timeout: '2s', breaker: { maxRequests: 1 } });
    const first = on.ask();
    await on.targets[0]!.nextRequest();
    const second = on.ask();
    await expect.poll(() => on.clock.pending).toBeGreaterThan(2);
    on.clock.advance(2001);
    expect([(await first).status, (await second).status]).toEqual([504, 504]);
    expect(on.counts()).toEqual([1]);
  });

  it('an event stream does not count, however long it lasts', async () => {
    on = await stage([OK], {
      ...PLAIN,
      breaker: { maxRequests: 1 },
    });
    on.targets[0]!.answerWith(async ({ connection }) => {
      await connection.send('HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n');
    });
    const stream = await rawClient({ port: on.gateway.port });
    await stream.send('GET /events HTTP/1.1\r\nHost: a\r\n\r\n');
    await on.targets[0]!.nextRequest();
    on.targets[0]!.answerWith(OK);
    await expect.poll(async () => (await on.ask()).status).toBe(200);
    stream.close();
  });
});
