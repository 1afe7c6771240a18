export { compileSnapshot, type Snapshot, type SnapshotParts, variables } from './compile.ts';
