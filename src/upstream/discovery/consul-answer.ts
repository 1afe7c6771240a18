import { isIP } from 'node:net';
import type { DiscoveredTarget } from './source.ts';

const MOST_TARGETS = 4096;
/** Consul takes no larger weight. */
const HEAVIEST = 65_535;

/**
 * The instances of an answer of `/v1/health/service/NAME`, a place that several share once. Throws, in words,
 * where one of them makes no sense: half of an answer would take targets away that may be well.
 */
export function targetsOf(text: string): DiscoveredTarget[] {
  const instances = parsed(text);
  if (!Array.isArray(instances)) throw new Error('the answer is not a list of instances');
  if (instances.length > MOST_TARGETS)
    throw new Error(`${instances.length} instances are more than the ${MOST_TARGETS} that are taken`);
  const places = new Map<string, DiscoveredTarget>();
  for (const instance of instances) {
    const target = targetOf(instance);
    places.set(`${target.host} ${target.port}`, target);
  }
  return [...places.values()];
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The parser's own words would show a part of the answer.
    throw new Error('the answer is not JSON');
  }
}

function targetOf(instance: unknown): DiscoveredTarget {
  const service = part(instance, 'Service');
  const id = JSON.stringify(part(service, 'ID') ?? null).slice(0, 100);
  // Without an address of its own it listens on that of its node.
  const host = part(service, 'Address') || part(part(instance, 'Node'), 'Address');
  if (!isHost(host)) throw new Error(`the instance ${id} has no address that can be connected to`);
  const port = part(service, 'Port');
  if (!isWhole(port, 65_535)) throw new Error(`the instance ${id} has no port`);
  // Before Consul 1.2.3 there were no weights.
  const weight = part(part(service, 'Weights'), 'Passing') ?? 1;
  if (!isWhole(weight, HEAVIEST)) throw new Error(`the instance ${id} has a weight that is none`);
  return { host, port, weight };
}

function part(of: unknown, key: string): unknown {
  return typeof of === 'object' && of !== null ? (of as Record<string, unknown>)[key] : undefined;
}

function isHost(value: unknown): value is string {
  if (typeof value !== 'string' || value.length > 253) return false;
  return isIP(value) !== 0 || /^[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?\.?$/.test(value);
}

function isWhole(value: unknown, most: number): value is number {
  return Number.isInteger(value) && (value as number) >= 1 && (value as number) <= most;
}
