import { isHost, isPort, isWhole, parsed, part, shown } from './json.ts';
import { type DiscoveredTarget, MOST_TARGETS } from './source.ts';

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

function targetOf(instance: unknown): DiscoveredTarget {
  const service = part(instance, 'Service');
  const id = shown(part(service, 'ID'));
  // Without an address of its own it listens on that of its node.
  const host = part(service, 'Address') || part(part(instance, 'Node'), 'Address');
  if (!isHost(host)) throw new Error(`the instance ${id} has no address that can be connected to`);
  const port = part(service, 'Port');
  if (!isPort(port)) throw new Error(`the instance ${id} has no port`);
  // Before Consul 1.2.3 there were no weights.
  const weight = part(part(service, 'Weights'), 'Passing') ?? 1;
  if (!isWhole(weight, HEAVIEST)) throw new Error(`the instance ${id} has a weight that is none`);
  return { host, port, weight };
}
