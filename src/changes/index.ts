export type {
  ChangeBatch,
  PushReply,
  PushRequest,
  Source,
  SourceMemory,
  SourceParts,
  SourceSink,
  SourceStatus,
} from './contract.ts';
export type { ChangeEvent } from './feed.ts';
export { inspectSource, type SourceFinding } from './inspect.ts';
export { changeScope, rowScope } from './mapping/index.ts';
export type { SourceNews } from './news.ts';
export { NodeChanges, notesTo } from './node-changes.ts';
export type { SourceDescription } from './reader/index.ts';
export { ChangeLens, ChangeView, mappingStamp } from './view/index.ts';
export { type WriteNote, WriteRoom } from './writes/index.ts';
