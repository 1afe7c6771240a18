export { MOST_KEYS } from './counts.ts';
export { CompiledLimits, LimitRoom } from './limit-room.ts';
