export { ChangeReader } from './change-reader.ts';
export type { ReaderParts, SourceDescription } from './parts.ts';
