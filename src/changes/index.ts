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
export { createFeedSource } from './feeds.ts';
export { changeScope, compileMapping, rowScope } from './mapping/index.ts';
