export { type Fenced, Fences, type Invalidation, urlTag } from './fences.ts';
export { slotOf } from './tag-record.ts';
