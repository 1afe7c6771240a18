export { inspectKafka } from './inspect.ts';
export { createKafkaSource, type KafkaSourceConfig, type SaslMechanism } from './source.ts';
