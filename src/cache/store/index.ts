export { MemoryStore, type Variants } from './memory.ts';
export { TagCounts } from './tag-counts.ts';
