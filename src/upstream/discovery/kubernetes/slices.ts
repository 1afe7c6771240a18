import type { KubernetesDiscoverConfig } from '../../../config/model.ts';
import { parsed, part } from '../json.ts';
import { MOST_TARGETS } from '../source.ts';
import { refusalOf } from './refusal.ts';
import { type Slice, sliceName, sliceOf } from './slice.ts';

/**
 * The slices of one service, kept up to date by what the API tells. What makes no sense is an error: the slices are
 * then to be listed anew.
 */
export class Slices {
  private readonly config: KubernetesDiscoverConfig;
  private slices = new Map<string, Slice>();
  /** Up to where the API has told: from there a watch goes on. At first whatever it has at hand, which spares etcd. */
  version = '0';

  constructor(config: KubernetesDiscoverConfig) {
    this.config = config;
  }

  get all(): Slice[] {
    return [...this.slices.values()];
  }

  /** The answer to a list. */
  replace(text: string): void {
    const list = parsed(text);
    const items = part(list, 'items');
    if (!Array.isArray(items) || part(list, 'kind') !== 'EndpointSliceList')
      throw new Error('the answer is not a list of EndpointSlices: is this the API of Kubernetes?');
    const slices = new Map(items.map((item) => [sliceName(item), sliceOf(item)]));
    checkBounds(slices);
    this.version = versionOf(list);
    this.slices = slices;
  }

  /** A line of a watch. */
  apply(line: string): void {
    const event = parsed(line);
    const object = part(event, 'object');
    const type = part(event, 'type');
    if (type === 'ERROR') throw refusalOf(Number(part(object, 'code')) || 500, object, this.config);
    const version = versionOf(object);
    if (type === 'ADDED' || type === 'MODIFIED') this.slices.set(sliceName(object), sliceOf(object));
    else if (type === 'DELETED') this.slices.delete(sliceName(object));
    else if (type !== 'BOOKMARK') throw new Error('the watch tells of an event that is none');
    checkBounds(this.slices);
    this.version = version;
  }
}

function versionOf(object: unknown): string {
  const version = part(part(object, 'metadata'), 'resourceVersion');
  if (typeof version === 'string' && version !== '' && version.length <= 100) return version;
  throw new Error('the answer has no resourceVersion: is this the API of Kubernetes?');
}

/** Also of slices without endpoints no number is kept without end. */
function checkBounds(slices: ReadonlyMap<string, Slice>): void {
  let endpoints = 0;
  for (const slice of slices.values()) endpoints += slice.endpoints.length;
  if (endpoints > MOST_TARGETS)
    throw new Error(`${endpoints} endpoints are more than the ${MOST_TARGETS} that are taken`);
  if (slices.size > MOST_TARGETS)
    throw new Error(`${slices.size} EndpointSlices are more than the ${MOST_TARGETS} that are taken`);
}
