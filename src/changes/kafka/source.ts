import type { Message as KafkaMessage, MessagesStream } from '@platformatic/kafka';
import { inTime } from '../../util/in-time.ts';
import type { Secret } from '../../util/secret.ts';
import type { Source, SourceParts } from '../contract.ts';
import { DebeziumFeed } from '../debezium/index.ts';
import { Pauses } from '../pauses.ts';
import { formatTopicOffsets } from '../positions/topic-offsets.ts';
import { GroupMember } from './group-member.ts';
import { mend, type Place, rangesOf } from './offsets.ts';
import { compare, formatIds, madeAnew, OtherTopics, partitionsOf, type Shapes, shapesOf } from './topics.ts';

export interface KafkaSourceConfig {
  /** `host:port`. */
  readonly brokers: readonly string[];
  readonly topics: readonly string[];
  readonly group: string;
  readonly tls: boolean;
  readonly sasl: {
    readonly mechanism: SaslMechanism;
    readonly username: string;
    readonly password: Secret;
  } | null;
}

export type SaslMechanism = 'PLAIN' | 'SCRAM-SHA-256' | 'SCRAM-SHA-512';

type Record = KafkaMessage<Buffer, Buffer, Buffer, Buffer>;
type Records = MessagesStream<Buffer, Buffer, Buffer, Buffer>;

/** Milliseconds until a dead node's partitions move to another. */
const SESSION = 6000;
/** Milliseconds between two commits of offsets. */
const COMMIT_EVERY = 100;
const LOOK_EVERY = 1000;
/** Milliseconds after which a node that had the source before, and has died or stands still, has no partitions any more. */
const LEAVING = 3 * SESSION;
/** Milliseconds until brokers that don't answer are told of, and for a connection to be closed in good order. */
const PATIENCE = 10_000;
const CLOSING = 3000;
const MOST_BYTES = 4 * 1024 * 1024;
/** Records that may wait to be applied; then the brokers are no longer asked. */
const MOST_WAITING = 2000;

/** Debezium's events from Kafka, by a consumer group: offsets are committed only once they are applied. */
export function createKafkaSource(config: KafkaSourceConfig, parts: SourceParts): Source {
  return new KafkaSource(config, parts);
}

class KafkaSource implements Source {
  private readonly config: KafkaSourceConfig;
  private readonly parts: SourceParts;
  private readonly feed: DebeziumFeed;
  private readonly pauses: Pauses;
  private readonly applied = new Map<string, bigint>();
  private running: Promise<void> = Promise.resolve();
  private started = false;
  private open = false;
  /** The group is new: what another reader has followed isn't known. */
  private anew = false;
  /** Since when another member has some of the partitions; null: none has. */
  private partly: number | null = null;
  private queue: Record[] = [];
  private wake: () => void = () => {};
  private shapes: Shapes = new Map();
  private readonly memoryKey: string;
  private remembered: string | null = null;
  /** This connection has come to its end. */
  private broken = false;

  constructor(config: KafkaSourceConfig, parts: SourceParts) {
    this.config = config;
    this.parts = parts;
    this.feed = new DebeziumFeed(parts.sink);
    this.memoryKey = `kafka:${parts.name}:topics`;
    this.pauses = new Pauses(parts.clock);
  }

  start(): void {
    this.parts.sink.state('connecting');
    this.running = this.run();
  }

  async stop(): Promise<void> {
    this.pauses.stop();
    this.wake();
    await this.running;
  }

  private async run(): Promise<void> {
    while (!this.pauses.stopped) {
      const consumer = this.consumer();
      const left = outOfGroup(consumer);
      let stream: Records | null = null;
      try {
        this.shapes = await this.inTime(shapesOf(consumer, this.config.topics));
        await this.recognise(this.shapes);
        // Known before it joins: who joins without topics gets none, and the group is shared out once more.
        consumer.topics.trackAll(...this.config.topics);
        await this.inTime(consumer.joinGroup({}));
        await this.place(consumer);
        const opening = consumer.consume({
          topics: [...this.config.topics],
          mode: 'committed',
          fallbackMode: 'fail',
          autocommit: false,
        });
        stream = await this.inTime(opening);
        await this.follow(consumer, stream, left);
      } catch (error) {
        if (!this.pauses.stopped) this.parts.sink.state('connecting', textOf(error as Error, this.config));
      } finally {
        stream?.removeAllListeners('data');
        stream?.on('error', () => {});
        await this.closed(consumer, stream);
        this.queue = [];
      }
      await this.pauses.wait(300);
    }
  }

  /** The client asks its brokers again without end: who is stopped, or waits for too long, must hear of it. */
  private async inTime<T>(asked: Promise<T>): Promise<T> {
    asked.catch(() => {});
    const late = this.pauses.wait(PATIENCE).then(() => {
      throw new Error('no broker answers');
    });
    return await Promise.race([asked, late]);
  }

