import { expect, test } from 'vitest';
import { Counters, namedCounts, settle } from './counters.ts';
import { addRows } from './packed-rows.ts';

function sumOf(counters: Counters): Map<string, Float64Array> {
  const sum = new Map<string, Float64Array>();
  addRows(sum, counters.pack());
  return sum;
}

test('a route counts requests, statuses by class, bytes and what is in flight', () => {
  const counters = new Counters();
  const route = counters.route('a');
  for (const status of [101, 200, 204, 302, 404, 499, 503]) {
    route.begin();
    route.end(status);
  }
  route.begin();
  route.received(10);
  route.sent(2 ** 40);
  expect(namedCounts(sumOf(counters).get('a'))).toEqual({
    requests: 8,
    informational: 1,
    success: 2,
    redirection: 1,
    clientError: 2,
    serverError: 1,
    bytesIn: 10,
    bytesOut: 2 ** 40,
    inFlight: 1,
    limited: 0,
    reported: 0,
    audited: 0,
    mismatched: 0,
    refreshed: 0,
    refreshFailed: 0,
    refreshDropped: 0,
  });
});

test('a name keeps its counter over any number of others, also one like a member of Object', () => {
  const counters = new Counters();
  for (let i = 0; i < 1000; i++) counters.route(`r${i}`).begin();
  counters.route('constructor').begin();
  counters.route('__proto__').begin();
  expect(counters.route('r0')).toBe(counters.route('r0'));
  counters.route('r0').begin();
  const rows = sumOf(counters);
  expect(rows.size).toBe(1002);
  expect(rows.get('r0')![0]).toBe(2);
  expect(rows.get('r999')![0]).toBe(1);
  const [last, row] = [...rows].at(-1)!;
  expect([last, row[0]]).toEqual(['__proto__', 1]);
});

test('a sum keeps what a dead worker counted, but nothing of it is in flight', () => {
  const dead = new Counters();
  dead.route('a').begin();
  const alive = new Counters();
  alive.route('a').begin();
  const sum = sumOf(dead);
  settle(sum);
  addRows(sum, alive.pack());
  expect(namedCounts(sum.get('a'))).toMatchObject({ requests: 2, inFlight: 1 });
  expect(namedCounts(undefined)).toMatchObject({ requests: 0 });
});
