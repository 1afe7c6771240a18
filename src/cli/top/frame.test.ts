import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AdminTrouble } from '../admin-api.ts';
import { frame, type Size } from './frame.ts';
import type { NodeLook, NodePicture } from './node-watch.ts';
import { paint, widthOf } from './paint.ts';
import { told } from './told.ts';
import { amount, duration, sparkline } from './units.ts';

const NOW = new Date(2026, 10, 25, 21, 44, 59).getTime();

const route = (name: string, more: object = {}) => ({
  name,
  match: `GET /${name}/{id}`,
  action: 'proxy' as const,
  does: 'to shop',
  services: ['shop'],
  guarded: false,
  cached: true,
  ...more,
});
const target = (name: string, health: string, message: string | null = null) => ({
  name,
  health,
  connections: { inUse: 2 },
  lastFailure: message === null ? null : { at: '2026-11-25T21:44:58.000Z', message },
});
const moved = (requests: number, more: object = {}) => ({
  requests,
  hits: 0,
  refused: 0,
  errors: 0,
  p50: 0.001,
  p99: 0.01,
  ...more,
});

function look(routes: NodeLook['routes']): NodeLook {
  return {
    status: {
      version: '1.2.3',
      uptime: 7300,
      workers: 2,
      config: { etag: 'e', loadedAt: '', source: '/etc/tidegate.yaml', refused: null },
      listeners: [],
    },
    series: {
      step: 1,
      until: '',
      requests: [1, 2, 1230],
      p50: [null, 0.001, 0.0012],
      p99: [null, 0.01, 0.0345],
      hitShare: [null, 0.5, 0.875],
      errors: [0, 0, 3],
      refused: [0, 0, 0],
    },
    routes,
    services: [
      { name: 'shop', breaker: 'closed', active: 1, pending: 0, targets: [target('http://a:1', 'up')] },
      {
        name: 'stock',
        breaker: 'open',
        active: 0,
        pending: 7,
        targets: [target('http://b:2', 'ejected', 'connect ECONNREFUSED b:2')],
      },
    ],
    sources: [
      {
        name: 'orders',
        kind: 'postgres',
        state: 'streaming',
        position: '0/1',
        lagBytes: 0,
        lagSeconds: 0,
        events: 12,
        skipped: 0,
        error: null,
      } as NodeLook['sources'][number],
    ],
  };
}

function picture(routes: NodeLook['routes'], seen: Record<string, object>, more: object = {}): NodePicture {
  return {
    origin: 'http://127.0.0.1:9901',
    look: look(routes),
    sample: { routes: seen } as unknown as NodePicture['sample'],
    told: [],
    trouble: null,
    lookedAt: NOW - 5000,
    ...more,
  };
}

const drawn = (one: NodePicture, size: Size, colour = false) =>
  frame(one, size, NOW).map((line) => paint(line, size.columns, colour));
const WIDE: Size = { columns: 140, rows: 40 };
const change = {
  source: 'orders',
  table: 'public.orders',
  op: 'update',
  key: '1042',
  tags: ['order:1042', 'customer-orders:7'],
  more: 2,
  unseated: 3,
  afterMs: 4,
};

