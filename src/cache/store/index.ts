export { MemoryStore, type StoreCounts } from './memory.ts';
