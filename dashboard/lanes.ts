import type { Route } from './api.ts';
import { rate } from './format.ts';
import type { Flowing, Rates } from './traffic.ts';

/** Routes that are drawn by themselves; the rest are one ribbon, until they are asked for. */
const FEW = 12;
const MANY = 60;
/** What no route takes, as the gateway names it. */
const UNMATCHED = '(none)';

/** What takes one route, a second. */
export interface Lane {
  readonly name: string;
  readonly requests: number;
  readonly hits: number;
  readonly refused: number;
  readonly errors: number;
  /** What goes on to services. */
  readonly onward: readonly { service: string; requests: number; errors: number }[];
  /** Where it comes from. */
  readonly from: readonly { listener: string; requests: number }[];
}

/** Lanes in the order of the config, so that a ribbon keeps its place; and how many routes are in `others`. */
export function lanesOf(
  routes: readonly Route[],
  flowing: Flowing,
  all: boolean,
): { lanes: Lane[]; others: number } {
  const busy = [...flowing.routes.values()]
    .filter(({ requests }) => requests > 0)
    .sort((a, b) => b.requests - a.requests);
  const most = all ? MANY : FEW;
  const shown = new Set(busy.slice(0, busy.length > most ? most - 1 : most).map(({ name }) => name));
  const known = new Map(routes.map((route) => [route.name, route]));
  const order = [...routes.map(({ name }) => name), UNMATCHED];
  const lanes = order
    .filter((name) => shown.has(name))
    .map((name) => laneOf(flowing.routes.get(name)!, known.get(name), flowing));
  const rest = busy.filter(({ name }) => !shown.has(name));
  if (rest.length > 0) lanes.push(together(rest.map((one) => laneOf(one, known.get(one.name), flowing))));
  return { lanes, others: rest.length };
}

function laneOf(
  { name, requests, hits, refused, errors }: Rates,
  route: Route | undefined,
  flowing: Flowing,
): Lane {
  const edges = flowing.edges.filter((edge) => edge.route === name);
  const past = Math.max(0, requests - hits - refused);
  // An aggregate asks each of its services in the course of one request.
  const onward =
    route?.action === 'aggregate'
      ? route.services.map((service) => ({ service, requests: past, errors: 0 }))
      : edges;
  const from = flowing.listeners.filter((one) => one.route === name);
  return { name: name === UNMATCHED ? 'no route' : name, requests, hits, refused, errors, onward, from };
}

function together(lanes: readonly Lane[]): Lane {
  const sum = (of: (lane: Lane) => number) => lanes.reduce((total, lane) => total + of(lane), 0);
  const grouped = <T extends { requests: number }>(list: readonly T[], key: (one: T) => string): T[] => {
    const groups = new Map<string, T>();
    for (const one of list) {
      const group = groups.get(key(one));
      groups.set(key(one), group === undefined ? one : { ...group, requests: group.requests + one.requests });
    }
    return [...groups.values()];
  };
  return {
    name: `${lanes.length} others`,
    requests: sum(({ requests }) => requests),
    hits: sum(({ hits }) => hits),
    refused: sum(({ refused }) => refused),
    errors: sum(({ errors }) => errors),
    onward: grouped(
      lanes.flatMap(({ onward }) => onward),
      ({ service }) => service,
    ),
    from: grouped(
      lanes.flatMap(({ from }) => from),
      ({ listener }) => listener,
    ),
  };
}

/** What became of it, in words, the worst first. */
export function fateOf({ name, hits, refused, errors, onward }: Lane): string {
  const parts: string[] = [];
  if (errors > 0) parts.push(`${rate(errors)} failed`);
  if (refused > 0) parts.push(`${rate(refused)} refused`);
  if (hits > 0) parts.push(`${rate(hits)} from cache`);
  if (parts.length > 0) return parts.join(' · ');
  if (onward.length > 0) return '';
  return name === 'no route' ? 'answered 404' : 'answered here';
}
