export { TraceRoom } from './trace-room.ts';
export { Tracer } from './tracer.ts';
