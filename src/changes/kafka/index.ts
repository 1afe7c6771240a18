export { createKafkaSource, type KafkaSourceConfig, type SaslMechanism } from './source.ts';
