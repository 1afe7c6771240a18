export { MemoryStore } from './memory.ts';
export { TagCounts } from './tag-counts.ts';
