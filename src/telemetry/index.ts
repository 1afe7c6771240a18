export {
  AccessLog,
  type AccessRecord,
  bounded,
  combinedLine,
  detailOf,
  jsonLine,
  LogFiles,
  type OwnField,
  quoted,
  statusOf,
  USUAL_MEMBERS,
} from './access/index.ts';
export {
  addRows,
  COUNTS,
  type CounterRows,
  Counters,
  type CountName,
  namedCounts,
  RouteCounter,
  settled,
  UNMATCHED,
} from './counters.ts';
export { DescriptorWriter, type LineWriter, stdoutWriter } from './line-writer.ts';
export {
  createLogger,
  type LogFields,
  type LogFormat,
  type Logger,
  type LoggerOptions,
  type LogLevel,
  silentLogger,
} from './log.ts';
export { Seldom } from './seldom.ts';
