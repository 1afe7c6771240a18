export type { Entry } from './entry.ts';
export { Fences, type Invalidation, urlTag } from './fences/index.ts';
export {
  type Answered,
  Cache,
  type CacheCounts,
  CachedOrigin,
  type CacheParts,
  type CacheRules,
  type CookieRule,
  canonicalTag,
  canonicalUrl,
  invalidating,
  type Keyed,
  type KeyOf,
  type Origin,
  type Out,
} from './flow/index.ts';
export {
  type FenceHolders,
  LocalSequence,
  type SequenceLog,
  type SequenceState,
  Unavailable,
} from './sequence/index.ts';
export type { SharedStore, SharedStoreState } from './shared-store.ts';
