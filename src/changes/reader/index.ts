export { ChangeReader } from './change-reader.ts';
export type { AppliedChange, ReaderParts, SourceDescription } from './parts.ts';
