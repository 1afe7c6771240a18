export type { Refiller, RefreshCounter, Repeatable } from './hot-entry.ts';
export { Refreshes } from './refreshes.ts';
