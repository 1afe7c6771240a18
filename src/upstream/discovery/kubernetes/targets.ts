import type { KubernetesDiscoverConfig } from '../../../config/model.ts';
import { type DiscoveredTarget, NothingThere } from '../source.ts';
import type { Slice, SlicePort } from './slice.ts';

type Wanted = Pick<KubernetesDiscoverConfig, 'namespace' | 'name' | 'port'>;

/**
 * Where a service is, by all of its slices, or why that can't be told. One that ends is used only while nothing else
 * takes requests, as kube-proxy does it.
 */
export function targetsOf(slices: readonly Slice[], wanted: Wanted): DiscoveredTarget[] | Error {
  if (slices.length === 0)
    return new NothingThere(`${titleOf(wanted)} has no EndpointSlice: is there such a service?`);
  const used = slices.filter(({ endpoints }) => endpoints.length > 0);
  if (used.length === 0) return [];
  const ambiguous = wanted.port === null ? used.find(({ ports }) => ports.length > 1) : undefined;
  if (ambiguous !== undefined)
    return new Error(
      `${titleOf(wanted)} has several ports, so say which as "port": ${spelled(ambiguous.ports)}`,
    );
  const places = used.flatMap((slice) => placesOf(slice, wanted));
  if (places.length === 0) return new Error(`${titleOf(wanted)} has no ${portOf(wanted)}${among(used)}`);
  const lasting = places.filter(({ ending }) => !ending);
  return distinct(lasting.length > 0 ? lasting : places);
}

interface Place {
  readonly host: string;
  readonly port: number;
  readonly ending: boolean;
}

/** None where the pods of this slice have no such port. */
function placesOf({ ports, endpoints }: Slice, wanted: Wanted): Place[] {
  const port = numberOf(ports, wanted);
  return port === null ? [] : endpoints.map((endpoint) => ({ ...endpoint, port }));
}

function numberOf(ports: readonly SlicePort[], { port }: Wanted): number | null {
  if (typeof port === 'number')
    return ports.some(({ number }) => number === port || number === null) ? port : null;
  const meant = port === null ? ports[0] : ports.find(({ name }) => name === port);
  return meant?.number ?? null;
}

/** A slice that is about to be removed may tell of the same endpoints as its successor. */
function distinct(places: readonly Place[]): DiscoveredTarget[] {
  const targets = places.map(({ host, port }): [string, DiscoveredTarget] => [
    `${host} ${port}`,
    { host, port, weight: 1 },
  ]);
  return [...new Map(targets).values()];
}

function titleOf({ namespace, name }: Wanted): string {
  return `the service ${namespace}/${name}`;
}

function portOf({ port }: Wanted): string {
  return port === null ? 'TCP port' : `TCP port ${port}`;
}

/** What there is in place of the port that is wanted. */
function among(slices: readonly Slice[]): string {
  const ports = new Map(slices.flatMap((slice) => slice.ports.map((port) => [spelled([port]), port])));
  return ports.size === 0 ? '' : `, but ${spelled([...ports.values()])}`;
}

/** `http (8080), metrics (9090)` */
function spelled(ports: readonly SlicePort[]): string {
  return ports
    .slice(0, MOST_SPELLED)
    .map(({ name, number }) => (name === '' ? `${number ?? 'any'}` : `${name} (${number ?? 'any'})`))
    .join(', ');
}

const MOST_SPELLED = 10;
