import {
  type Base,
  type CallbackWithPromise,
  Consumer,
  type ConsumerOptions,
  type ListCommitsOptions,
  type Offsets,
} from '@platformatic/kafka';
import { holdConnections } from './connections.ts';

/**
 * A member of a consumer group. Its stream refuses to begin where a partition has no committed offset (so that
 * nothing is left out unseen), and takes partitions that it has not asked for to have none. A member that has only
 * some of a topic's would never begin: offsets are asked for of all partitions up to the last that it has.
 */
export class GroupMember extends Consumer {
  constructor(options: ConsumerOptions<Buffer, Buffer, Buffer, Buffer>) {
    super(options);
    holdConnections(this as unknown as Base);
  }

  override listCommittedOffsets(options: ListCommitsOptions): Promise<Offsets>;
  override listCommittedOffsets(options: ListCommitsOptions, callback: CallbackWithPromise<Offsets>): void;
  override listCommittedOffsets(
    { topics, ...more }: ListCommitsOptions,
    callback?: CallbackWithPromise<Offsets>,
  ): unknown {
    const whole = { ...more, topics: topics.map(withThoseBefore) };
    return callback ? super.listCommittedOffsets(whole, callback) : super.listCommittedOffsets(whole);
  }
}

function withThoseBefore({ topic, partitions }: ListCommitsOptions['topics'][number]) {
  return { topic, partitions: Array.from({ length: Math.max(-1, ...partitions) + 1 }, (_, index) => index) };
}
