/** What every test stands on: real sockets and real processes, and no sleeps. */
export { type AcmeFault, type AcmeResource, type AcmeServer, acmeServer, serialOf } from './acme-server.ts';
export { ByteReader, type Ending, show, Truncated } from './byte-reader.ts';
export {
  type CertificatePair,
  type Certificates,
  certificates,
  type LeafOptions,
  type Validity,
} from './certificates.ts';
export { cpuTimeOf } from './cpu-time.ts';
export { type CuttingProxy, cuttingProxy } from './cutting-proxy.ts';
export {
  type FrameConnection,
  type FrameRequest,
  type FrameService,
  type FrameServiceOptions,
  frameService,
} from './frame-service.ts';
export { startTestGateway, type TestGateway } from './gateway-lab.ts';
export { type HttpOrigin, httpOrigin } from './http-origin.ts';
export {
  dataFrame,
  ErrorCode,
  type Field,
  type Frame,
  FrameFlag,
  FrameType,
  fieldBlock,
  frame,
  goawayFrame,
  headFrame,
  MAX_CONCURRENT_STREAMS,
  PREFACE,
  readFrames,
  resetFrame,
  settingsFrame,
} from './http2-frames.ts';
export { type Http2Origin, type Http2Request, http2Origin } from './http2-origin.ts';
export { type KafkaTestServer, kafkaLibraries, kafkaServer } from './kafka-server.ts';
export {
  type ApiAnswer,
  type EndpointSlice,
  endpointSlice,
  type KubernetesApi,
  kubernetesApi,
  refuse,
} from './kubernetes-api.ts';
export { ManualClock } from './manual-clock.ts';
export { type MariaDbServer, mariadbServer } from './mariadb-server.ts';
export {
  headerValue,
  headerValues,
  type Pairs,
  type RawHead,
  type RawRequestHead,
  type RawResponse,
  readHead,
  readRequestBody,
  readRequestHead,
  readResponse,
  Violation,
} from './message-reader.ts';
export { type NatsTestServer, natsServer } from './nats-server.ts';
export {
  type Exit,
  freePort,
  type LabProcess,
  type ProcessLab,
  portOpens,
  processLab,
  type StartOptions,
} from './process-lab.ts';
export { cpuTime, openSockets, processTree, residentBytes } from './process-stats.ts';
export { type RawClient, type RawClientOptions, rawClient } from './raw-client.ts';
export { type RedisCluster, type RedisSentinel, redisCluster, redisSentinel } from './redis-groups.ts';
export { findRedis, noRedis } from './redis-program.ts';
export { type RedisServer, type RedisSettings, redisServer } from './redis-server.ts';
export {
  answer,
  type OriginConnection,
  type OriginExchange,
  type ReceivedRequest,
  type Script,
  type ScriptedOrigin,
  type ScriptedOriginOptions,
  scriptedOrigin,
} from './scripted-origin.ts';
export { type SeededRandom, seededRandom } from './seeded-random.ts';
export { SERVER_LIMITS } from './server-limits.ts';
export { findProgram, skippedWithout } from './server-program.ts';
export { collectable, settledMemory } from './settled-memory.ts';
export { type TempFolder, tempFolder } from './temp-folder.ts';
export { Gate, PATIENCE, standsStill, turn, until, within } from './waiting.ts';
