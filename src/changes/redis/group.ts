import type { RedisLink, Reply } from '../../redis/index.ts';
import { entriesOf, entriesOfRead, list, type StreamEntry } from './entries.ts';

/** Entries of one stream in one read. */
const MOST_ENTRIES = 500;
/** Milliseconds that a read waits for the next entry; a connection must be silent for longer to be given up. */
export const BLOCK = 400;
/** All nodes read by one name, one at a time: what a dead one left pending is the next one's. */
const CONSUMER = 'tidegate';

/** What tells whether entries went missing before they were delivered. */
export interface StreamState {
  /** Nothing is there that was not delivered. */
  readonly drained: boolean;
  /** Entries that were added, but not delivered; with `drained`, it grows only by entries that were trimmed. */
  readonly behind: number;
  /** Entries that were ever delivered, to whoever reads in the group; null: that isn't counted. */
  readonly delivered: number | null;
}

/** Commands on the consumer group of some streams. */
export class StreamGroup {
  private readonly streams: readonly string[];
  private readonly group: string;
  private readonly asking: RedisLink;
  private readonly reading: RedisLink;

  /** `reading` is blocked most of the time; `asking` never. */
  constructor(streams: readonly string[], group: string, asking: RedisLink, reading: RedisLink) {
    this.streams = streams;
    this.group = group;
    this.asking = asking;
    this.reading = reading;
  }

  /** Makes the group where it is missing, from an entry on (`$`: what comes from now on). Returns the streams that lacked it. */
  async ensure(from: '0' | '$'): Promise<string[]> {
    const made = await Promise.all(this.streams.map((stream) => this.create(stream, from)));
    return this.streams.filter((_, index) => made[index]);
  }

  private async create(stream: string, from: string): Promise<boolean> {
    try {
      await this.asking.send('xgroup', 'create', stream, this.group, from, 'mkstream');
      return true;
    } catch (error) {
      if ((error as Error).message.startsWith('BUSYGROUP')) return false;
      throw error;
    }
  }

  /** What was delivered to whoever read before, but not acknowledged. */
  async pending(): Promise<StreamEntry[]> {
    const entries: StreamEntry[] = [];
    for (const stream of this.streams) {
      let from = '0-0';
      do {
        const reply = await this.asking.send(
          'xautoclaim',
          stream,
          this.group,
          CONSUMER,
          0,
          from,
          'count',
          MOST_ENTRIES,
        );
        const [next, claimed, trimmed] = list(reply);
        entries.push(...entriesOf(stream, claimed ?? null));
        entries.push(...list(trimmed).map((id) => ({ stream, id: String(id), message: null })));
        from = String(next);
      } while (from !== '0-0');
    }
    return entries;
  }

  async read(): Promise<StreamEntry[]> {
    const where = [...this.streams, ...this.streams.map(() => '>')];
    const options = ['count', MOST_ENTRIES, 'block', BLOCK, 'streams', ...where];
    return entriesOfRead(await this.reading.send('xreadgroup', 'group', this.group, CONSUMER, ...options));
  }

  async acknowledge(entries: readonly StreamEntry[]): Promise<void> {
    const byStream = Map.groupBy(entries, ({ stream }) => stream);
    await Promise.all(
      [...byStream].map(([stream, own]) =>
        this.asking.send('xack', stream, this.group, ...own.map(({ id }) => id)),
      ),
    );
  }

  async inspect(): Promise<ReadonlyMap<string, StreamState>> {
    const states = await Promise.all(this.streams.map((stream) => this.inspectOne(stream)));
    return new Map(this.streams.map((stream, index) => [stream, states[index]!]));
  }

  private async inspectOne(stream: string): Promise<StreamState> {
    const [about, groups] = await Promise.all([
      this.asking.send('xinfo', 'stream', stream),
      this.asking.send('xinfo', 'groups', stream),
    ]);
    const group = list(groups)
      .map(fieldsOf)
      .find((fields) => String(fields.get('name')) === this.group);
    if (group === undefined) throw new Error('NOGROUP the consumer group is gone');
    const fields = fieldsOf(about);
    const [last] = list(fields.get('last-entry') ?? null);
    const drained = last === undefined || !isAfter(String(last), String(group.get('last-delivered-id')));
    const delivered = group.get('entries-read');
    return {
      drained,
      behind: behind(fields, group, drained),
      delivered: typeof delivered === 'number' ? delivered : null,
    };
  }
}

/**
 * Each delivery counts one up in `entries-read`, so entries that are trimmed before they are delivered stay
 * between it and `entries-added` for ever. Before Redis 7, or for a group that was set somewhere by hand, there is
 * no such count; then a trimmed entry before the first is told by the ids alone.
 */
function behind(
  stream: ReadonlyMap<string, Reply>,
  group: ReadonlyMap<string, Reply>,
  drained: boolean,
): number {
  const added = stream.get('entries-added');
  const read = group.get('entries-read');
  if (typeof added === 'number' && typeof read === 'number') return added - read;
  return drained ? 0 : Number.POSITIVE_INFINITY;
}

/** `1795478179481-0`: milliseconds and a number, compared as such. */
function isAfter(id: string, other: string): boolean {
  const [a, b] = [id, other].map((text) => text.split('-').map(BigInt)) as [bigint[], bigint[]];
  return a[0]! === b[0]! ? a[1]! > b[1]! : a[0]! > b[0]!;
}

function fieldsOf(reply: Reply): ReadonlyMap<string, Reply> {
  const items = list(reply);
  return new Map(
    items.flatMap((name, index) => (index % 2 === 0 ? [[String(name), items[index + 1]!] as const] : [])),
  );
}
