export { ChangeReader } from './change-reader.ts';
export type { AppliedChange, ReaderParts, SourceDescription, SourceNews } from './running-source.ts';
