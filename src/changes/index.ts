export {
  type Cell,
  type ChangeBatch,
  type Mapping,
  type Operation,
  type PushReply,
  type PushRequest,
  type Row,
  type RowChange,
  type Source,
  type SourceMemory,
  type SourceParts,
  type SourceSink,
  type SourceStatus,
  type TableMapping,
  type Touched,
  UNKNOWN,
} from './contract.ts';
export type { ChangeEvent } from './feed.ts';
export { inspectSource, type SourceFinding } from './inspect.ts';
export { changeScope, compileMapping, rowScope } from './mapping/index.ts';
export type { SourceNews } from './news.ts';
export { NodeChanges, type NodeChangesParts, notesTo } from './node-changes.ts';
export type { ReaderParts, SourceDescription } from './reader/index.ts';
export { BadAfter, ChangeLens, ChangeView, mappingStamp, type PositionWait } from './view/index.ts';
export { type WriteNote, WriteRoom } from './writes/index.ts';
