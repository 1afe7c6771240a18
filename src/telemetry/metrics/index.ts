export { METRICS } from './definitions.ts';
export {
  CONTENT_TYPES,
  Exposition,
  type Format,
  formatFor,
  type Labels,
  labelText,
  type Metric,
} from './exposition.ts';
export { PhaseTimes } from './phase-times.ts';
export { RequestMetrics } from './request-metrics.ts';
export { BOUNDS, DETAIL, histogramOf, quantileOf, requestsOf, TIMED_PHASES } from './route-detail.ts';
