export type { Pool, Reuse, Waiter, Wish } from './contract.ts';
export { Http1Pool } from './http1-pool.ts';
export { Http2Pool } from './http2-pool.ts';