  /** So that its partitions go to others at once; brokers that are away have no say in it. */
  private async closed(consumer: GroupMember, stream: Records | null): Promise<void> {
    await this.within(CLOSING, close(consumer, stream));
  }

  private within(ms: number, ended: Promise<void>): Promise<void> {
    return inTime(this.parts.clock, ms, ended, () => {});
  }

  private consumer(): GroupMember {
    const { brokers, group, tls, sasl } = this.config;
    return new GroupMember({
      clientId: 'tidegate',
      groupId: group,
      bootstrapBrokers: [...brokers],
      // Else an outage of some seconds ends the stream, while the member stays in the group.
      retries: true,
      autocommit: false,
      sessionTimeout: SESSION,
      heartbeatInterval: SESSION / 4,
      rebalanceTimeout: SESSION,
      maxBytes: MOST_BYTES,
      maxWaitTime: 500,
      ...(tls ? { tls: {} } : {}),
      ...(sasl === null ? {} : { sasl: { ...sasl, password: sasl.password.reveal() } }),
    });
  }

  /** Other topics of the same names, or those of another cluster, have offsets of their own: the group's mean nothing there. */
  private async recognise(shapes: Shapes): Promise<void> {
    const remembered = await this.parts.memory.read(this.memoryKey);
    if (remembered === '')
      await this.lost('an earlier reader ended before it followed the group, which was new');
    const anew = remembered ? madeAnew(remembered, shapes) : [];
    for (const partition of this.applied.keys())
      if (anew.some((topic) => partition.startsWith(`${topic}/`))) this.applied.delete(partition);
    if (anew.length > 0)
      await this.lost(`${anew.join(', ')} was made anew: what it held before may not have been read`);
  }

  /** For the next reader. Empty, while a group that is new has a place and what was before it is not fenced yet. */
  private async remember(text: string): Promise<void> {
    if (text === this.remembered) return;
    await this.parts.memory.write(this.memoryKey, text);
    this.remembered = text;
  }

  /** Begins where the group stands; where that is deleted already, at the earliest that is left, behind a fence. */
  private async place(consumer: GroupMember): Promise<void> {
    const ranges = await this.inTime(rangesOf(consumer, this.config.topics));
    const all = [...ranges].flatMap(([topic, own]) =>
      own.map((range, partition) => ({ topic, partition, range })),
    );
    const known = this.started || all.some(({ range }) => range.committed !== null);
    const gone: string[] = [];
    const places = all.flatMap(({ topic, partition, range }): Place[] => {
      const mended = mend(range, known);
      const next = mended?.offset ?? range.committed ?? 0n;
      // What is before it was applied by an earlier reader, or is fenced.
      if (next > 0n) this.applied.set(`${topic}/${partition}`, next - 1n);
      if (mended === null) return [];
      if (mended.gap) gone.push(`${topic}/${partition}`);
      return [{ topic, partition, offset: mended.offset }];
    });
    // Before the group goes on: who dies in between must find the gap again.
    if (gone.length > 0) await this.lost(`records of ${gone.join(', ')} were deleted before they were read`);
    if (!known) await this.remember('');
    if (places.length > 0)
      await this.inTime(consumer.commit({ offsets: places.map((at) => ({ ...at, leaderEpoch: 0 })) }));
    this.started = true;
    this.anew ||= !known;
  }

  private async follow(consumer: GroupMember, stream: Records, left: Promise<never>): Promise<void> {
    const broken = new Promise<never>((_, reject) => {
      stream.on('error', reject);
      stream.on('close', () => reject(new Error('the stream was closed')));
    });
    broken.catch(() => {});
    stream.on('data', (record: Record) => {
      this.queue.push(record);
      if (this.queue.length >= MOST_WAITING) stream.pause();
      this.wake();
    });
    await this.checkShare(consumer);
    this.broken = false;
    const work = this.work(stream);
    try {
      await Promise.race([broken, left, work, this.watch(consumer, stream)]);
    } finally {
      // What is being applied ends before anything is applied on another connection.
      this.broken = true;
      this.wake();
      await this.within(
        CLOSING,
        work.catch(() => {}),
      );
    }
  }

  private async work(stream: Records): Promise<void> {
    const last = new Map<string, Record>();
    let committed = this.parts.clock.now();
    while (!this.pauses.stopped && !this.broken) {
      const records = this.queue;
      this.queue = [];
      if (stream.isPaused()) stream.resume();
      if (records.length > 0) await this.apply(records, last);
      const due = this.parts.clock.now() - committed >= COMMIT_EVERY;
      if (last.size > 0 && due) {
        await Promise.all([...last.values()].map((record) => record.commit()));
        last.clear();
        committed = this.parts.clock.now();
      }
      if (this.queue.length === 0) await this.more(last.size > 0 ? COMMIT_EVERY : null);
    }
  }

