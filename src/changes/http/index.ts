export { createHttpSource, type HttpSourceConfig } from './source.ts';
