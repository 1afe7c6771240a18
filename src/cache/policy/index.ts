export { currentAge, freshFor } from './age.ts';
export { answerFromEntry, type CachedAnswer } from './answer.ts';
export { type CacheStatusParams, cacheStatus } from './cache-status.ts';
export { isNotModified } from './conditions.ts';
export { type Directives, responseDirectives } from './directives.ts';
export { applyHead, type Freshened, freshen, type Update, validatedBy } from './freshen.ts';
export { cacheGroups, type Exchanged, invalidatedBy, invalidatedGroups } from './invalidation.ts';
export { STORE_REFUSALS, type StoreRefusal } from './refusals.ts';
export {
  type RequestCacheFields,
  type RequestDirectives,
  requestDirectives,
  scanRequest,
} from './request.ts';
export { type RoutePolicy, STANDARD_POLICY } from './route-policy.ts';
export { type Judged, judgeStorable, type NotStored, type Storable } from './storable.ts';
export { privateHeaders } from './stored-headers.ts';
export { canUseOnError, type Forward, judgeUse, type Use, validationHeaders } from './use.ts';
export { selectVariant, varyNames, varyValues } from './vary.ts';
