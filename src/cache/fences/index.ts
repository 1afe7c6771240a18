export { type Fenced, Fences, type Invalidation, urlTag } from './fences.ts';
