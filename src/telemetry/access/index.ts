export { AccessLog, type AccessLogSettings } from './access-log.ts';
export { combinedLine } from './combined-line.ts';
export { jsonLine, type OwnField, USUAL_MEMBERS } from './json-line.ts';
export { LogFiles } from './log-files.ts';
export { type AccessRecord, codeOf, detailOf, statusOf } from './record.ts';
export { bounded, quoted } from './text.ts';
