export type { Exporter, ExporterConfig } from './exporter.ts';
export { TraceRoom } from './trace-room.ts';
export { Tracer } from './tracer.ts';
