export { type Balancer, roundRobin, type Weighted } from './balance.ts';
export { Pool, type PoolSettings, type Reuse, type Waiter } from './pool.ts';
export { type Lookup, Resolver } from './resolver.ts';
export { type Service, type Target, Upstreams } from './service.ts';
