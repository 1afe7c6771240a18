import type { ConfigInput, RouteInput } from '../schema/index.ts';
import type { Findings, Path } from './findings.ts';

type AggregateInput = NonNullable<RouteInput['aggregate']>;

/** Names of routes and services that the calls of an aggregate ask, with where each stands. */
export function askedBy(
  aggregate: RouteInput['aggregate'],
  path: Path,
): { kind: 'service' | 'route'; name: string; path: Path }[] {
  if (aggregate === undefined || typeof aggregate.calls !== 'object') return [];
  return Object.entries(aggregate.calls).flatMap(([name, call]) => {
    if (call === undefined) return [];
    const at = [...path, 'aggregate', 'calls', name];
    const { compensate } = call;
    return [
      ...addressed(call, at),
      ...(compensate === undefined ? [] : addressed(compensate, [...at, 'compensate'])),
    ];
  });
}

type Asked = Pick<AggregateInput['calls'][string], 'to' | 'route'>;

function addressed(
  { to, route }: Asked,
  path: Path,
): { kind: 'service' | 'route'; name: string; path: Path }[] {
  if (route !== undefined) return [{ kind: 'route', name: route, path: [...path, 'route'] }];
  if (to === undefined) return [];
  const entries = Array.isArray(to)
    ? to.map((entry, index) => ({ entry, at: [...path, 'to', index] }))
    : [{ entry: to, at: [...path, 'to'] }];
  return entries.flatMap(({ entry, at }) => {
    if (typeof entry === 'string') return [{ kind: 'service' as const, name: entry, path: at }];
    return entry?.service === undefined
      ? []
      : [{ kind: 'service' as const, name: entry.service, path: [...at, 'service'] }];
  });
}

/** Routes that ask each other in a ring would never answer. */
export function checkRouteCycles(input: ConfigInput, findings: Findings): void {
  const asks = new Map(
    Object.entries(input.routes ?? {}).map(([name, route]) => [
      name,
      askedBy(route.aggregate, ['routes', name]).filter(({ kind }) => kind === 'route'),
    ]),
  );
  const told = new Set<string>();
  for (const start of asks.keys()) {
    const ring = ringFrom(start, asks);
    if (ring === null || ring.some(({ name }) => told.has(name))) continue;
    for (const { name } of ring) told.add(name);
    const way = ring.map(({ name }) => `"${name}"`).join(', which asks ');
    findings.error(
      'TG_CONFIG_CYCLE',
      ring[0]!.path,
      ring.length === 1 ? `the route "${start}" asks itself` : `the route "${start}" asks ${way}`,
      'break the ring: ask the service in place of the route',
    );
  }
}

function ringFrom(
  start: string,
  asks: ReadonlyMap<string, readonly { name: string; path: Path }[]>,
): { name: string; path: Path }[] | null {
  const seen = new Set<string>();
  const visit = (name: string): { name: string; path: Path }[] | null => {
    for (const asked of asks.get(name) ?? []) {
      if (asked.name === start) return [asked];
      if (seen.has(asked.name)) continue;
      seen.add(asked.name);
      const rest = visit(asked.name);
      if (rest !== null) return [asked, ...rest];
    }
    return null;
  };
  return visit(start);
}
