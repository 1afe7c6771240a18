import { afterEach, describe, expect, test, vi } from 'vitest';
import { entries, type ShortMatch, subject } from './fixtures.ts';
import { compileRouter } from './router.ts';

/*
 * Costs are counted, not timed: look-ups in maps, comparisons and scans of text, and runs of patterns are all
 * that a walk does for each step.
 */
function steps(run: () => unknown): number {
  const spies = [
    vi.spyOn(Map.prototype, 'get'),
    vi.spyOn(String.prototype, 'startsWith'),
    vi.spyOn(String.prototype, 'indexOf'),
    vi.spyOn(String.prototype, 'slice'),
    vi.spyOn(RegExp.prototype, 'test'),
  ];
  run();
  const count = spies.reduce((sum, spy) => sum + spy.mock.calls.length, 0);
  for (const spy of spies) spy.mockRestore();
  return count;
}

afterEach(() => vi.restoreAllMocks());

/** Six routes for each service. */
function services(count: number): Record<string, ShortMatch | string> {
  const routes: Record<string, ShortMatch | string> = {};
  for (let i = 0; i < count; i++) {
    routes[`prefix${i}`] = `/service-${i}/*`;
    routes[`exact${i}`] = `/service-${i}/static/page`;
    routes[`name${i}`] = { path: `/service-${i}/items/{id}`, method: 'GET' };
    routes[`type${i}`] = `/service-${i}/orders/{id:int}/lines`;
    routes[`regex${i}`] = `~/service-${i}/images/[^/]+\\.png`;
    routes[`host${i}`] = { path: '/', host: `tenant-${i}.example.com` };
  }
  return routes;
}

describe('thousands of routes cost what ten cost', () => {
  const few = compileRouter(entries(services(2)));
  const many = compileRouter(entries(services(2000)));
  test.each([
    '/static/page',
    '/items/4711',
    '/orders/42/lines',
    '/orders/x/lines',
    '/images/a.png',
    '/any/thing/else',
    '',
  ])('%s', (tail) => {
    const one = subject(`/service-1${tail}`);
    expect(steps(() => many.match(one))).toBeLessThanOrEqual(steps(() => few.match(one)) + 4);
  });

  test('by host', () => {
    const one = subject('/', { host: 'tenant-1.example.com' });
    expect(steps(() => many.match(one))).toBe(steps(() => few.match(one)));
  });
});

describe('what a client sends bounds the cost', () => {
  test('a path of thousands of segments is not walked beyond the tree', () => {
    const router = compileRouter(
      entries({ a: '/{a}/{b}/{c}/{d}/x', b: '/{a:int}/{b~.+}/*', c: '/1/{rest*}' }),
    );
    const one = subject(`/1${'/1'.repeat(4000)}`);
    expect(steps(() => router.match(one))).toBeLessThan(60);
  });

  test('nested alternatives are walked once each, whatever fails at the end', () => {
    const kinds = ['1', '{n:int}', '{n~[0-9]+}', '{n}'];
    const routes: Record<string, ShortMatch | string> = {};
    for (let i = 0; i < 4 ** 5; i++) {
      const path = Array.from({ length: 5 }, (_, at) =>
        kinds[Math.floor(i / 4 ** at) % 4]!.replace('n', `n${at}`),
      );
      routes[`r${i}`] = `/${path.join('/')}/end`;
    }
    const router = compileRouter(entries(routes));
    // 4 + 16 + … nodes below the root, a few steps for each, once for the match and once for 404 or 405.
    expect(steps(() => router.match(subject('/1/1/1/1/1/no')))).toBeLessThan(4 ** 5 * 2 * 8);
    expect(router.match(subject('/1/1/1/1/1/end'))).toMatchObject({ route: 'r0' });
  });

  test('a host of thousands of dots is looked up only as far as the longest wildcard', () => {
    const router = compileRouter(entries({ a: { host: '*.example.com' }, b: { host: '*.com' } }));
    const one = subject('/', { host: `${'a.'.repeat(16_000)}com` });
    expect(steps(() => router.match(one))).toBeLessThan(60);
    expect(router.match(one)).toMatchObject({ route: 'b' });
  });

  test('a segment of thousands of separators is split in one pass', () => {
    const router = compileRouter(entries({ a: '/{a}-{b}-{c}-{d}.x' }));
    expect(steps(() => router.match(subject(`/${'-'.repeat(8000)}`)))).toBeLessThan(40);
    expect(router.match(subject(`/${'-'.repeat(8000)}.x`))).toMatchObject({
      params: { a: '-', b: '-', c: '-' },
    });
  });

  test('slashes and parameters written otherwise cost a few matches more', () => {
    const router = compileRouter(entries(services(2000)));
    const plain = subject(`/service-1/${'a'.repeat(4000)}`);
    const doubtful = subject(`/service-1/${'a%2Fb;c'.repeat(1000)}`);
    expect(steps(() => router.match(doubtful))).toBeLessThan(steps(() => router.match(plain)) * 8);
  });

  test('a match without parameters makes nothing new', () => {
    const router = compileRouter(entries({ a: '/a' }));
    expect(router.match(subject('/a'))).toBe(router.match(subject('/a')));
  });
});
