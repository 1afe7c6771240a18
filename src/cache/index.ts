export type { Entry } from './entry.ts';
export { type Fenced, Fences, hasPrefix, type Invalidation, urlOfTag, urlTag } from './fences/index.ts';
export {
  type Answered,
  type AuditRule,
  Cache,
  type CacheCounts,
  CachedOrigin,
  type CacheParts,
  type CacheRules,
  type CookieRule,
  type Difference,
  type FedBy,
  invalidating,
  type Keyed,
  type KeyOf,
  type Origin,
  type Out,
  type OwnWrites,
  originTags,
  type RefreshRule,
  Revocations,
  remembering,
  type Unseated,
  type Writer,
  withoutClient,
} from './flow/index.ts';
export { type LevelParts, openSharedStore, placeOf } from './levels.ts';
export { type NodeHolders, NodeSequence } from './node-sequence.ts';
export {
  judgeStorable,
  type RoutePolicy,
  responseDirectives,
  STANDARD_POLICY,
  STORE_REFUSALS,
  type StoreRefusal,
} from './policy/index.ts';
export { compileQuery, type QueryRule, queryRules } from './query-rule.ts';
export { Refreshes } from './refresh/index.ts';
export {
  type FenceHolders,
  LocalSequence,
  type Note,
  type NoteHearer,
  type Seated,
  type Seats,
  type SequenceLog,
  type SequenceState,
  Superseded,
  Unavailable,
} from './sequence/index.ts';
export { type SharedRecord, SharedRecords } from './shared-records.ts';
export { SharedSecret } from './shared-secret.ts';
export type { SharedStore, SharedStoreState } from './shared-store.ts';
