export { Fences, type Invalidation, urlOfTag, urlTag } from './fences/index.ts';
export {
  type Answered,
  type AuditRule,
  Cache,
  CachedOrigin,
  type CacheRules,
  type CookieRule,
  type Difference,
  type FedBy,
  invalidating,
  type Keyed,
  type KeyOf,
  type OwnWrites,
  originTags,
  type RefreshRule,
  Revocations,
  remembering,
  type Unseated,
  type Writer,
  withoutClient,
} from './flow/index.ts';
export { openSharedStore, placeOf } from './levels.ts';
export { type NodeHolders, NodeSequence } from './node-sequence.ts';
export {
  ageOnArrival,
  judgeStorable,
  matchesWeakly,
  type RoutePolicy,
  responseDirectives,
  STANDARD_POLICY,
  STORE_REFUSALS,
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
  Superseded,
  Unavailable,
} from './sequence/index.ts';
export { SharedRecords } from './shared-records.ts';
export { SharedSecret } from './shared-secret.ts';
export type { SharedStoreState } from './shared-store.ts';
