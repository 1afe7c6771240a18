import type { FlightRoute } from './flight-route.ts';
import type { Waiter } from './waiter.ts';
import { showsWho } from './whose-answer.ts';

/**
 * Those who show who they are wait for each other only: the answer to one who doesn't may not be for them, and
 * theirs seldom is for others.
 */
export function kindOf<T>({ rules }: FlightRoute<T>, { keyed, exchange, fields }: Waiter<T>): string {
  return showsWho(rules, exchange, fields) ? `${keyed.key}\0who` : keyed.key;
}

/** Answers to its kind are known as such that can't be stored: it need not wait for another's. */
export function isPassed<T>(route: FlightRoute<T>, waiter: Waiter<T>): boolean {
  const { passes, parts } = route.cache;
  return passes.has(kindOf(route, waiter), parts.clock.wall());
}

/** Requests whose answers can't be stored don't wait for each other from now on. */
export function rememberPassed<T>(route: FlightRoute<T>, waiter: Waiter<T>): void {
  const { passes, parts } = route.cache;
  passes.add(kindOf(route, waiter), parts.clock.wall());
}
