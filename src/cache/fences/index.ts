export { type Fenced, Fences, hasPrefix, type Invalidation, urlOfTag, urlTag } from './fences.ts';
export { slotOf } from './tag-record.ts';
