import {
  type ConsumerInfo,
  type ConsumerMessages,
  type JetStreamManager,
  type JsMsg,
  jetstream,
  type StreamInfo,
} from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import type { Source, SourceParts } from '../contract.ts';
import { DebeziumFeed } from '../debezium/index.ts';
import { Pauses } from '../pauses.ts';
import { Applied } from './applied.ts';
import { connectNats, ensureDurable, MOST_UNDER_WAY, managerOf, type NatsServer } from './connection.ts';
import { DeliverySequence } from './sequence.ts';

export interface NatsSourceConfig {
  readonly server: NatsServer;
  readonly stream: string;
  readonly durable: string;
  /** Columns of the primary key by table, as the events come without it. */
  readonly keys: ReadonlyMap<string, readonly string[]>;
}

/** What a key is most often called. */
const USUAL_KEY = ['id'];
const LOOK_EVERY = 1000;

/** Debezium's events from a JetStream, by a durable consumer: acknowledged only once they are applied. */
export function createNatsSource(config: NatsSourceConfig, parts: SourceParts): Source {
  return new NatsSource(config, parts);
}

const DROPPED = 'the stream dropped messages by its limits before they were delivered';
const NOT_APPLIED =
  'messages were delivered to a reader that has ended, and dropped by a limit of the stream before they came again';

class NatsSource implements Source {
  private readonly config: NatsSourceConfig;
  private readonly parts: SourceParts;
  private readonly feed: DebeziumFeed;
  private readonly pauses: Pauses;
  private readonly sequence = new DeliverySequence();
  private readonly applied: Applied;
  private running: Promise<void> = Promise.resolve();
  private opened = false;
  private queue: JsMsg[] = [];
  private wake: () => void = () => {};
  /** Numbers below are known to be gone. */
  private goneBelow = 0;
  /** This connection has come to its end. */
  private broken = false;
  /** Up to this number of the stream something may be under way that did not come here; 0: nothing. */
  private doubt = 0;

  constructor(config: NatsSourceConfig, parts: SourceParts) {
    this.config = config;
    this.parts = parts;
    this.feed = new DebeziumFeed(parts.sink, { keys: config.keys, defaultKey: USUAL_KEY });
    this.pauses = new Pauses(parts.clock);
    this.applied = new Applied(parts.name, parts.memory);
  }

  start(): void {
    this.parts.sink.state('connecting');
    this.running = this.run();
  }

  async stop(): Promise<void> {
    this.pauses.stop();
    this.wake();
    await this.running;
    await this.remember();
  }

  private async run(): Promise<void> {
    while (!this.pauses.stopped) {
      let connection: NatsConnection | null = null;
      try {
        connection = await connectNats(this.config.server);
        await this.follow(connection);
      } catch (error) {
        if (!this.pauses.stopped) this.parts.sink.state('connecting', adviceFor(error as Error, this.config));
      } finally {
        await connection?.close().catch(() => {});
      }
      await this.pauses.wait(300);
    }
  }

  private async follow(connection: NatsConnection): Promise<void> {
    const manager = await managerOf(connection);
    const { info, made } = await ensureDurable(manager, this.config.stream, this.config.durable);
    if (made) this.sequence.reset();
    else this.sequence.goOnFrom(info.delivered.stream_seq, info.delivered.consumer_seq);
    if (made && this.opened) await this.lost(`the durable "${this.config.durable}" was gone`);
    const stream = await manager.streams.info(this.config.stream);
    if (made) this.applied.begin(stream, info);
    // It was delivered to a reader that has ended, and comes again once the server has waited for it.
    this.doubt = info.num_ack_pending > 0 ? info.delivered.stream_seq : 0;
    await this.examine(manager, stream, info);
    if (!this.opened) await this.parts.sink.open({ anew: made });
    this.opened = true;
    const messages = await this.consume(connection);
    this.broken = false;
    const work = this.work();
    try {
      this.parts.sink.state('streaming');
      await Promise.race([work, this.watch(manager)]);
    } finally {
      // What is being applied ends before anything is applied on another connection.
      this.broken = true;
      this.wake();
      await messages.close().catch(() => {});
      await work.catch(() => {});
      this.queue = [];
    }
  }

  private async consume(connection: NatsConnection): Promise<ConsumerMessages> {
    const consumer = await jetstream(connection).consumers.get(this.config.stream, this.config.durable);
    return await consumer.consume({
      max_messages: MOST_UNDER_WAY,
      expires: 5000,
      idle_heartbeat: 1000,
      callback: (message) => {
        this.queue.push(message);
        this.wake();
      },
    });
  }

