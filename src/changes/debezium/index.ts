export type { Message } from './decode.ts';
export { DebeziumFeed } from './feed.ts';
