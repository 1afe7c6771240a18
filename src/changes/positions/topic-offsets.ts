import type { PositionKind } from './contract.ts';

/** By `topic/partition`, the offset of the last record. */
export type TopicOffsets = ReadonlyMap<string, bigint>;

const PLACE = /^([A-Za-z0-9._-]{1,249}\/\d{1,10})@(\d{1,19})$/;

/** Kafka: `shop.public.orders/0@42`, or several with commas between. */
export const kafkaPositions: PositionKind<TopicOffsets> = {
  expects: 'a record such as shop.public.orders/0@42 (topic/partition@offset)',
  parse: parseTopicOffsets,
  covers: (applied, asked) =>
    [...asked].every(([partition, offset]) => (applied.get(partition) ?? -1n) >= offset),
};

function parseTopicOffsets(text: string): TopicOffsets | null {
  const offsets = new Map<string, bigint>();
  if (text.length > 10_000) return null;
  for (const part of text.split(',')) {
    const [, partition, offset] = PLACE.exec(part.trim()) ?? [];
    if (partition === undefined) return null;
    offsets.set(partition, BigInt(offset!));
  }
  return offsets;
}

export function formatTopicOffsets(offsets: TopicOffsets): string {
  return [...offsets].map(([partition, offset]) => `${partition}@${offset}`).join(',');
}
