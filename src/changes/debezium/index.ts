export type { Message } from './decode.ts';
export { DebeziumFeed, type FeedOptions, type Place } from './feed.ts';