  private async apply(records: readonly Record[], last: Map<string, Record>): Promise<void> {
    const next = new Map(this.applied);
    for (const record of records) {
      const partition = `${record.topic}/${record.partition}`;
      next.set(partition, record.offset);
      last.set(partition, record);
    }
    const messages = records.map(({ topic, key, value }) => ({
      topic,
      key: textOrNull(key),
      value: textOrNull(value),
    }));
    await this.feed.apply(messages, { position: { here: formatTopicOffsets(next) } });
    for (const [partition, offset] of next) this.applied.set(partition, offset);
  }

  /** Until records come; at the latest after `ms`. */
  private async more(ms: number | null): Promise<void> {
    const { clock } = this.parts;
    await new Promise<void>((resolve) => {
      const timer = ms === null ? null : clock.after(ms, resolve);
      this.wake = () => {
        if (timer !== null) clock.cancel(timer);
        resolve();
      };
      if (this.queue.length > 0 || this.pauses.stopped || this.broken) this.wake();
    });
  }

  private async watch(consumer: GroupMember, stream: Records): Promise<void> {
    let answered = this.parts.clock.now();
    while (!this.pauses.stopped && !this.broken) {
      await this.pauses.wait(LOOK_EVERY);
      if (this.pauses.stopped || this.broken) return;
      try {
        // The client goes on with what it has once learnt of topics, and the group with its partitions.
        compare(this.shapes, await shapesOf(consumer, this.config.topics));
        answered = this.parts.clock.now();
      } catch (error) {
        // Brokers may be away for a while.
        if (error instanceof OtherTopics || this.parts.clock.now() - answered > PATIENCE) throw error;
        continue;
      }
      await this.checkShare(consumer);
      if (this.parts.bounded && (await this.hasAll(consumer, stream))) this.parts.sink.current();
    }
  }

  /** A node must have all partitions: those of another member are fenced nowhere here. */
  private async checkShare(consumer: GroupMember): Promise<void> {
    const { sink, shared, clock } = this.parts;
    const mine = (consumer.assignments ?? []).reduce((sum, { partitions }) => sum + partitions.length, 0);
    if (mine >= partitionsOf(this.shapes)) this.partly = null;
    else this.partly ??= clock.now();
    if (this.partly === null || (shared && clock.now() - this.partly < LEAVING)) {
      if (!this.open) {
        await sink.open({ anew: this.anew });
        if (this.applied.size > 0) sink.passed(formatTopicOffsets(this.applied));
      }
      this.anew = false;
      this.open = true;
      await this.remember(formatIds(this.shapes));
      return sink.state('streaming');
    }
    if (!this.open) return;
    this.open = false;
    const own = shared
      ? 'a gateway that shares neither cache.redis nor its prefix'
      : 'without cache.redis each gateway';
    const why = `another member of the group "${this.config.group}" reads a part of it; ${own} needs its own`;
    await sink.close(why);
    sink.state('connecting', why);
  }

  /** Nothing is there that was not applied: what is read ends where the topics end, with the marks of transactions. */
  private async hasAll(consumer: GroupMember, stream: Records): Promise<boolean> {
    const ranges = await rangesOf(consumer, this.config.topics);
    if (this.queue.length > 0 || stream.readableLength > 0) return false;
    return [...ranges].every(([topic, own]) =>
      own.every(
        ({ latest }, partition) => (stream.offsetsToFetch.get(`${topic}:${partition}`) ?? -1n) >= latest,
      ),
    );
  }

  private async lost(why: string): Promise<void> {
    this.parts.sink.state('lost', why);
    await this.parts.sink.lost(why);
  }
}

/** Rejects once the client has given up its place in the group, and sends no heartbeats any more: it says so by an error that must be heard, for as long as it lives. */
function outOfGroup(consumer: GroupMember): Promise<never> {
  const left = new Promise<never>((_, reject) => consumer.on('error', reject));
  left.catch(() => {});
  return left;
}

async function close(consumer: GroupMember, stream: Records | null): Promise<void> {
  await stream?.close().catch(() => {});
  await consumer.close(true).catch(() => {});
}

function textOrNull(bytes: Buffer | null | undefined): string | null {
  return bytes === null || bytes === undefined ? null : bytes.toString('utf8');
}

function textOf(error: Error & { errors?: Error[] }, { brokers }: KafkaSourceConfig): string {
  const inner = error.errors?.find(({ message }) => message !== '')?.message;
  return `${error.message}${inner === undefined ? '' : `: ${inner}`} (${brokers.join(', ')})`;
}
