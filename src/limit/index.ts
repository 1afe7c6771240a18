export { MOST_KEYS } from './counts.ts';
export { type ExplainedLimit, explainLimits } from './explain-limits.ts';
export { CompiledLimits, LimitRoom } from './limit-room.ts';
