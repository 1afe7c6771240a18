export { MemoryStore, type StoreCounts } from './memory.ts';
export { TagCounts } from './tag-counts.ts';
