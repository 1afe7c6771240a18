import { expect, it } from 'vitest';
import { Flights, type Joinable } from './flights.ts';

function flight(key: string): Joinable {
  return { key, hash: 0, below: null, isListed: false };
}

it('the next fill of a name takes the place of the one before, whose end leaves it there', () => {
  const flights = new Flights();
  const [first, second, other] = [flight('a'), flight('a'), flight('b')];
  flights.add(first);
  flights.add(other);
  flights.add(second);
  expect([flights.get('a'), flights.get('b'), flights.size]).toEqual([second, other, 2]);
  flights.remove(first);
  expect(flights.get('a')).toBe(second);
  flights.remove(second);
  flights.remove(second);
  expect([flights.get('a'), flights.size]).toEqual([undefined, 1]);
});

it('one that others may not join is not there to be removed', () => {
  const flights = new Flights();
  flights.add(flight('a'));
  flights.remove(flight('a'));
  expect(flights.size).toBe(1);
});
