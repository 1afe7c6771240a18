export { compileCompress } from './compress.ts';
export { announced, compileCors, isPreflight } from './cors.ts';
export { compileErrorBody } from './error-body.ts';
export { OnStatus, type Settled, type StatusAction } from './on-status.ts';
export type { AnswerRules } from './rules.ts';
