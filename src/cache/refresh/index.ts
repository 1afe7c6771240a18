export type { Refiller, RefreshCounter } from './hot-entry.ts';
export { Refreshes } from './refreshes.ts';
