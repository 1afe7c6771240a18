export { Cache, type Unseated } from './cache.ts';
export { CachedOrigin } from './cached-origin.ts';
export type {
  Answered,
  AuditRule,
  CacheRules,
  CookieRule,
  Difference,
  Keyed,
  KeyOf,
  RefreshRule,
} from './contract.ts';
export type { FedBy } from './fed-by.ts';
export { invalidating } from './invalidating.ts';
export { originTags } from './origin-tags.ts';
export type { OwnWrites, Writer } from './own-writes.ts';
export { remembering } from './remembering.ts';
export { Revocations } from './revocations.ts';
export { withoutClient } from './without-client.ts';
