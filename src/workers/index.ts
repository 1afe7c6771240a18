export type {
  AdminParts,
  AdminServer,
  ConfigControl,
  NodeStatus,
  NodeView,
  ReplaceResult,
  StartAdmin,
} from './admin-contract.ts';
export { type FenceNews, type SeenName, type SequenceNews, type Standing, TOPICS } from './bus-topics.ts';
export { cacheControl, type WorkerCacheState } from './cache-view.ts';
export {
  type ConfigReading,
  ConfigRefused,
  type Edited,
  type IssueReport,
  outlineOf,
} from './config-reading.ts';
export {
  BACKLOG,
  type ListeningHandle,
  NUMBER_VARIABLE,
  type WorkerBus,
  type WorkerGateway,
  type WorkerParts,
} from './contract.ts';
export { usableCores } from './cores.ts';
export { ListenError, listenUrl, type OpenListener, openListener } from './listening.ts';
export { type NodeEvent, NodeEvents } from './node-events.ts';
export type { NodeMetrics, WorkerState } from './node-metrics.ts';
export { purgeShown } from './purge-shown.ts';
export type { Serving } from './supervisor.ts';

/** Imported when called: a worker has no use for the supervisor's half, nor the other way. */
export const supervise: typeof import('./supervisor.ts').supervise = async (options) =>
  (await import('./supervisor.ts')).supervise(options);

/** Runs this process as a worker of `supervise`. */
export const runWorker = async (program: import('./worker.ts').WorkerProgram): Promise<void> =>
  (await import('./worker.ts')).runWorker(program);
