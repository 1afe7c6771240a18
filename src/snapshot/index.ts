export { compileSnapshot, type Snapshot, type SnapshotParts, variables } from './compile.ts';
export {
  BadRequest,
  type Destination,
  type Explained,
  type ExplainRequest,
  explainRequest,
} from './explain.ts';