  /** Applies what has come, again and again. */
  private async work(): Promise<void> {
    while (!this.pauses.stopped && !this.broken) {
      const messages = this.queue;
      this.queue = [];
      if (messages.length > 0) await this.apply(messages);
      else
        await new Promise<void>((resolve) => {
          this.wake = resolve;
          if (this.queue.length > 0 || this.pauses.stopped || this.broken) resolve();
        });
    }
  }

  private async apply(messages: readonly JsMsg[]): Promise<void> {
    // Before anything is said to be applied.
    for (const message of messages) await this.judge(message);
    const events = messages.map((message) => ({
      topic: message.subject,
      key: null,
      value: message.string(),
    }));
    await this.feed.apply(events, { position: this.doubt === 0 ? 'database' : 'unproven' });
    if (this.doubt === 0) for (const { seq } of messages) this.applied.to(seq);
    for (const message of messages) message.ack();
  }

  private async judge({ info }: JsMsg): Promise<void> {
    const { streamSequence: stream, deliverySequence: delivery, redelivered } = info;
    const verdict = this.sequence.next({ stream, delivery, redelivered });
    if (verdict === 'next') return;
    if (verdict === 'dropped') await this.lost(DROPPED, stream - 1);
    // Another gateway would apply them for itself alone.
    else if (!redelivered) await this.lost(this.elsewhere(), stream - 1);
    this.doubt = Math.max(this.doubt, stream);
  }

  private elsewhere(): string {
    const { durable } = this.config;
    return this.parts.shared
      ? `messages of "${durable}" went to a reader that is gone, or to another gateway; one that shares neither cache.redis nor its prefix needs a durable of its own`
      : `messages of "${durable}" went elsewhere; without cache.redis each gateway needs a durable of its own`;
  }

  /** Notices by asking what no message tells: a stream that is gone, or was emptied. */
  private async watch(manager: JetStreamManager): Promise<void> {
    while (!this.pauses.stopped && !this.broken) {
      await this.pauses.wait(LOOK_EVERY);
      if (this.pauses.stopped || this.broken) return;
      const { stream, durable } = this.config;
      const [about, info] = await Promise.all([
        manager.streams.info(stream),
        manager.consumers.info(stream, durable),
      ]);
      await this.examine(manager, about, info);
      await this.remember();
    }
  }

  private async examine(
    manager: JetStreamManager,
    stream: StreamInfo,
    consumer: ConsumerInfo,
  ): Promise<void> {
    if (!(await this.applied.goesOn(stream, consumer))) {
      this.goneBelow = 0;
      this.sequence.reset();
      const { stream: name, durable } = this.config;
      await this.lost(
        `the stream "${name}", or its durable "${durable}", was made anew`,
        consumer.delivered.stream_seq,
      );
    }
    const first = stream.state.first_seq;
    const expected = Math.max(consumer.ack_floor.stream_seq + 1, this.goneBelow);
    // Messages that are being applied just now may be dropped: they have come.
    const dropped = first > Math.max(expected, consumer.delivered.stream_seq + 1);
    if (dropped) {
      this.goneBelow = first;
      this.sequence.beginsAt(first);
      await this.lost(DROPPED, first - 1);
    }
    await this.settle(manager, consumer);
  }

  /** What was delivered is applied, will come again, or was dropped meanwhile. */
  private async settle(manager: JetStreamManager, consumer: ConsumerInfo): Promise<void> {
    const { delivered, ack_floor, num_ack_pending, num_pending } = consumer;
    const idle = num_ack_pending === 0 && this.queue.length === 0;
    if (delivered.stream_seq > this.applied.place && (idle || this.doubt > 0)) {
      // Asked after the consumer, which lets go of what is dropped: else that would look acknowledged.
      const stream = await manager.streams.info(this.config.stream);
      if (this.applied.misses(stream, consumer)) await this.lost(NOT_APPLIED, delivered.stream_seq);
      else this.applied.to(ack_floor.stream_seq);
    }
    if (this.doubt <= this.applied.place) this.doubt = 0;
    if (idle && this.doubt === 0 && num_pending === 0) this.parts.sink.current();
  }

  /** Where it can't be kept, an older place is there, which leaves more in doubt. */
  private async remember(): Promise<void> {
    await this.applied.remember().catch(() => {});
  }

  /** @param fenced The number in the stream up to which nothing is in doubt then. */
  private async lost(why: string, fenced = 0): Promise<void> {
    this.parts.sink.state('lost', why);
    await this.parts.sink.lost(why);
    this.applied.to(fenced);
    this.parts.sink.state('streaming');
  }
}

function adviceFor(error: Error, { stream, server }: NatsSourceConfig): string {
  if (/stream not found/i.test(error.message))
    return `there is no stream "${stream}"; Debezium makes it with debezium.sink.nats-jetstream.create-stream=true`;
  return `${error.message || error.name} (${server.servers.join(', ')})`;
}
