export { AccessLog } from './access-log.ts';
export { combinedLine } from './combined-line.ts';
export { jsonLine, type OwnField } from './json-line.ts';
export { LogFiles } from './log-files.ts';
export { type AccessRecord, detailOf, statusOf } from './record.ts';
export { bounded, onOneLine, quoted } from './text.ts';
