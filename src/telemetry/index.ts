export {
  AccessLog,
  type AccessRecord,
  bounded,
  combinedLine,
  detailOf,
  jsonLine,
  LogFiles,
  type OwnField,
  onOneLine,
  quoted,
  statusOf,
} from './access/index.ts';
export {
  COUNTS,
  Counters,
  type CountName,
  detailOfRow,
  namedCounts,
  RouteCounter,
  settle,
  sumOfPhases,
  UNMATCHED,
} from './counters.ts';
export { type LineWriter, stdoutWriter } from './line-writer.ts';
export { createLogger, type LogFields, type Logger, logTo, silentLogger } from './log.ts';
export {
  BOUNDS,
  CONTENT_TYPES,
  DETAIL,
  Exposition,
  type Format,
  formatFor,
  histogramOf,
  type Labels,
  labelText,
  METRICS,
  type Metric,
  PhaseTimes,
  quantileOf,
  RequestMetrics,
  requestsOf,
  TIMED_PHASES,
} from './metrics/index.ts';
export { addRows, type PackedRows, packRows } from './packed-rows.ts';
export { type ProcessState, ProcessWatch } from './process-state.ts';
export { type RecentRequest, RecentRequests, type WantedRequests } from './recent/recent-requests.ts';
export { Seldom } from './seldom.ts';
export { type Moves, type Sample, Series, SeriesTap, type SeriesView } from './series/index.ts';
export { type NewsEntry, SharedNews } from './shared-news.ts';
export { TraceRoom, Tracer } from './traces/index.ts';