describe('a picture of a node', () => {
  it('has the four figures, each with its last seconds', () => {
    const lines = drawn(picture([route('a')], {}), WIDE);
    expect(lines[0]).toMatch(
      /^tidegate top {2}http:\/\/127.0.0.1:9901 {2}1.2.3, 2 workers, up 2.03 h, config of tidegate.yaml +21:44:59$/,
    );
    expect(lines.slice(1, 5)).toEqual([
      'Requests/s  1230               ▁▁█',
      'p50 · p99   1.2 ms · 34.5 ms    ▃█',
      'From cache  87.5 %              ▅█',
      'Errors/s    3                  ▁▁█',
    ]);
  });

  it('has the busiest route first, then the others as the config has them', () => {
    const routes = [route('a'), route('b'), route('c', { cached: false }), route('d')];
    const seen = {
      c: moved(3, { errors: 1 }),
      b: moved(8, { hits: 6, refused: 2 }),
      '(none)': moved(1),
    };
    const table = drawn(picture(routes, seen), WIDE).slice(6, 12);
    expect(table.map((line) => line.split(/ {2,}/))).toEqual([
      ['ROUTE', 'TAKES', 'REQ/S', 'P50', 'P99', 'CACHE', 'ERR/S', 'REF/S'],
      ['b', 'GET /b/{id}', '8', '1 ms', '10 ms', '75 %', '2'],
      ['c', 'GET /c/{id}', '3', '1 ms', '10 ms', '1'],
      ['(none)', '1', '1 ms', '10 ms'],
      ['a', 'GET /a/{id}', '0', '–', '–', '–'],
      ['d', 'GET /d/{id}', '0', '–', '–', '–'],
    ]);
  });

  it('has what changed with what it unseated, and targets that are out first', () => {
    const heard = told('change', change, NOW)!;
    const text = drawn(picture([route('a')], {}, { told: [heard] }), WIDE).join('\n');
    expect(text).toContain(
      '21:44:59 public.orders 1042 updated → order:1042, customer-orders:7 and 2 more → 3 entries unseated, 4 ms after commit',
    );
    expect(text).toContain('orders postgres, streaming, up to date, 12 rows');
    expect(text).toMatch(/stock \(breaker open\) .*out, after errors .*7 .*ECONNREFUSED b:2\nshop /);
  });

  it('says that the gateway is away and how old the figures are', () => {
    const trouble = new AdminTrouble('nobody listens at http://127.0.0.1:9901: start the gateway', null);
    const lines = drawn(picture([route('a')], {}, { trouble }), { columns: 60, rows: 30 });
    expect(lines.slice(1, 3).join(' ')).toBe(
      'no answer since 21:44:54, these figures are old: nobody listens at http://127.0.0.1:9901: start the gateway',
    );
    expect(drawn(picture([], {}, { look: null, sample: null, trouble }), WIDE)).toHaveLength(2);
  });

  it('says how many routes found no room', () => {
    const routes = Array.from({ length: 1000 }, (_, i) => route(`r${i}`));
    const lines = drawn(picture(routes, { r700: moved(1) }), { columns: 80, rows: 24 });
    expect(lines).toHaveLength(24);
    expect(lines[7]).toMatch(/^r700 /);
    expect(lines.find((line) => line.includes('more routes'))).toMatch(/^… 99\d more routes$/);
  });

  it('fits any terminal, whatever the names in it', () => {
    const texts = fc.string({ unit: 'grapheme', maxLength: 60 });
    const pictures = fc.record({
      names: fc.array(texts, { maxLength: 40 }),
      size: fc.record({ columns: fc.integer({ min: 1, max: 200 }), rows: fc.integer({ min: 1, max: 60 }) }),
      tags: fc.array(texts, { maxLength: 5 }),
    });
    const holds = fc.property(pictures, ({ names, size, tags }) => {
      const seen = Object.fromEntries(names.map((name, i) => [name, moved(i * 1234.5, { hits: i })]));
      const heard = Array.from({ length: 30 }, () => told('change', { ...change, tags }, NOW)!);
      const one = picture(
        names.map((name) => route(name)),
        seen,
        { told: heard },
      );
      const lines = drawn(one, size);
      expect(lines.length).toBeLessThanOrEqual(size.rows);
      for (const line of lines) expect(widthOf(line)).toBeLessThanOrEqual(size.columns);
      expect(lines.join('')).not.toMatch(/[\x00-\x1f\x7f-\x9f]/);
    });
    fc.assert(holds, { numRuns: 300 });
  });

  it('is without colours where they are not wanted, and says the same with them', () => {
    const one = picture([route('a')], { a: moved(2, { errors: 2 }) }, { told: [told('gap', {}, NOW)!] });
    const plain = drawn(one, WIDE);
    const coloured = drawn(one, WIDE, true);
    expect(plain.join('')).not.toContain('\x1b');
    expect(coloured.join('')).toContain('\x1b[31m');
    expect(coloured.map((line) => line.replaceAll(/\x1b\[\d+m/g, '').trimEnd())).toEqual(plain);
  });
});

it('amounts and times have three digits at most', () => {
  expect([0, 0.421, 17.34, 999.4, 12_345, 2_500_000].map(amount)).toEqual([
    '0',
    '0.42',
    '17.3',
    '999',
    '12.3 k',
    '2.5 M',
  ]);
  expect([null, 0.00042, 0.1234, 3, 300, 90_000].map(duration)).toEqual([
    '–',
    '420 µs',
    '123 ms',
    '3 s',
    '5 min',
    '25 h',
  ]);
});

it('a sparkline shows the newest values that find room', () => {
  expect(sparkline([8, 0, 4, null, 8], 4, 1)).toBe('▁▅ █');
  expect(sparkline([1], 0, 1)).toBe('');
});
