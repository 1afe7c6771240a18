export { type ExplainedLimit, explainLimits } from './explain-limits.ts';
export { CompiledLimits, LimitRoom } from './limit-room.ts';
