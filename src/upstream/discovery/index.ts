export { Discovery, discoverOnce } from './discovery.ts';
export type { Discover, DiscoveredTarget } from './source.ts';
