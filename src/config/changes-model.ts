/** What `changes` compiles from: sources of changes, and which tags they mean; part of the model, and imported through it. */
import type { RedisConfig } from './cache-model.ts';
import type { Expression, Template } from './model.ts';

export interface ChangeSourceConfig {
  name: string;
  reader: ChangeReaderConfig;
  /** By table: `schema.table`, `database.table`. */
  tables: Record<string, ChangeRuleConfig[]>;
  /** Milliseconds for which origins may still read old rows after a change; 0: they never do. */
  settle: number;
  /** Milliseconds that a request with `tidegate-after` waits. */
  maxWait: number;
  /** Tells one client from another: each is answered with nothing older than its own writes; null: they needn't be. */
  readYourWrites: Expression | null;
  /** Milliseconds that it may be behind, or cut off; null: without bound. */
  maxLag: number | null;
  /** What it feeds is answered even then, and said to be late. */
  servesLate: boolean;
}

/** How its changes are read. */
export type ChangeReaderConfig =
  | { kind: 'postgres'; url: string; slot: string; publication: string }
  | ChangeFeedConfig;

/** Sources other than PostgreSQL. */
export type ChangeFeedConfig =
  | { kind: 'mysql'; url: string; serverId: number }
  | {
      kind: 'kafka';
      brokers: string[];
      topics: string[];
      group: string;
      tls: boolean;
      sasl: KafkaSaslConfig | null;
    }
  | { kind: 'redis'; redis: RedisConfig; streams: string[]; group: string }
  | { kind: 'nats'; url: string; stream: string; durable: string; identity: Record<string, string[]> }
  | { kind: 'http'; token: string; maxBody: number; identity: Record<string, string[]> };

export interface KafkaSaslConfig {
  mechanism: 'PLAIN' | 'SCRAM-SHA-256' | 'SCRAM-SHA-512';
  username: string;
  password: string;
}

/** Which tags a changed row means. */
export interface ChangeRuleConfig {
  /** Over `row`, the old and the new one. */
  tags: Template[];
  /** Over `change`; null: always. */
  when: Expression | null;
  /** An update counts only when one of these has changed; null: always. */
  columns: string[] | null;
}
