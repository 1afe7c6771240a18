import { isHost, isPort, part, shown } from '../json.ts';

/** What counts of an EndpointSlice: the part of a service's endpoints that have the same ports. */
export interface Slice {
  readonly name: string;
  readonly ports: readonly SlicePort[];
  /** Those that take requests, if only as a last resort. */
  readonly endpoints: readonly Endpoint[];
}

export interface SlicePort {
  /** '' where the service has a single port without a name. */
  readonly name: string;
  /** Null: any. */
  readonly number: number | null;
}

export interface Endpoint {
  readonly host: string;
  /** Ends, but still serves. */
  readonly ending: boolean;
}

/** Throws, in words, where it makes no sense: half of a slice would take targets away that may be well. */
export function sliceOf(object: unknown): Slice {
  const name = sliceName(object);
  const ports = listOf(object, 'ports', name).filter(isTcp);
  const endpoints = listOf(object, 'endpoints', name);
  return {
    name,
    ports: ports.map((port) => portOf(port, name)),
    endpoints: endpoints.flatMap((endpoint) => endpointOf(endpoint, name) ?? []),
  };
}

export function sliceName(object: unknown): string {
  const name = part(part(object, 'metadata'), 'name');
  if (typeof name !== 'string' || name === '') throw new Error('an EndpointSlice has no name');
  return name;
}

/** Absent and null are empty, as in all of Kubernetes. */
function listOf(object: unknown, key: string, slice: string): unknown[] {
  const list = part(object, key) ?? [];
  if (!Array.isArray(list)) throw new Error(`${key} of the EndpointSlice ${shown(slice)} is not a list`);
  return list;
}

function isTcp(port: unknown): boolean {
  return (part(port, 'protocol') ?? 'TCP') === 'TCP';
}

function portOf(port: unknown, slice: string): SlicePort {
  const name = part(port, 'name') ?? '';
  const number = part(port, 'port') ?? null;
  if (typeof name !== 'string' || (number !== null && !isPort(number)))
    throw new Error(`the EndpointSlice ${shown(slice)} has a port that is none`);
  return { name, number };
}

/** Null: it takes no requests. What is not said of it is as the API defines: ready and serving, not terminating. */
function endpointOf(endpoint: unknown, slice: string): Endpoint | null {
  const conditions = part(endpoint, 'conditions');
  const ending = part(conditions, 'terminating') === true;
  const takes = (part(conditions, ending ? 'serving' : 'ready') ?? true) === true;
  if (!takes) return null;
  // What more than one address would mean is not defined.
  const addresses = part(endpoint, 'addresses');
  const host = Array.isArray(addresses) ? addresses[0] : undefined;
  if (!isHost(host))
    throw new Error(`the EndpointSlice ${shown(slice)} has an endpoint without an address to connect to`);
  return { host, ending };
}
