export { type Fenced, Fences, hasPrefix, type Invalidation, urlTag } from './fences.ts';
export { slotOf } from './tag-record.ts';
