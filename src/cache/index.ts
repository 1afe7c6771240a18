export { type Fenced, Fences, hasPrefix, type Invalidation, urlTag } from './fences/index.ts';
export { STORE_REFUSALS, type StoreRefusal } from './policy/index.ts';
export {
  type FenceHolders,
  LocalSequence,
  type SequenceLog,
  type SequenceState,
  Unavailable,
} from './sequence/index.ts';
export type { SharedStoreState } from './shared-store.ts';
