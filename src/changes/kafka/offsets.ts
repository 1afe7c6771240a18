import type { Consumer, Offsets } from '@platformatic/kafka';

/** A partition's place before reading begins. */
export interface Place {
  readonly topic: string;
  readonly partition: number;
  readonly offset: bigint;
}

export interface Range {
  readonly earliest: bigint;
  readonly latest: bigint;
  /** The next that the group would read; null: it has none. */
  readonly committed: bigint | null;
}

/** Where to begin with a partition, if not where the group says; and whether that leaves something out. */
export function mend(
  range: Range,
  known: boolean,
): { readonly offset: bigint; readonly gap: boolean } | null {
  const { committed, earliest, latest } = range;
  // A group that is new begins with what comes from now on; a partition that is new to it, at its beginning.
  if (committed === null) return { offset: known ? earliest : latest, gap: known && earliest > 0n };
  if (committed < earliest || committed > latest) return { offset: earliest, gap: true };
  return null;
}

const EARLIEST = -2n;
const LATEST = -1n;

export async function rangesOf(consumer: Consumer, topics: readonly string[]): Promise<Map<string, Range[]>> {
  const asked = { topics: [...topics] };
  const [earliest, latest] = await Promise.all([
    consumer.listOffsets({ ...asked, timestamp: EARLIEST }),
    consumer.listOffsets({ ...asked, timestamp: LATEST }),
  ]);
  const partitions = [...latest].map(([topic, offsets]) => ({
    topic,
    partitions: offsets.map((_, index) => index),
  }));
  const committed = await consumer.listCommittedOffsets({ topics: partitions });
  return new Map(
    [...latest].map(([topic, offsets]) => [
      topic,
      offsets.map((end, index) => ({
        earliest: at(earliest, topic, index) ?? 0n,
        latest: end,
        committed: at(committed, topic, index),
      })),
    ]),
  );
}

function at(offsets: Offsets, topic: string, partition: number): bigint | null {
  const offset = offsets.get(topic)?.[partition];
  return offset === undefined || offset < 0n ? null : offset;
}
