/** What `aggregate` of a route compiles from; part of the model, and imported through it. */
import type { RouteCacheConfig } from './cache-model.ts';
import type { Expression, Template } from './model.ts';
import type { RetriesConfig, TimeoutConfig } from './service-model.ts';

/** Several calls, and one answer made of theirs. */
export interface AggregateConfig {
  /** In the order of the file. */
  calls: CallConfig[];
  /** Milliseconds for all of it. */
  deadline: number;
  /** Null: 200. */
  status: Expression | null;
  headers: Record<string, Template | Template[]>;
  /** Null: an object with each call's body under its name. */
  body: Expression | null;
  /** Shows each call in Server-Timing. */
  timing: boolean;
}

export interface CallConfig {
  name: string;
  /** A service, one of several by weight, or another route of the gateway. */
  to: { kind: 'service'; services: { service: string; weight: number }[] } | { kind: 'route'; route: string };
  /** Null: the client's path, without its query. */
  path: Template | null;
  method: string;
  headers: Record<string, Template | Template[]>;
  /** Sent as JSON; null: none. */
  body: Expression | null;
  when: Expression | null;
  /** Null: asked once. */
  each: EachConfig | null;
  /** Only what was said; it replaces the service's and the route's. */
  timeout: TimeoutConfig;
  /** Null: the route's or the service's. */
  retries: RetriesConfig | null;
  /** Bytes, after decoding. */
  maxBody: number;
  read: 'json' | 'text' | 'base64';
  optional: boolean;
  fallback: FallbackConfig | null;
  /** A word, or CEL over `error` that yields one. */
  onError: { kind: 'word'; word: OnErrorWord } | { kind: 'expression'; expression: Expression };
  compensate: CompensateConfig | null;
  /** Null: its answers are not kept. */
  cache: RouteCacheConfig | null;
}

export type OnErrorWord = 'fail' | 'null' | 'fallback' | 'pass';

export type FallbackConfig =
  | { kind: 'expression'; expression: Expression }
  | { kind: 'value'; value: unknown };

export interface EachConfig {
  list: Expression;
  /** The variable that holds an item. */
  as: string;
  concurrency: number;
  maxItems: number;
  batch: BatchConfig | null;
}

export interface BatchConfig {
  /** Of an item. */
  key: Expression;
  /** Of the answer; null: `response.body`. */
  parts: Expression | null;
  /** Of a part; null: the parts are members of an object. */
  partKey: Expression | null;
  size: number;
  /** Milliseconds in which items of other requests are gathered too; 0: not. */
  window: number;
}

export interface CompensateConfig {
  to: CallConfig['to'];
  path: Template | null;
  method: string;
  headers: Record<string, Template | Template[]>;
  body: Expression | null;
  timeout: TimeoutConfig;
}
