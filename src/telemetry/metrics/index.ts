export { METRICS } from './definitions.ts';
export {
  CONTENT_TYPES,
  Exposition,
  type Format,
  formatFor,
  type Labels,
  type Metric,
} from './exposition.ts';
export { RequestMetrics } from './request-metrics.ts';
export { BOUNDS, DETAIL, histogramOf, quantileOf, requestsOf } from './route-detail.ts';
