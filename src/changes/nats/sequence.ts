/** Where a message stands: in its stream, and among all deliveries to whoever reads by the same durable. */
export interface Delivery {
  readonly stream: number;
  readonly delivery: number;
  readonly redelivered: boolean;
}

export type Verdict =
  | 'next'
  /** Others read too, or messages got lost on the way and will come again. */
  | 'elsewhere'
  /** Messages were dropped by the stream's limits before they were delivered. */
  | 'dropped';

/**
 * Tells whether messages went missing. A stream drops by its limits in silence (`max_age`, `max_bytes`,
 * `max_msgs_per_subject`); but each delivery counts one up, so a stream's number that grows by more than that has
 * left something out.
 */
export class DeliverySequence {
  private last: Delivery | null = null;
  private highest = 0;

  next(message: Delivery): Verdict {
    const { last } = this;
    const { highest } = this;
    this.last = message;
    this.highest = Math.max(highest, message.stream);
    if (last === null) return 'next';
    const deliveries = message.delivery - last.delivery;
    if (!message.redelivered && message.stream - highest > Math.max(deliveries, 1)) return 'dropped';
    return deliveries === 1 ? 'next' : 'elsewhere';
  }

  /** What an earlier reader has got last: what was dropped since is missed by the first message already. */
  goOnFrom(stream: number, delivery: number): void {
    if (this.last !== null) return;
    this.last = { stream, delivery, redelivered: false };
    this.highest = stream;
  }

  /** What is before it is known to be gone. */
  beginsAt(stream: number): void {
    this.highest = Math.max(this.highest, stream - 1);
  }

  /** After a new consumer, whose numbers begin anew. */
  reset(): void {
    this.last = null;
    this.highest = 0;
  }
}
