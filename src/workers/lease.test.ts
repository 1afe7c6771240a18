import { expect, test } from 'vitest';
import { ManualClock } from '../testkit/index.ts';
import { GrantedLease, LEASE, Lease } from './lease.ts';

test('a lease counts from when it was asked for, and an older answer never shortens it', () => {
  const clock = new ManualClock();
  const lease = new Lease(clock);
  expect(lease.holds()).toBe(false);
  const asked = clock.now();
  clock.advance(400);
  lease.renewed(asked);
  clock.advance(LEASE - 401);
  expect(lease.holds()).toBe(true);
  lease.renewed(asked - 500);
  expect(lease.holds()).toBe(true);
  clock.advance(1);
  expect(lease.holds()).toBe(false);
});

test('the supervisor never believes a lease gone that the worker still holds', () => {
  const clock = new ManualClock();
  const [worker, supervisor] = [new Lease(clock), new GrantedLease(clock)];
  const asked = clock.now();
  clock.advance(30);
  expect(supervisor.grant()).toBe(true);
  clock.advance(20);
  worker.renewed(asked);
  clock.advance(supervisor.left());
  expect(worker.holds()).toBe(false);
});

test('a lease that is withheld is not renewed until everything has been acknowledged', () => {
  const lease = new GrantedLease(new ManualClock());
  lease.withhold();
  lease.withhold();
  lease.restore();
  expect(lease.grant()).toBe(false);
  lease.restore();
  expect(lease.grant()).toBe(true);
});
